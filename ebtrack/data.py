"""The commands ``ebtrack data ...``: look at training data before training on it, and render clips from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ebtrack.bar import Bar

if TYPE_CHECKING:
    from ltr_train.data.check import Counts, Findings

_LISTED = 10
_CONFIG = typer.Argument(help="A YAML file, or the name of one that ships: default, resnet50, ...")
_SET = typer.Option("--set", metavar="NAME=VALUE", help="Override an entry: --set data.root=DIR")


class Split(StrEnum):
    """Which pictures of the data sets."""

    val = "val"
    train = "train"


data = typer.Typer(no_args_is_help=True, help="Look at training data, and render clips from it.")


@data.callback()
def _data() -> None:
    """Look at training data, and render clips from it."""


@data.command()
def check(
    config: Annotated[str, _CONFIG],
    set_: Annotated[list[str] | None, _SET] = None,
    out: Annotated[Path, typer.Option(help="Picture to draw training pairs into.")] = Path("sheet.png"),
    pairs: Annotated[int, typer.Option(min=1, help="Pairs to draw.")] = 24,
    decode: Annotated[
        int, typer.Option(min=0, help="Pictures to decode, evenly spaced; of all the others the header is read.")
    ] = 500,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier picture.")] = False,
) -> None:
    """Count and verify the data sets of a configuration, and draw a contact sheet of training pairs.

    Exit code: 0 all well, 2 a mistake in the call or something wrong with the data.
    """
    from ltr_train.config import read_config
    from ltr_train.data.check import count, pair_shares, verify
    from ltr_train.data.sets import index_sets

    console = Console(highlight=False)
    with _told():
        _expect_place(out, overwrite)
        chosen = read_config(config, set_ or ())
        corpus = index_sets(chosen.data.root, chosen.data.sets, chosen.data.longest)
        found = verify(corpus, decode)
        shares = {} if found.problems else pair_shares(corpus, chosen.pairs, chosen.model)
        counts = count(corpus, chosen.pairs)
        for number, data_set in enumerate(corpus.sets):
            console.print(f"{data_set.name}, weight {data_set.weight:g}", markup=False, soft_wrap=True)
            rows = [(of[1], row, shares.get(of)) for of, row in counts.items() if of[0] == number]
            console.print(_table(rows))
        _tell(found, console)
        if found.problems:
            raise ValueError(f"{len(found.problems)} problems with the data, listed above")
        from ltr_train.data.pairs import PairDataset
        from ltr_train.data.sheet import write_sheet

        # Training validates on pairs that are held out, and would stop where there are none.
        PairDataset(corpus, chosen.pairs.model_copy(update={"split": "val"}), chosen.seed, chosen.model)
        write_sheet(out, PairDataset(corpus, chosen.pairs, chosen.seed, chosen.model), range(pairs))
    console.print(f"{pairs} training pairs, template | search, in {out}", soft_wrap=True)


@data.command()
def render(
    config: Annotated[str, _CONFIG],
    out: Annotated[Path, typer.Option(help="Folder for the clips; it must be new or empty.")],
    set_: Annotated[list[str] | None, _SET] = None,
    clips: Annotated[int, typer.Option(min=1, help="Clips to render.")] = 48,
    frames: Annotated[int, typer.Option(min=16, help="Frames of each.")] = 80,
    width: Annotated[int, typer.Option(min=64, max=512, help="Of the frames, px.")] = 384,
    height: Annotated[int, typer.Option(min=64, max=512, help="Of the frames, px.")] = 288,
    leaving: Annotated[
        float, typer.Option(min=0, max=1, help="Share of clips in which the target goes out of sight and returns.")
    ] = 0.5,
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="Targets that leave go out of the frame and return from elsewhere.")
    ] = False,
    look_alikes: Annotated[
        float, typer.Option(min=0, max=1, help="Share of clips with other objects of the target's kind, or copies.")
    ] = 0.6,
    split: Annotated[Split, typer.Option(help="Pictures to make them of: held out (val), or trained on.")] = Split.val,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same clips.")] = 0,
) -> None:
    """Render clips with exact boxes from the data sets of a configuration, in GOT-10k's layout, and a contact sheet.

    They can be trained on (reader: got10k) and measured like any annotated sequences.

    Exit code: 0 all well, 2 a mistake in the call or something wrong with the data.
    """
    from ltr_train.config import read_config
    from ltr_train.data.clip_config import RenderConfig
    from ltr_train.data.clip_files import expect_empty, write_clips
    from ltr_train.data.rendered import rendered_clips
    from ltr_train.data.sets import load_sets

    console = Console(highlight=False)
    with _told():
        expect_empty(out)
        chosen = read_config(config, set_ or ())
        data = chosen.data
        # Few of the pictures are drawn, so none is decoded before.
        corpus = load_sets(data.root, data.sets, data.longest, memory_gb=0.0)
        wanted = RenderConfig(
            clips=clips,
            frames=frames,
            width=width,
            height=height,
            leaving=leaving,
            elsewhere=elsewhere,
            look_alikes=look_alikes,
        )
        found = rendered_clips(corpus, chosen.pairs.model_copy(update={"split": split.value}), wanted, seed)
        if not found:
            raise ValueError(
                f"no clip could be made of the '{split.value}' split: it needs objects or pictures that are not flat, "
                "and where targets leave (--leaving) enough --frames to return in"
            )
        with Bar("rendering", len(found), console) as bar:
            write_clips(out, found, lambda done: bar.show(done, ""))
    missing = "" if len(found) == clips else f" ({clips - len(found)} more could not be made of these pictures)"
    console.print(f"{len(found)} clips{missing}, and sheet.png, in {out}", soft_wrap=True)


@contextmanager
def _told() -> Iterator[None]:
    """A user's mistake is one line, and no traceback."""
    from ltr_train.config import ConfigError

    try:
        yield
    except (ConfigError, ValueError, ImportError) as error:
        typer.echo("error: " + " ".join(str(error).split()), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None


def _expect_place(out: Path, overwrite: bool) -> None:
    if out.exists() and not overwrite:
        raise ValueError(f"{out} exists: name another file with --out, or replace it with --overwrite")
    if not out.parent.is_dir():
        raise ValueError(f"folder {out.parent} does not exist: name a picture in one that does with --out")
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise ValueError(f"{out} is no picture: name a .png with --out")


def _table(rows: list[tuple[str, Counts, float | None]]) -> Table:
    """Sources, what they hold, and their shares of the training pairs where these are known."""
    table = Table("source", box=None)
    for name in ("pictures", "boxes", "masks", "clips", "tracks", "train", "val", "pairs"):
        table.add_column(name, justify="right", no_wrap=True)
    for source, row, share in rows:
        table.add_row(source, *_cells(row), "-" if share is None else f"{100 * share:.1f} %")
    return table


def _cells(row: Counts) -> list[str]:
    return [f"{n:,}" for n in (row.pictures, row.boxes, row.masks, row.clips, row.tracks, row.train, row.val)]


def _tell(found: Findings, console: Console) -> None:
    console.print(
        f"verified: {found.headers:,} headers of pictures, {found.decoded:,} pictures decoded", soft_wrap=True
    )
    if found.dropped:
        console.print(
            f"left out: {found.dropped:,} boxes of less than 2 px a side inside their picture", soft_wrap=True
        )
    if found.disagreeing:
        console.print(
            f"note: masks that hardly overlap their boxes (IoU below 0.5): {found.disagreeing:,}", soft_wrap=True
        )
    for problem in found.problems[:_LISTED]:
        console.print(f"problem: {problem}", markup=False, soft_wrap=True)
    if len(found.problems) > _LISTED:
        console.print(f"... and {len(found.problems) - _LISTED:,} more problems", soft_wrap=True)
