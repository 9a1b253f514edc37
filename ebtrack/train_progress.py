"""How far a training run is: a bar on a terminal, a line a logged step elsewhere."""

from __future__ import annotations

from rich.console import Console

from ebtrack.bar import Bar

SHOWN = ("loss", "iou", "presence", "pairs_per_second", "waiting")


class TrainReport(Bar):
    """Called with the figures of a logged step, it shows them; those of a validation stay on the screen.

    Args:
        total: steps of the run.
        console: where to.
    """

    def __init__(self, total: int, console: Console) -> None:
        super().__init__("training", total, console)

    def __call__(self, figures: dict[str, float]) -> None:
        """Shows the figures of a logged step."""
        state = _said({name: figures[name] for name in SHOWN})
        validation = _said({name: v for name, v in figures.items() if name.startswith(("val_", "track_"))})
        on_terminal = self.show(int(figures["step"]), state)
        if validation or not on_terminal:
            line = f"step {figures['step']:.0f}  {state}  {validation}"
            self.console.print(line.rstrip(), soft_wrap=True, markup=False)


def _said(figures: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in figures.items())
