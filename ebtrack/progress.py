"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tracker.session import Step

LINE_EVERY_S = 5.0
SHOWN_TARGETS = 4


class Report:
    """Called after each frame, it shows frames per second and presence.

    Args:
        name: of the source.
        total: frames to come; None where nobody knows.
        console: where to.
    """

    def __init__(self, name: str, total: int | None, console: Console) -> None:
        self._name = name
        self._total = total
        self._console = console
        self._line_due = time.monotonic() + LINE_EVERY_S
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = self._bar.add_task(name, total=total, state="") if self._bar else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

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
        if self._bar is not None and self._task is not None:
            self._bar.start()
            total = self._total if self._total is None else max(self._total, done)
            self._bar.update(self._task, completed=done, total=total, state=state)
        elif time.monotonic() >= self._line_due:
            self._line_due = time.monotonic() + LINE_EVERY_S
            of = f" of {self._total}" if self._total else ""
            self._console.print(f"{self._name}: frame {done}{of}  {state}", markup=False)
