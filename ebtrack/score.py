"""The command ``ebtrack score``: numbers for boxes on disk, without running anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ebtrack.mistakes import USER_ERROR, user_errors

if TYPE_CHECKING:
    from evaluation.scoring import Labelled, TrackerScore

SEED = 0
StrictOption = typer.Option(
    "--strict",
    help="Refuse a tracker that lacks a sequence, or whose boxes are more or fewer than the frames; otherwise what is "
    "there is scored, and what is not is told.",
)
_SOME_LEFT_OUT = 3
_HEADINGS = {
    "auc": "AUC",
    "op50": "OP50",
    "op75": "OP75",
    "precision": "P",
    "normalised_precision": "P norm",
    "ao": "AO",
    "sr50": "SR0.5",
    "sr75": "SR0.75",
    "failures": "failures",
}


@dataclass(frozen=True)
class Benchmark:
    """What boxes are scored on."""

    title: str
    sequences: Sequence[Labelled]
    convention: str
    """Of its authors."""
    origin: float
    """What its files have more than the pixels of ``sequences``."""
    one_based: bool
    """Whether ``sequences`` are in the files' own pixels."""


@dataclass
class Scored:
    """The scores of all trackers that have them, and what was wrong with the others."""

    scores: list[TrackerScore] = field(default_factory=list)
    speeds: dict[str, float] = field(default_factory=dict)
    """Frames per second of the trackers whose times are stored."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def score(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS_DIR", help="A folder a tracker, of box files; see docs/metrics.md.")
    ],
    dataset: Annotated[str | None, typer.Option(help="The benchmark, as `ebtrack datasets` lists it.")] = None,
    root: Annotated[Path | None, typer.Option(help="Its folder.")] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="Instead: a folder of <sequence>.txt, in the pixels of the results' files.")
    ] = None,
    convention: Annotated[
        str | None,
        typer.Option(help="otb, pysot, pytracking, lasot or got10k; the benchmark's own when left out, else otb."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File for the figures, as fractions.")] = None,
    strict: Annotated[bool, StrictOption] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file of figures.")] = False,
) -> None:
    """Score stored boxes of one or more trackers, without pictures.

    Exit code: 0 all well, 2 a mistake in the call or no tracker could be scored, 3 some trackers could not be scored.
    """
    console = Console(highlight=False)
    with user_errors():
        _expect_place(json, overwrite)
        from evaluation.conventions import convention_named

        if convention:
            convention_named(convention)
        benchmark = read_benchmark([results], dataset, root, annotations)
        rules = convention_named(convention or benchmark.convention)
        scored = score_stored(results, benchmark, rules.name, strict)
        for note in scored.notes:
            typer.echo(f"note: {note}", err=True)
        for problem in scored.problems:
            typer.echo(f"error: {problem}", err=True)
        if not scored.scores:
            raise typer.Exit(USER_ERROR)
        ranked = "ao" if rules.over == "frames" else "auc"
        scored.scores.sort(key=lambda of: -of.figures[ranked])
        comparisons = _comparisons(scored.scores, ranked)
        _print_whole(_table(scored, ranked, comparisons), console)
        console.print(
            f"{benchmark.title}. Convention {rules.name}: {rules.text}. AO and SR leave the first frame out. In "
            f"brackets: 95 % bootstrap interval over sequences. p: {_HEADINGS[ranked]} against the first, sign-flip "
            f"test over sequences that both have. Frames per second: {rules.speed}.",
            markup=False,
        )
        if json:
            _write(json, benchmark, rules.name, scored, ranked, comparisons)
    if scored.problems:
        raise typer.Exit(_SOME_LEFT_OUT)


def score_stored(results: Path, benchmark: Benchmark, convention: str, strict: bool) -> Scored:
    """Scores every tracker of a folder; one that cannot be scored does not keep the others from it.

    Raises:
        ValueError: there are no results.
    """
    from evaluation.conventions import convention_named
    from evaluation.metrics import frames_per_second
    from evaluation.scoring import score_tracker
    from evaluation.stored import (
        find_stored,
        ignored_files,
        left_out,
        match_names,
        read_times,
        read_tracker_boxes,
        some_of,
    )

    stored = find_stored(results)
    found = Scored()
    frames = {sequence.name: len(sequence.groundtruth) for sequence in benchmark.sequences}
    if ignored := ignored_files(results, stored):
        found.notes.append(f"not taken for boxes: {some_of([path.name for path in ignored])}")
    for tracker, files in stored.items():
        try:
            boxes, times = read_tracker_boxes(files, frames, benchmark.origin), read_times(files, frames)
            paths = {sequence: files[name] for sequence, name in match_names(files, frames).items()}
            result = score_tracker(
                tracker, boxes, benchmark.sequences, convention, strict, benchmark.one_based, files=paths
            )
        except ValueError as error:
            found.problems.append(" ".join(str(error).split()))
            continue
        found.scores.append(result)
        found.notes += left_out(tracker, files, boxes, frames)
        speed = frames_per_second([of[1:] for of in times], convention_named(convention).speed)
        if not isnan(speed):
            found.speeds[tracker] = speed
    return found


def read_benchmark(
    results: Sequence[Path], dataset: str | None, root: Path | None, annotations: Path | None
) -> Benchmark:
    """What the options name, or else what the results say that they are of: the sequences of all folders.

    Raises:
        ValueError: the options contradict each other, or what they name cannot be read.
    """
    from evaluation.stored import read_annotations

    if annotations and (dataset or root):
        raise ValueError("--annotations goes alone, without --dataset and --root")
    if annotations:
        return Benchmark(str(annotations), read_annotations(annotations), "otb", 0.0, True)
    if bool(dataset) != bool(root):
        raise ValueError("--dataset and --root go together: the name of the benchmark, and its folder")
    only = None
    if not dataset or not root:
        from evaluation.results import EVALUATION, read_evaluation

        record, *others = (read_evaluation(out) for out in results if out == results[0] or (out / EVALUATION).is_file())
        dataset, root = str(record["dataset"]), Path(record["root"])
        only = {name for of in (record, *others) for name in of["sequences"]}
        if not root.is_dir():
            raise ValueError(
                f"{results[0] / EVALUATION} says that the benchmark is in {root}, where no folder is: say where it is "
                f"with --dataset {dataset} --root DIR"
            )
    from evaluation.datasets import dataset_kind, native_origin, read_dataset

    return Benchmark(
        dataset, read_dataset(dataset, root, only), dataset_kind(dataset).convention, native_origin(dataset), False
    )


def _comparisons(scores: list[TrackerScore], figure: str) -> dict[str, dict[str, Any]]:
    """Paired tests of the first tracker against each of the others, by their names."""
    from evaluation.statistics import paired_test

    best = scores[0].per_sequence(figure)
    found = {}
    for other in scores[1:]:
        values = other.per_sequence(figure)
        common = [name for name in best if not isnan(best[name] - values.get(name, nan))]
        if not common:
            continue
        test = paired_test(
            [values[name] for name in common],
            [best[name] for name in common],
            SEED,
            weights=[scores[0].weights[name] for name in common],
        )
        found[other.tracker] = {
            "against": scores[0].tracker,
            "figure": figure,
            "sequences": len(common),
            "difference": test.difference,
            "interval": [test.low, test.high],
            "p": test.p,
        }
    return found


def _interval(score: TrackerScore, figure: str) -> tuple[float, float]:
    from evaluation.statistics import bootstrap_interval

    values = score.per_sequence(figure)
    weights = [score.weights[name] for name in values]
    return bootstrap_interval(list(values.values()), SEED, weights=weights)


def _table(scored: Scored, ranked: str, comparisons: dict[str, dict[str, Any]]) -> Table:
    table = Table("tracker", box=None)
    for heading in (*_HEADINGS.values(), "p", "frames/s", "sequences"):
        table.add_column(heading, justify="right", no_wrap=True)
    for of in scored.scores:
        shown = (of.figures[name] for name in _HEADINGS if name != "failures")
        cells = ["-" if isnan(value) else f"{value:.3f}" for value in shown]
        low, high = _interval(of, ranked)
        cells[list(_HEADINGS).index(ranked)] += f" [{low:.3f}, {high:.3f}]"
        p = f"{comparisons[of.tracker]['p']:.4f}" if of.tracker in comparisons else "-"
        speed = f"{scored.speeds[of.tracker]:.1f}" if of.tracker in scored.speeds else "-"
        table.add_row(Text(of.tracker), *cells, f"{of.figures['failures']:.0f}", p, speed, str(len(of.sequences)))
    return table


def _print_whole(table: Table, console: Console) -> None:
    """As wide as it is: a terminal wraps lines that are too long, but a figure that is cut off is lost."""
    width = table.__rich_measure__(console, console.options.update(max_width=1000)).maximum
    Console(highlight=False, width=max(width, console.width)).print(table)


def _write(
    file: Path,
    benchmark: Benchmark,
    convention: str,
    scored: Scored,
    ranked: str,
    comparisons: dict[str, dict[str, Any]],
) -> None:
    from evaluation.conventions import CONVENTIONS
    from evaluation.results import write_whole

    record = {
        "dataset": benchmark.title,
        "convention": convention,
        "text": CONVENTIONS[convention].text,
        "trackers": {of.tracker: _known(of.figures) for of in scored.scores},
        "intervals": {of.tracker: {ranked: _interval(of, ranked)} for of in scored.scores},
        "sequences": {of.tracker: len(of.sequences) for of in scored.scores},
        "frames_per_second": scored.speeds,
        "paired": comparisons,
        "notes": scored.notes,
        "problems": scored.problems,
    }
    write_whole(file, json.dumps(record, indent=2) + "\n")


def _known(figures: Mapping[str, float]) -> dict[str, float]:
    """JSON has no nan: a figure that is not defined is left out."""
    return {name: value for name, value in figures.items() if not isnan(value)}


def _expect_place(file: Path | None, overwrite: bool) -> None:
    if file is None:
        return
    if file.exists() and not (overwrite and file.is_file()):
        raise ValueError(f"{file} exists: name another file with --json, or replace it with --overwrite")
    if not file.parent.is_dir():
        raise ValueError(f"folder {file.parent} does not exist: name a file in one that does with --json")
