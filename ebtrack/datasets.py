"""The commands ``ebtrack datasets ...``: which benchmarks can be evaluated on, and whether one on disk is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ebtrack.bar import Bar
from ebtrack.mistakes import USER_ERROR, user_errors

if TYPE_CHECKING:
    from evaluation.datasets.checking import Findings

_LISTED = 20

datasets = typer.Typer(help="List the benchmarks and how they lie on disk; check one.")


@datasets.callback(invoke_without_command=True)
def _datasets(context: typer.Context) -> None:
    """List the benchmarks with the folders and files that each is read from; with `check`, check one on disk."""
    if context.invoked_subcommand is not None:
        return
    from evaluation.datasets import DATASETS

    console = Console(highlight=False)
    for kind in DATASETS.values():
        count = "" if kind.sequences is None else f", {kind.sequences} sequences"
        console.print(f"[bold]{kind.name}[/bold]  {kind.title}{count}", soft_wrap=True)
        if kind.paper:
            console.print(f"    {kind.paper}", soft_wrap=True)
        for line in kind.layout.splitlines():
            console.print(f"    {line}", markup=False, soft_wrap=True)
        console.print()


@datasets.command()
def check(
    name: Annotated[str, typer.Argument(help="A benchmark, as `ebtrack datasets` lists them.")],
    root: Annotated[Path, typer.Option(help="Its folder: ROOT in the list.")],
    sequences: Annotated[
        list[str] | None, typer.Option("--sequences", metavar="NAME", help="Check only this one; repeat for several.")
    ] = None,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Decode all frames; only the first of each sequence when left out.")
    ] = False,
) -> None:
    """Check that a benchmark on disk is whole and can be read, and say all that is wrong with it.

    Exit code: 0 all well, 2 a mistake in the call or something wrong with the data.
    """
    from evaluation.datasets.checking import check_dataset

    console = Console(highlight=False)
    with user_errors(), Bar("checking", None, console) as bar:
        found = check_dataset(name, root, sequences or None, every_frame, bar.show)
    _tell(found, console)
    if found.problems:
        raise typer.Exit(USER_ERROR)


def _tell(found: Findings, console: Console) -> None:
    console.print(
        f"{found.sequences:,} sequences can be read: {found.frames:,} frames, the target absent in {found.absent:,}, "
        f"no box known in {found.unannotated:,}; attributes of {found.with_attributes:,} sequences",
        soft_wrap=True,
    )
    for problem in found.problems[:_LISTED]:
        typer.echo(f"problem: {problem}", err=True)
    if len(found.problems) > _LISTED:
        typer.echo(f"... and {len(found.problems) - _LISTED:,} more problems", err=True)
