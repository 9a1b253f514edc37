"""What the figures share: a light print style, lines that the colour-blind and a grey printer tell apart, files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLUMN, PAGE = 3.5, 7.2
"""Width in inches of a figure across one column of a paper, and across both."""
DPI = 300

# Okabe and Ito, "Color Universal Design" (2008), without the yellow, which is faint on white.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#222222",
)
FIRST = VERMILION
"""Colour of the tracker that a figure is about."""
COLOURS = (BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2)))
MARKERS = ("s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")

_PRINT: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.35",
    "axes.linewidth": 0.7,
    "xtick.color": "0.2",
    "ytick.color": "0.2",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # A name is no formula, whatever is in it.
    "text.parse_math": False,
    # The same figure gives the same file.
    "svg.hashsalt": "ebtrack",
}


@contextmanager
def print_style() -> Iterator[None]:
    """Figures drawn and saved inside look as they should on white paper; other figures are left as they are."""
    with matplotlib.rc_context(_PRINT):
        yield


def line_styles(trackers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How each tracker's line is drawn, the same in all figures of a report; the first of them stands out.

    Colours and dashes go round in cycles of coprime lengths, so that 30 more trackers are drawn in 30 ways.
    """
    styles: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(trackers):
        if i == 0:
            styles[name] = {"color": FIRST, "linestyle": "-", "linewidth": 2.4, "marker": "o", "zorder": 4}
        else:
            styles[name] = {
                "color": COLOURS[(i - 1) % len(COLOURS)],
                "linestyle": DASHES[(i - 1) % len(DASHES)],
                "linewidth": 1.2,
                "marker": MARKERS[(i - 1) % len(MARKERS)],
                "zorder": 3,
            }
    return styles


def new_figure(width: float, height: float) -> Figure:
    """A figure of this size in inches that needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Saves ``name.png`` and ``name.svg`` in a folder, which is made where it is missing.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=DPI)
    # Without a date the same figure gives the same file.
    figure.savefig(folder / f"{name}.svg", dpi=DPI, metadata={"Date": None})


def legend_below(axes: Axes, columns: int, title: str | None = None, first: str | None = None) -> None:
    """A legend under the axes' label, where it hides no line; the entry that ends in ``first`` stands out."""
    legend = axes.legend(
        title=title,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.19),
        ncols=columns,
        handlelength=2.4,
        columnspacing=1.2,
        borderaxespad=0,
    )
    for text in legend.get_texts():
        if first is not None and text.get_text().endswith(first):
            text.set(color=FIRST, fontweight="bold")


def shortened(name: str, most: int = 24) -> str:
    """A name as a legend has room for it, its middle left out where it is longer."""
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most - most // 2) :]}"
