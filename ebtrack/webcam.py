"""The command ``ebtrack webcam``: live tracking in a window."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ebtrack.mistakes import DAMAGED, INTERRUPTED, user_errors

if TYPE_CHECKING:
    from tracker.live.session import LiveSummary

OUT = Path("ebtrack-out/live")


def webcam(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A camera's number, a stream address, or a video file to play in real time."
        ),
    ] = "0",
    out: Annotated[Path, typer.Option(help="Folder for recordings and snapshots; nothing in it is replaced.")] = OUT,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best at hand when left out.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampler: the same seed gives the same boxes.")] = 0,
    weights: Annotated[
        str, typer.Option(metavar="NAME_OR_PATH", help="'default', or a .safetensors file.")
    ] = "default",
) -> None:
    """Track in a live picture: draw boxes with the mouse.

    Keys: space pauses, r removes all targets, x or Backspace the one that was clicked, or the last; v records, s writes
    a snapshot, q quits.

    Exit code: 0 the user quit or the file ended, 2 a mistake in the call, 3 the source broke off or a recording failed,
    130 interrupted.
    """
    with user_errors():
        summary = _track(source, out, device, seed, weights)
    tell(summary)


def _track(source: str, out: Path, device: str | None, seed: int, weights: str) -> LiveSummary:
    import torch

    from ebtrack.api import load
    from tracker.live.screen import OpenCVScreen
    from tracker.live.session import LiveSession
    from tracker.live.source import LiveSource

    # Whether there is a window first: it is the likeliest to be missing, and weights take a while to load.
    screen = OpenCVScreen("ebtrack")
    threads = torch.get_num_threads()
    try:
        # Several threads gain little in one small batch, and stand in each other's way beside camera and encoder.
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(1)
        tracker = load(weights, device, seed)
        with LiveSource(source) as opened:
            return LiveSession(opened, tracker, screen, out).run()
    finally:
        torch.set_num_threads(threads)
        screen.close()


def tell(summary: LiveSummary) -> None:
    """What the session was and where its files lie; leaves with an exit code where something went wrong."""
    stdout = Console(highlight=False, soft_wrap=True)
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    for path in (*summary.folders, *summary.snapshots):
        stdout.print(str(path), markup=False)
    said = f"{summary.results} frames tracked, {summary.dropped} replaced by newer ones"
    if summary.latency:
        median, high = (1000 * seconds for seconds in summary.latency)
        said += f"; capture to result {median:.0f} ms in the median, below {high:.0f} ms in 95 % of the last frames"
    stdout.print(said)
    for problem in summary.problems:
        stderr.print(f"error: {problem}", markup=False)
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)
    if summary.problems:
        raise typer.Exit(DAMAGED)
