"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time

from rich.console import Console

from ebtrack.bar import Bar
from tracker.session import Step

LINE_EVERY_S = 5.0
SHOWN_TARGETS = 4


class Report(Bar):
    """Called after each frame, it shows frames per second and presence.

    Args:
        name: of the source.
        total: frames to come; None where nobody knows.
        console: where to.
    """

    def __init__(self, name: str, total: int | None, console: Console) -> None:
        super().__init__(name, total, console)
        self._name, self._of = name, f" of {total}" if total else ""
        self._line_due = time.monotonic() + LINE_EVERY_S

    def __call__(self, step: Step) -> None:
        """Shows a frame."""
        presence = [track.presence for track in step.tracks]
        shown = (
            " ".join(f"{value:.2f}" for value in presence)
            if len(presence) <= SHOWN_TARGETS
            else f"{min(presence):.2f} at least"
        )
        state = f"{step.fps:.1f} frames/s  presence {shown}"
        done = step.frame.index + 1
        if not self.show(done, state) and time.monotonic() >= self._line_due:
            self._line_due = time.monotonic() + LINE_EVERY_S
            self.console.print(f"{self._name}: frame {done}{self._of}  {state}", markup=False)
