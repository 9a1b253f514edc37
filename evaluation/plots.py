"""What the figures of the benchmarks share: colours, a canvas without a display, and a place that is not taken."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

OURS, TRUTH, PRESENCE = "#f0480a", "#14d2f5", "#6a3fb5"
"""Colours of our tracker, of the ground truth and of P(present)."""
WIDTH = 1800
"""Of a saved figure in pixels: a page that shows it at half of that is sharp on fine screens as well."""


def check_place(path: Path, overwrite: bool) -> None:
    """Makes sure, before any work, that a figure can be saved.

    Raises:
        ValueError: the name does not end in ``.png``, or it is taken and may not be overwritten.
    """
    if path.suffix.lower() != ".png":
        raise ValueError(f"the figure is a PNG, but {path} does not end in .png")
    if path.is_dir() or (path.exists() and not overwrite):
        raise ValueError(f"{path} exists: name another file with --out, or replace it with --overwrite")


def new_figure(width: float, height: float) -> Figure:
    """A figure of this size in inches that needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Saves a figure, the folder with it.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=WIDTH / figure.get_figwidth(), format="png")
