"""The command ``ebtrack report``: trackers compared on a page, in figures and in tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ebtrack.mistakes import user_errors
from ebtrack.score import Benchmark, StrictOption, read_benchmark
from ebtrack.version import __version__

PLACE = Path("ebtrack-out") / "report"


def report(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="OUT...", help="What `ebtrack evaluate` wrote, or other folders of a folder a tracker."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = PLACE,
    first: Annotated[
        str | None,
        typer.Option(metavar="TRACKER", help="The one that the report is about; the best one when left out."),
    ] = None,
    convention: Annotated[
        str | None,
        typer.Option(help="otb, pysot, pytracking, lasot or got10k; the benchmark's own when left out, else otb."),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="The benchmark, as `ebtrack datasets` lists it; OUT says it when left out.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Its folder.")] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="Instead: a folder of <sequence>.txt, in the pixels of the results' files.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What the data set is called in titles and captions.")] = None,
    worst: Annotated[int, typer.Option(min=0, help="Sequences to show in pictures, the worst first.")] = 5,
    strict: Annotated[bool, StrictOption] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier report.")] = False,
) -> None:
    """Compare trackers: one HTML page, figures as PNG and SVG, tables as CSV, JSON and LaTeX.

    Exit code: 0 all well, 2 a mistake in the call, or results that cannot be compared.
    """
    with user_errors():
        from evaluation.conventions import convention_named
        from evaluation.report.build import write_report
        from evaluation.report.gather import gather

        _expect_place(out, overwrite)
        if convention:
            convention_named(convention)
        _expect_one_benchmark(results, dataset is None and annotations is None)
        benchmark = read_benchmark(results, dataset, root, annotations)
        material = gather(
            results,
            benchmark.sequences,
            title or _title(benchmark, results[0], root),
            convention or benchmark.convention,
            first,
            strict,
            benchmark.origin,
            benchmark.one_based,
        )
        for note in material.notes:
            typer.echo(f"note: {note}", err=True)
        typer.echo(str(write_report(material, out, __version__, worst)))


def _expect_place(folder: Path, overwrite: bool) -> None:
    from evaluation.report.page import PAGE

    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise ValueError(f"{folder} exists: name another folder with --out, or replace the report with --overwrite")
    if not (folder / PAGE).is_file():
        raise ValueError(
            f"{folder} holds something else than a report, or one that was cut off: name another folder with --out"
        )


def _title(benchmark: Benchmark, out: Path, root: Path | None) -> str:
    """What the benchmark is called in print."""
    from evaluation.datasets import DATASETS
    from evaluation.results import read_evaluation

    if benchmark.title == "folder":
        return Path(root or read_evaluation(out)["root"]).resolve().name
    return DATASETS[benchmark.title].title if benchmark.title in DATASETS else Path(benchmark.title).resolve().name


def _expect_one_benchmark(outs: Sequence[Path], recorded: bool) -> None:
    """Several folders are compared on the benchmark that the first of them names; another one is refused."""
    from evaluation.results import EVALUATION, read_evaluation

    known = {out: read_evaluation(out) for out in outs if recorded and (out / EVALUATION).is_file()}
    for out, record in known.items():
        for key in ("dataset", "root"):
            if out != outs[0] and outs[0] in known and record[key] != known[outs[0]][key]:
                raise ValueError(
                    f"{out} has results of {record[key]}, {outs[0]} of {known[outs[0]][key]}: report on each"
                )
