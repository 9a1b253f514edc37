"""How true a tracker's probabilities are: reliability of presence, coverage and sharpness of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.calibration import FOLLOWED, LOST, Calibration
from evaluation.metrics import Floats, Reliability
from evaluation.plots import BLACK, BLUE, GREEN, ORANGE, PAGE, PURPLE, SKY, VERMILION, new_figure

COORDINATES = {"cx": (BLUE, "o"), "cy": (SKY, "s"), "w": (VERMILION, "^"), "h": (ORANGE, "v")}
"""Colour and marker of each coordinate's coverage."""
HAPPENED = {
    "followed": (f"followed: IoU ≥ {FOLLOWED}", GREEN),
    "partly": (f"partly: IoU {LOST} to {FOLLOWED}", SKY),
    "lost": (f"lost: IoU < {LOST}", ORANGE),
    "absent": ("target absent", PURPLE),
}
"""Label and colour of each kind of frame."""
BINS: Floats = np.linspace(0, 1, 21)
"""Edges of the histograms of presence."""


def calibration_figure(calibration: Calibration, levels: Sequence[float], title: str) -> Figure:
    """Reliability and histograms of presence; with intervals a second row: their coverage and their sharpness.

    Args:
        calibration: with a frame at least.
        levels: of the intervals; none leaves the second row out.
        title: over the figure.
    """
    figure = new_figure(PAGE, 6.2 if levels else 3.2)
    figure.suptitle(title, fontsize=9.5, fontweight="bold")
    layout: Any = figure.get_layout_engine()
    layout.set(hspace=0.08, wspace=0.06)
    grid = figure.add_gridspec(2 if levels else 1, 2)
    draw_reliability(figure.add_subplot(grid[0, 0]), calibration)
    rows = grid[0, 1].subgridspec(len(HAPPENED), 1, hspace=0.12).subplots(sharex=True, squeeze=False)
    draw_presence(list(rows[:, 0]), calibration)
    if levels:
        draw_coverage(figure.add_subplot(grid[1, 0]), calibration, levels)
        draw_sharpness(figure.add_subplot(grid[1, 1]), calibration, levels)
    return figure


def draw_reliability(axes: Axes, calibration: Calibration) -> None:
    """Observed against predicted presence; the area of a dot is its share of the frames."""
    shown = (
        ("all frames alike", calibration.reliability, "0.35", "s"),
        ("present and absent alike", calibration.balanced, BLUE, "o"),
    )
    _dress(axes, "Presence: reliability", "mean P(present)", "share of frames with the target", 0)
    for name, table, colour, marker in shown:
        if table:
            _draw_bins(axes, table, colour, marker)
            label = f"{name}: ECE {table.expected_calibration_error:.3f}"
            axes.scatter([], [], 36, colour, marker=marker, alpha=0.8, linewidth=0, label=label)
    axes.legend(title="area: share of frames", loc="upper left", handletextpad=0.2, borderaxespad=0.2)
    axes.set_ylim(-0.02, 1.32)
    axes.set_yticks(np.arange(0, 1.01, 0.2))


def _draw_bins(axes: Axes, table: Reliability, colour: str, marker: str) -> None:
    # A bin of few frames keeps a dot that can be seen; an empty one is nan and has none.
    area = np.maximum(400 * table.weight, 10)
    axes.vlines(table.predicted, table.predicted, table.observed, colour, linewidth=0.8, alpha=0.5)
    axes.scatter(table.predicted, table.observed, area, colour, marker=marker, alpha=0.8, linewidth=0, clip_on=False)


def draw_presence(rows: Sequence[Axes], calibration: Calibration) -> None:
    """Histograms of presence by what happened in the frame, on one axes each, from the top."""
    for axes, (kind, (label, colour)) in zip(rows, HAPPENED.items(), strict=True):
        presence = calibration.presence[kind]
        counts = np.histogram(presence, BINS)[0]
        axes.stairs(counts / max(1, counts.sum()), BINS, fill=True, color=colour)
        text = f"{label} ({len(presence):,} frames)"
        axes.text(0.5, 0.92, text, transform=axes.transAxes, ha="center", va="top", fontsize=7.5)
        axes.set(xlim=(0, 1), ylim=(0, 1), yticks=(0, 1))
    rows[0].set_title("P(present) by what happened")
    rows[len(rows) // 2].set_ylabel("share of frames", y=1.0)
    rows[-1].set_xlabel("P(present)")


def draw_coverage(axes: Axes, calibration: Calibration, levels: Sequence[float]) -> None:
    """How often intervals hold the truth against how often they say so, by coordinate."""
    order = np.argsort(levels)
    nominal = np.array(levels)[order]
    over, annotated = calibration.overlapping, calibration.annotated
    lowest = min(np.nanmin(values, initial=nominal[0]) for values in (over.coverage, annotated.overall))
    _dress(axes, "Intervals: coverage", "level", "share that holds the truth", np.floor(10 * lowest) / 10)
    for (name, (colour, marker)), observed in zip(COORDINATES.items(), over.coverage[order].T, strict=True):
        axes.plot(
            nominal, observed, marker + "-", color=colour, markersize=3.5, linewidth=1.1, label=f"{name}, IoU > 0"
        )
    axes.plot(nominal, over.overall[order], "-", color=BLACK, linewidth=2, label="all, IoU > 0")
    axes.plot(nominal, annotated.overall[order], "--", color=BLACK, linewidth=1.3, label="all, annotated frames")
    axes.legend(loc="best")


def draw_sharpness(axes: Axes, calibration: Calibration, levels: Sequence[float]) -> None:
    """Median width of the intervals over the box's sides, by level."""
    order = np.argsort(levels)
    nominal = np.array(levels)[order]
    for label, intervals, line in (
        ("frames of IoU > 0", calibration.overlapping, "o-"),
        ("annotated frames", calibration.annotated, "s--"),
    ):
        axes.plot(nominal, intervals.sharpness[order], line, color=BLACK, markersize=3.5, linewidth=1.3, label=label)
    axes.set(title="Intervals: sharpness", xlabel="level", ylabel="median width / side of the box")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")


def _dress(axes: Axes, title: str, across: str, up: str, low: float) -> None:
    """Both axes from ``low`` to 1, the diagonal of perfect calibration, and labels."""
    axes.plot((low, 1), (low, 1), color="0.6", linewidth=1, zorder=1)
    axes.set(xlim=(low, 1), ylim=(low, 1), title=title, xlabel=across, ylabel=up)
