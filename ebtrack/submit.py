"""The command ``ebtrack submit``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ebtrack.mistakes import fail, user_errors


class Benchmark(StrEnum):
    """Benchmarks whose test annotation only their servers have."""

    got10k_test = "got10k_test"
    trackingnet = "trackingnet"


def submit(
    results: Annotated[Path, typer.Argument(metavar="OUT/TRACKER", help="Folder of one tracker's box files.")],
    dataset: Annotated[Benchmark, typer.Option(help="The benchmark.")],
    root: Annotated[Path, typer.Option(help="Where the benchmark is.")],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="The file to upload; it must be new.")],
) -> None:
    """Pack results for the server of GOT-10k or TrackingNet, and check that it can read them.

    Exit code: 0 all well, 2 a mistake in the call, or results that make no submission.
    """
    from evaluation.bridges.submissions import SERVERS, pack
    from evaluation.datasets import read_dataset

    with user_errors():
        if out.suffix.lower() != ".zip" or not out.parent.is_dir():
            raise ValueError(f"{out} must be a .zip in a folder that exists")
        sequences = read_dataset(dataset, root)
        try:
            boxes = pack(results, dataset, sequences, out)
        except FileExistsError:
            fail(f"{out} exists: name another file with --out, nothing is overwritten")
    typer.echo(f"{len(sequences)} sequences, {boxes} boxes in {out}: upload it at {SERVERS[dataset].address}")
