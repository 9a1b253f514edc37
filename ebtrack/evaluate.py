"""The command ``ebtrack evaluate``: trackers over a benchmark, into a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ebtrack.bar import Bar

if TYPE_CHECKING:
    from evaluation.runner.plan import TrackerPlan
    from evaluation.runner.run import Engine, Outcome
    from evaluation.runner.work import Report
    from tracker.config import TrackerConfig

USER_ERROR, SOME_FAILED, INTERRUPTED = 2, 3, 130
LOCKSTEP = 16
"""Sequences in lock step on an accelerator; on the CPU one at a time wastes least at the end."""


class EngineName(StrEnum):
    """What runs the processes."""

    local = "local"
    ray = "ray"


def evaluate(
    dataset: Annotated[str, typer.Option(metavar="NAME", help="A benchmark, as `ebtrack datasets` lists them.")],
    root: Annotated[Path, typer.Option(help="The benchmark's folder.")],
    out: Annotated[Path, typer.Option(help="Folder of results; what is done there already is left out.")],
    tracker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRACKER",
            help="'default', a weights file, opencv:KCF, CSRT, MIL, Nano or Vit, or python:MODULE:CLASS with "
            "init(frame, box) and update(frame); one or several.",
        ),
    ] = None,
    sequences: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these sequences.")] = None,
    workers: Annotated[
        int,
        typer.Option(min=1, help="Processes that track on the CPU; on a GPU, that decode frames for it."),
    ] = 1,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help=f"Sequences that a process tracks in lock step; CPU: 1, GPU: {LOCKSTEP}."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, or several as cuda:0,cuda:1; the best at hand when left out.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option(help="local, or ray: the workers run on a Ray cluster, see docs/evaluation.md.")
    ] = EngineName.local,
    repeats: Annotated[int, typer.Option(min=1, help="Runs with seeds that follow one another.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampler, or of the first run.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override an entry of TrackerConfig.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the tracker's folder, where one tracker is run.")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model files of opencv:Nano and Vit.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Run again what other weights, settings or code have made.")
    ] = False,
) -> None:
    """Run trackers over a benchmark: boxes, presence, times and what made them, in OUT/TRACKER.

    The same command completes what was cut off, with the same results as if it had not been. Each tracker runs as one
    pass from the first frame's box.

    Exit code: 0 all done, 2 a mistake in the call, 3 some sequences failed, 130 interrupted.
    """
    console, stderr = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        outcomes = _run(
            dataset, root, out, sequences, overwrite, console, _engine(engine, device, workers),
            _plans(tracker or ["default"], name, seed, repeats, set_ or [], batch, _devices(device)[0], model),
        )  # fmt: skip
    except KeyboardInterrupt:
        stderr.print("interrupted: what was done is kept, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        from networks.weights import WeightsError

        if isinstance(error, ValueError | WeightsError | OSError):
            stderr.print("error: " + " ".join(str(error).split()), markup=False)
            raise typer.Exit(USER_ERROR) from None
        raise
    _tell(outcomes, out, console, stderr)
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(SOME_FAILED)


def _run(
    dataset: str,
    root: Path,
    out: Path,
    names: list[str] | None,
    overwrite: bool,
    console: Console,
    engine: Engine,
    plans: list[TrackerPlan],
) -> list[Outcome]:
    from evaluation.datasets import read_dataset
    from evaluation.results import write_evaluation
    from evaluation.runner import evaluate
    from evaluation.runner.work import Progress

    found = read_dataset(dataset, root, names)
    write_evaluation(out, dataset, root, [sequence.name for sequence in found])
    frames = sum(len(sequence.groundtruth) for sequence in found)
    handed = 0

    with Bar(dataset, len(plans) * frames, console) as bar:

        def show(plan: TrackerPlan, report: Report) -> None:
            nonlocal handed
            if isinstance(report, Progress):
                handed += 1
                bar.show(handed, f"{plan.name}: {report.name}")

        return evaluate(found, out, plans, engine, overwrite, show)


def _devices(text: str | None) -> list[str]:
    from ebtrack.api import resolve_device

    devices = [str(resolve_device(part.strip() or None)) for part in (text or "").split(",")]
    if len(set(devices)) < len(devices):
        raise ValueError(f"--device {text} names a device twice; --workers gives the CPU more processes")
    return devices


def _engine(engine: EngineName, device: str | None, workers: int) -> Engine:
    if engine is EngineName.ray:
        from evaluation.runner.on_ray import ray_engine

        return ray_engine(_devices(device), workers)
    from evaluation.runner.run import local_engine

    return local_engine(_devices(device), workers)


def _plans(
    trackers: Sequence[str],
    name: str | None,
    seed: int,
    repeats: int,
    overrides: Sequence[str],
    batch: int | None,
    device: str,
    models: Path | None,
) -> list[TrackerPlan]:
    from evaluation.contestants import is_contestant
    from evaluation.results import POSTERIOR, RECORDS, TIMES
    from evaluation.runner.plan import TrackerPlan, tracker_name

    if name is not None and len(trackers) > 1:
        raise ValueError("--name names the folder of one tracker, but there are several: leave it out")
    unusable = ("", POSTERIOR, TIMES, RECORDS)
    if name is not None and (name in unusable or Path(name).name != name or name.startswith(".")):
        raise ValueError(f"--name {name!r} is no name of a tracker's folder")
    if overrides and all(map(is_contestant, trackers)):
        raise ValueError("--set overrides the configuration of ebtrack's own tracker, which is not among --tracker")
    config = _config(overrides)
    size = batch or (1 if device == "cpu" else LOCKSTEP)
    plans = []
    for tracker in trackers:
        base = name or tracker_name(tracker)
        for k in range(seed, seed + repeats):
            folder = f"{base}_seed{k}" if repeats > 1 else base
            plans.append(TrackerPlan(tracker, folder, k, config, size, device, models))
    folders = [plan.name for plan in plans]
    if twice := next((folder for folder in folders if folders.count(folder) > 1), None):
        raise ValueError(f"two trackers would have the folder {twice}: run them one by one, with --name")
    return plans


def _config(overrides: Sequence[str]) -> TrackerConfig:
    import yaml
    from pydantic import ValidationError

    from tracker.config import TrackerConfig

    values: dict[str, Any] = {}
    for entry in overrides:
        key, equals, value = entry.partition("=")
        if not equals:
            raise ValueError(f"--set {entry!r} is not NAME=VALUE, for example --set samples=256")
        try:
            values[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ValueError(f"--set {key.strip()}: {value!r} cannot be read as a value") from error
    try:
        return TrackerConfig(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"--set {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _tell(outcomes: Sequence[Outcome], out: Path, console: Console, stderr: Console) -> None:
    table = Table("tracker", box=None)
    for column in ("done now", "done before", "failed", "frames/s"):
        table.add_column(column, justify="right")
    for outcome in outcomes:
        for file, place in outcome.moved.items():
            stderr.print(f"note: {file} was not what its record tells of; run again, it lies in {place}", markup=False)
        for failed in outcome.failed:
            stderr.print(
                f"failed: {outcome.plan.name}, {failed.name}, frame {failed.frame}: {failed.reason}", markup=False
            )
        speed = f"{outcome.frames / outcome.seconds:.1f}" if outcome.seconds else "-"
        table.add_row(outcome.plan.name, str(outcome.done), str(outcome.before), str(len(outcome.failed)), speed)
    console.print(table)
    console.print(
        f"results in {out}; frames/s: frames after the first over the tracker's own time of each process, reading "
        "excluded",
        markup=False,
    )
