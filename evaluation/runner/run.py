"""One evaluation from start to end: what is missing is run, and written as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from evaluation.lockstep import AnnotatedSequence
from evaluation.results import ResultsError, write_result
from evaluation.runner.local import places, run_locally
from evaluation.runner.plan import TrackerPlan, sequence_record
from evaluation.runner.resume import Pending, alone_in, pending
from evaluation.runner.work import Failed, Progress, Report, Reporter

Engine = Callable[[TrackerPlan, Sequence[AnnotatedSequence], Reporter], None]
"""Runs one tracker over sequences and reports in the process that called it."""


@dataclass
class Outcome:
    """How one tracker fared."""

    plan: TrackerPlan
    before: int
    """Sequences that were done before."""
    moved: dict[Path, Path]
    """Box files that did not fit their records, and where they lie now."""
    done: int = 0
    """Sequences done now."""
    frames: int = 0
    """Of those, the first ones left out."""
    seconds: float = 0.0
    """Summed over these frames, as the tracker's clock has it."""
    failed: list[Failed] = field(default_factory=list)


def local_engine(devices: Sequence[str], workers: int) -> Engine:
    """Processes on this machine, see `places`."""

    def run(plan: TrackerPlan, sequences: Sequence[AnnotatedSequence], report: Reporter) -> None:
        run_locally(plan, places(["cpu"] if plan.contestant else devices, workers), sequences, report)

    return run


def evaluate(
    sequences: Sequence[AnnotatedSequence],
    out: Path,
    plans: Sequence[TrackerPlan],
    engine: Engine,
    overwrite: bool = False,
    on_report: Callable[[TrackerPlan, Report], None] | None = None,
) -> list[Outcome]:
    """Runs trackers over sequences into ``out/<tracker>/``, leaving out what is there already (see `pending`).

    Args:
        sequences: of the benchmark.
        out: the folder of results.
        plans: of folders' names that differ.
        engine: where they run.
        overwrite: run again what something else has made.
        on_report: called after each report is dealt with.

    Returns:
        One for each plan.

    Raises:
        ResultsError: a folder has results that something else made, or is being written to; nothing was run.
        WorkerError: the engine cannot run here.
        OSError: a result cannot be written.
    """
    made_by = [plan.made_by() for plan in plans]
    with ExitStack() as stack:
        for plan in plans:
            stack.enter_context(alone_in(out / plan.name))
        found = [pending(out / p.name, sequences, made, overwrite) for p, made in zip(plans, made_by, strict=True)]
        outcomes = []
        for plan, made, left in zip(plans, made_by, found, strict=True):
            outcome = Outcome(plan, left.done, left.moved)
            outcomes.append(outcome)
            records = {s.name: {**made, "sequence": sequence_record(s)} for s in left.sequences}
            engine(plan, _longest_first(left), partial(_take, outcome, out / plan.name, records, on_report))
    return outcomes


def _longest_first(left: Pending) -> list[AnnotatedSequence]:
    """So that no process is left with a long one when the others have nothing more to do."""
    return sorted(left.sequences, key=lambda sequence: -len(sequence.groundtruth))


def _take(
    outcome: Outcome,
    folder: Path,
    records: dict[str, dict[str, object]],
    on_report: Callable[[TrackerPlan, Report], None] | None,
    report: Report,
) -> None:
    if isinstance(report, Failed):
        outcome.failed.append(report)
    elif not isinstance(report, Progress):
        try:
            write_result(folder, report, records[report.name])
        except ResultsError as error:
            report = Failed(report.name, 0, str(error))
            outcome.failed.append(report)
        else:
            outcome.done += 1
            outcome.frames += len(report.boxes) - 1
            outcome.seconds += 0.0 if report.seconds is None else float(report.seconds[1:].sum())
    if on_report:
        on_report(outcome.plan, report)
