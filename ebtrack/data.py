"""The commands ``ebtrack data ...``: look at training data before training on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ltr_train.data.check import Counts, Findings

_LISTED = 10

data = typer.Typer(no_args_is_help=True, help="Look at training data before training on it.")


@data.callback()
def _data() -> None:
    """Look at training data before training on it."""


@data.command()
def check(
    config: Annotated[str, typer.Argument(help="A YAML file, or the name of one that ships: default, resnet50, ...")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override an entry: --set data.root=DIR")
    ] = None,
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
    from ltr_train.config import ConfigError, read_config
    from ltr_train.data.check import count, pair_shares, verify
    from ltr_train.data.sets import index_sets

    console = Console(highlight=False)
    try:
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
    except (ConfigError, ValueError, ImportError) as error:
        typer.echo("error: " + " ".join(str(error).split()), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None
    console.print(f"{pairs} training pairs, template | search, in {out}", soft_wrap=True)


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
