"""The command line. Heavy modules are imported inside the commands, so that help comes at once."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ebtrack.data import data
from ebtrack.datasets import datasets
from ebtrack.evaluate import evaluate
from ebtrack.export import export
from ebtrack.loading import loading
from ebtrack.mistakes import DAMAGED, INTERRUPTED, user_errors
from ebtrack.regression import ManyValues, regression
from ebtrack.report import report
from ebtrack.score import score
from ebtrack.serve import serve
from ebtrack.submit import submit
from ebtrack.train import train
from ebtrack.version import __version__
from ebtrack.webcam import webcam

if TYPE_CHECKING:
    from tracker.session import RunSummary
    from tracker.sources import Source

OUT = Path("ebtrack-out")
EXAMPLE = "--box x,y,w,h, for example --box 120,80,60,45"

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(train)
app.add_typer(data, name="data")
app.command(cls=ManyValues)(regression)
app.add_typer(datasets, name="datasets")
app.command(cls=ManyValues)(evaluate)
app.command()(score)
app.command()(report)
app.command()(submit)
app.command()(export)
app.command()(webcam)
app.command()(serve)
stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)

DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best at hand when left out.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the sampler: the same seed gives the same boxes.")]
WeightsOption = Annotated[str, typer.Option(metavar="NAME_OR_PATH", help="'default', or a .safetensors file.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        stdout.print(f"ebtrack {__version__}")
        raise typer.Exit


@app.callback()
def ebtrack(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Visual object tracking that answers with a probability density over boxes."""


@app.command()
def track(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A video file, an image folder, a glob in quotes, a camera's number or a stream address.",
        ),
    ],
    box: Annotated[
        list[str] | None,
        typer.Option(metavar="x,y,w,h", help="A target in the first frame, in pixels; repeat for several targets."),
    ] = None,
    init_from: Annotated[
        Path | None,
        typer.Option(
            metavar="BOXES.JSON",
            help="Targets in the first frame from a JSON file, after those of --box: lists of x, y, w, h, objects "
            "with box and label, or COCO detections (docs/embedding.md).",
        ),
    ] = None,
    select: Annotated[bool, typer.Option("--select", help="Draw boxes with the mouse, also beside --box.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; ebtrack-out/NAME OF THE SOURCE when left out.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show the frames. Space pauses, q ends.")] = False,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    device: DeviceOption = None,
    seed: SeedOption = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results of an earlier run.")] = False,
    weights: WeightsOption = "default",
) -> None:
    """Track targets through a source and write boxes, video and summary into a folder.

    Exit code: 0 complete, 2 a mistake in the call, 3 the source was damaged, 130 interrupted; in the last two cases
    everything up to there is written.
    """
    with user_errors():
        with loading():
            from ebtrack.adapters.initial_boxes import read_initial_boxes
            from ebtrack.api import load
            from ebtrack.progress import Report
            from tracker.session import track_to_folder
            from tracker.sinks import OutputFolder
            from tracker.sources import open_source

        boxes = [parse_box(text) for text in box or ()]
        if init_from:
            boxes += [start.box for start in read_initial_boxes(init_from)]
        # The tracker first: a camera's first frame would grow old while weights load.
        tracker = load(weights, device, seed)
        with open_source(source) as opened:
            folder = out or OUT / re.sub(r"[^\w.-]+", "_", opened.name)
            OutputFolder(folder, overwrite)  # says no before the user draws boxes
            if select or not boxes:
                boxes += _drawn(opened)
            report = Report(opened.name, _fewer(opened.frame_count, max_frames), stderr)
            with report:
                run = track_to_folder(
                    opened,
                    boxes,
                    folder,
                    tracker,
                    max_frames=max_frames,
                    show=show,
                    overwrite=overwrite,
                    on_frame=report,
                )
    _tell(run)


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Folder for the results; ebtrack-out/demo when left out.")] = None,
    device: DeviceOption = None,
    seed: SeedOption = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results of an earlier run.")] = False,
) -> None:
    """Track the bundled clip and compare with its exact ground truth."""
    with user_errors():
        with loading():
            from ebtrack.demo import demo as run_demo

        run_demo(out or OUT / "demo", device, seed, overwrite or out is None)


@app.command()
def info(weights: WeightsOption = "default") -> None:
    """Show the record inside the weights, and the devices at hand."""
    with user_errors():
        with loading():
            from ebtrack.info import describe

        describe(weights, stdout)


def parse_box(text: str) -> tuple[float, float, float, float]:
    """Four numbers from ``x,y,w,h``; whether they make a box the tracker says, which knows the frame.

    Raises:
        ValueError: they are not four numbers.
    """
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--box {text!r} is not four numbers: give {EXAMPLE}") from None
    return x, y, w, h


def _drawn(source: Source) -> list[tuple[float, float, float, float]]:
    from tracker.select import select_boxes

    boxes = select_boxes(source.first().image)
    if not boxes:
        raise ValueError(f"no box was drawn: draw one and press Enter, or give {EXAMPLE}")
    return boxes


def _fewer(frames: int | None, limit: int | None) -> int | None:
    return min((n for n in (frames, limit) if n is not None), default=None)


def _tell(run: RunSummary) -> None:
    """Where everything lies; leaves with the exit code where the run did not reach its end."""
    for key, path in run.files.items():
        stdout.print(f"{key:<12} {path}", markup=False)
    stdout.print(f"{run.frames} frames, {run.fps:.1f} frames/s (summed update time only)")
    for note in run.notes:
        stderr.print(f"note: {note}", markup=False)
    if run.damaged:
        stderr.print(f"error: {run.damaged}", markup=False)
        raise typer.Exit(DAMAGED)
    if run.interrupted:
        stderr.print(f"interrupted after {run.frames} frames; the results up to there are complete")
        raise typer.Exit(INTERRUPTED)


def main() -> None:
    """The console command."""
    # What stops a service (docker stop, timeout) ends a run as Ctrl-C does: with complete outputs.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    app()
