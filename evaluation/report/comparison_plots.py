"""Figures by attribute on a radar, differences between trackers with their intervals, and accuracy against speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from evaluation.plots import COLUMN, FIRST, PAGE, legend_below, new_figure, shortened

Styles = Mapping[str, Mapping[str, Any]]


def radar_figure(labels: Sequence[str], values: Mapping[str, Sequence[float]], styles: Styles, figure: str) -> Figure:
    """Each tracker's figure by attribute on spokes from 0; the legend stands beside.

    Args:
        labels: at least 3 attributes.
        values: by tracker, one for each attribute, nan where there is none; the legend keeps their order.
        styles: of `evaluation.plots.line_styles`.
        figure: what the values are.
    """
    drawn = new_figure(PAGE, 4.6)
    grid = drawn.add_gridspec(1, 2, width_ratios=(3, 1))
    axes = drawn.add_subplot(grid[0], projection="polar")
    draw_radar(axes, labels, values, styles)
    beside = drawn.add_subplot(grid[1])
    beside.axis("off")
    handles, names = axes.get_legend_handles_labels()
    legend = beside.legend(handles, names, title=figure, loc="center left", handlelength=2.6, labelspacing=0.7)
    for text in legend.get_texts():
        if text.get_text() == shortened(next(iter(styles))):
            text.set(color=FIRST, fontweight="bold")
    return drawn


def draw_radar(axes: Axes, labels: Sequence[str], values: Mapping[str, Sequence[float]], styles: Styles) -> None:
    """Draws the radar on polar axes, from the top in clockwise order; arguments as `radar_figure` has them."""
    polar: Any = axes
    angles = 2 * np.pi * np.arange(len(labels)) / len(labels)
    polar.set_theta_offset(np.pi / 2)
    polar.set_theta_direction(-1)
    for tracker, of in values.items():
        style = {**styles[tracker], "markersize": 3.5}
        polar.plot([*angles, angles[0]], [*of, of[0]], label=shortened(tracker), **style)
    top = np.ceil(10 * max(np.nanmax(of) for of in values.values()) + 1e-9) / 10
    ticks = np.arange(0.2, top + 1e-9, 0.2) if top > 0.4 else np.arange(0.1, top + 1e-9, 0.1)
    polar.set_ylim(0, top)
    polar.set_yticks(ticks, [f"{tick:.1f}" for tick in ticks], color="0.4", fontsize=6.5)
    # Between two spokes, so that the numbers stand on no label's spoke.
    polar.set_rlabel_position(180 / len(labels))
    polar.spines["polar"].set_visible(False)
    polar.set_xticks(angles, [])
    for angle, label in zip(angles, labels, strict=True):
        across, up = np.sin(angle), np.cos(angle)
        side = "center" if abs(across) < 0.05 else "left" if across > 0 else "right"
        height = "bottom" if up > 0.95 else "top" if up < -0.95 else "center"
        polar.text(angle, 1.05 * top, fill(label, 15), ha=side, va=height, fontsize=7, linespacing=0.95)


def difference_figure(
    names: Sequence[str], values: Sequence[tuple[float, float, float]], marks: Sequence[str], title: str, label: str
) -> Figure:
    """Differences to other trackers with their intervals, a row each from the top.

    Args:
        names: of the other trackers.
        values: difference, lower and upper end of its interval.
        marks: what is written beside each row, such as a p-value.
        title: over the figure.
        label: of the axis.
    """
    figure = new_figure(COLUMN + 0.7, 0.95 + 0.24 * len(names))
    axes = figure.subplots()
    rows = np.arange(len(names))
    middle, low, high = np.array(values).T
    axes.axvline(0, color="0.4", linewidth=0.9, zorder=1)
    axes.hlines(rows, low, high, FIRST, linewidth=1.6)
    axes.plot(middle, rows, "o", color=FIRST, markersize=4.5, markeredgecolor="white", markeredgewidth=0.6)
    axes.set(title=title, xlabel=label, ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(rows, [shortened(name) for name in names], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    beyond = axes.secondary_yaxis("right")
    beyond.set_yticks(rows, marks, fontsize=7.5)
    beyond.tick_params(length=0)
    beyond.spines["right"].set_visible(False)
    return figure


def speed_figure(speeds: Mapping[str, float], values: Mapping[str, float], styles: Styles, figure: str) -> Figure:
    """Accuracy against frames a second on a logarithmic axis, a mark a tracker.

    Args:
        speeds: frames a second by tracker; above zero.
        values: the trackers' figure.
        styles: of `evaluation.plots.line_styles`.
        figure: what the values are.
    """
    drawn = new_figure(COLUMN, 2.9 + 0.155 * -(-len(speeds) // 2))
    axes = drawn.subplots()
    for tracker in sorted(speeds, key=lambda name: -speeds[name]):
        speed = speeds[tracker]
        label = f"{speed:,.0f}  {shortened(tracker)}" if speed >= 10 else f"{speed:.1f}  {shortened(tracker)}"
        style = {key: styles[tracker][key] for key in ("color", "marker", "zorder")} | {"mec": "white", "mew": 0.5}
        axes.plot(speed, values[tracker], linestyle="none", markersize=7, label=label, **style)
    low, high = min(speeds.values()), max(speeds.values())
    axes.set(xscale="log", xlim=(low / 1.6, high * 1.6), ylim=(0, max(0.1, 1.12 * max(values.values()))))
    axes.xaxis.set_major_locator(LogLocator(10, (1, 2, 5) if high < 30 * low else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set(title="Accuracy and speed", xlabel="frames a second", ylabel=figure)
    legend_below(axes, 2, first=f"  {shortened(next(iter(styles)))}")
    return drawn
