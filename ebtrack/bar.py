"""A progress bar on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Bar:
    """A bar that is shown from its first update on, and gone at the end; nothing where there is no terminal.

    Args:
        name: shown before the bar.
        total: what is to be done; None where nobody knows.
        console: where to.
    """

    def __init__(self, name: str, total: int | None, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(name, total=total, state="")
        self._total = total

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress.live.is_started:
            self._progress.stop()

    def show(self, done: int, state: str) -> bool:
        """Shows how much is done; false where there is no terminal to show it on."""
        if not self.console.is_terminal:
            return False
        self._progress.start()
        total = self._total if self._total is None else max(self._total, done)
        self._progress.update(self._task, completed=done, total=total, state=state)
        return True
