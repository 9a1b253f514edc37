"""Curves of trackers: success, precision, normalised precision, risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.metrics import Floats
from evaluation.plots import COLUMN, PAGE, legend_below, new_figure, shortened


@dataclass(frozen=True)
class Line:
    """One tracker's curve and the figure that stands for it."""

    tracker: str
    across: Floats
    up: Floats
    value: float


@dataclass(frozen=True)
class Panel:
    """The curves of all trackers in one diagram."""

    name: str
    """File name without suffix."""
    title: str
    across: str
    up: str
    figure: str
    """What the legend's numbers are."""
    lines: Sequence[Line]
    read_at: float | None = None
    """Threshold of the legend's numbers; None where they are no point of the curve."""
    lowest_first: bool = False


def draw_panel(axes: Axes, panel: Panel, styles: Mapping[str, Mapping[str, Any]], columns: int = 2) -> None:
    """Draws the curves; the legend, below, has their figures and begins with the best.

    Args:
        axes: to draw in.
        panel: at least one line.
        styles: of `evaluation.plots.line_styles`; the first is the tracker that stands out.
        columns: of the legend.
    """
    first = shortened(next(iter(styles)))
    if panel.read_at is not None:
        axes.axvline(panel.read_at, color="0.55", linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    sign = 1 if panel.lowest_first else -1
    for line in sorted(panel.lines, key=lambda line: (sign * line.value, line.tracker)):
        style = {key: value for key, value in styles[line.tracker].items() if key != "marker"}
        axes.plot(line.across, line.up, label=f"{line.value:.3f}  {shortened(line.tracker)}", **style)
        top = 1.0 if not panel.lowest_first else max(np.nanmax(line.up) for line in panel.lines) * 1.05 or 1.0
    axes.set(
        title=panel.title,
        xlabel=panel.across,
        ylabel=panel.up,
        xlim=(0, max(line.across[-1] for line in panel.lines)),
        ylim=(0, top),
    )
    legend_below(axes, columns, panel.figure, f"  {first}")


def curve_figure(panel: Panel, styles: Mapping[str, Mapping[str, Any]]) -> Figure:
    """One diagram, as wide as a column of a paper."""
    figure = new_figure(COLUMN, 2.7 + _legend_height(len(panel.lines), 2))
    draw_panel(figure.subplots(), panel, styles)
    return figure


def curves_figure(panels: Sequence[Panel], styles: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Diagrams side by side, as wide as the page; three have room for one column of legend each."""
    columns = 1 if len(panels) > 2 else 2
    most = max(len(panel.lines) for panel in panels)
    figure = new_figure(PAGE, 2.5 + _legend_height(most, columns))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw_panel(axes, panel, styles, columns)
    return figure


def _legend_height(entries: int, columns: int) -> float:
    return 0.2 + 0.155 * -(-entries // columns)
