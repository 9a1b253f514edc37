"""How far a training run is: a bar on a terminal, a line a logged step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SHOWN = ("loss", "iou", "presence", "pairs_per_second", "waiting")


class TrainReport:
    """Called with the figures of a logged step, it shows them; those of a validation stay on the screen.

    Args:
        total: steps of the run.
        console: where to.
    """

    def __init__(self, total: int, console: Console) -> None:
        self._console = console
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = self._bar.add_task("training", total=total, state="") if self._bar else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, figures: dict[str, float]) -> None:
        """Shows the figures of a logged step."""
        state = _said({name: figures[name] for name in SHOWN})
        validation = _said({name: v for name, v in figures.items() if name.startswith(("val_", "track_"))})
        if self._bar is not None and self._task is not None:
            self._bar.start()
            self._bar.update(self._task, completed=figures["step"], state=state)
        if validation or self._bar is None:
            self._console.print(f"step {figures['step']:.0f}  {state}  {validation}".rstrip(), soft_wrap=True)


def _said(figures: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in figures.items())
