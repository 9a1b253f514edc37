"""Says how true presence and intervals of kept results are: tables, a figure, and the numbers in a file.

python benchmarks/sequences.py ../shared/sequences --out results/sequences
python benchmarks/calibration.py ../shared/sequences results/sequences --out calibration.png [--json calibration.json]

All is pooled over the frames of all sequences, first frames left out. Presence is judged against the target's being
there, and as the score of an IoU of at least 0.5, where frames without the target are negative. Its expected
calibration error (ECE) is over ten bins, plain and with the frames with and without the target weighing the same. The
intervals of cx, cy, w and h should hold the truth as often as their level says; sharpness is their median width over
the box's sides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from rich.console import Console
from rich.table import Table

from evaluation.calibration import FOLLOWED, LOST, Calibration, Intervals, calibrate
from evaluation.metrics import Reliability
from evaluation.plots import PRESENCE, check_place, new_figure, save_figure
from evaluation.results import read_results
from evaluation.sequences import read_sequences

COORDINATES = {"cx": "#0b5394", "cy": "#5aa7dd", "w": "#a8530b", "h": "#eba33f"}
"""Colours of the centre's and of the size's coverage."""
HAPPENED = {
    "followed": (f"followed: IoU ≥ {FOLLOWED}", "#2f7d4f"),
    "partly": (f"partly: IoU {LOST} to {FOLLOWED}", "#a3b53c"),
    "lost": (f"lost: IoU < {LOST}", "#d9822b"),
    "absent": ("absent", "#b3365c"),
}
"""Label and colour of each kind of frame."""
BINS = np.linspace(0, 1, 21)
"""Edges of the histograms of presence."""


def figure_of(value: float) -> str:
    """As a table shows it."""
    return "-" if np.isnan(value) else f"{value:.3f}"


def error_of(reliability: Reliability | None) -> float:
    """ECE; nan where it is not defined."""
    return reliability.expected_calibration_error if reliability else float("nan")


def presence_table(calibration: Calibration) -> Table:
    """AUROC, ECE and the numbers of frames."""
    table = Table("figure", "value", title="Presence")
    table.columns[1].justify = "right"
    table.add_row("AUROC, absent against present", figure_of(calibration.auroc_present))
    table.add_row(f"AUROC of IoU ≥ {FOLLOWED} (absent frames are negative)", figure_of(calibration.auroc_followed))
    table.add_row("ECE, plain", figure_of(error_of(calibration.reliability)))
    table.add_row("ECE, present and absent frames weighing the same", figure_of(error_of(calibration.balanced)))
    table.add_row("present frames", f"{calibration.annotated.frames:,}")
    table.add_row("absent frames", f"{len(calibration.presence['absent']):,}")
    return table


def interval_table(intervals: Intervals, levels: Sequence[float], frames: str) -> Table:
    """Coverage and sharpness, a row a level from the lowest."""
    title = f"Intervals that hold the truth, {intervals.frames:,} {frames}"
    table = Table("level", *COORDINATES, "all", "sharpness", title=title)
    for column in table.columns:
        column.justify = "right"
    for i in np.argsort(levels):
        figures = (*intervals.coverage[i], intervals.overall[i], intervals.sharpness[i])
        table.add_row(f"{levels[i]:g}", *map(figure_of, figures))
    return table


def draw(calibration: Calibration, levels: Sequence[float], path: Path, title: str) -> None:
    """Saves the figure: reliability and histograms of presence, coverage of the intervals."""
    figure = new_figure(12, 4.4)
    figure.suptitle(title, fontsize=11)
    grid = figure.add_gridspec(1, 3)
    _draw_reliability(calibration, figure.add_subplot(grid[0]))
    rows = grid[1].subgridspec(len(HAPPENED), 1).subplots(sharex=True, squeeze=False)
    _draw_presence(calibration, list(rows[:, 0]))
    _draw_coverage(calibration, levels, figure.add_subplot(grid[2]))
    save_figure(figure, path)


def _draw_reliability(calibration: Calibration, axes: Axes) -> None:
    shown = (("all frames alike", calibration.reliability, "0.45"), ("balanced", calibration.balanced, PRESENCE))
    for name, table, colour in shown:
        if table:
            # A bin of few frames keeps a dot that can be seen; an empty one is nan and has none.
            area = np.maximum(600 * table.weight, 14)
            axes.vlines(table.predicted, table.predicted, table.observed, colour, linewidth=1, alpha=0.5)
            axes.scatter(table.predicted, table.observed, area, colour, alpha=0.75, linewidth=0, clip_on=False)
            axes.scatter([], [], 40, colour, alpha=0.75, linewidth=0, label=f"{name}: ECE {error_of(table):.3f}")
    axes.legend(title="area of dots: share of frames", loc="best", fontsize=8.5, title_fontsize=8.5)
    _dress(axes, "Presence: reliability", "mean P(present)", "share of frames with the target", 0)


def _draw_presence(calibration: Calibration, rows: Sequence[Axes]) -> None:
    for axes, (kind, (label, colour)) in zip(rows, HAPPENED.items(), strict=True):
        presence = calibration.presence[kind]
        axes.stairs(_shares(presence), BINS, fill=True, color=colour)
        text = f"{label} ({len(presence):,} frames)"
        axes.text(0.5, 0.88, text, transform=axes.transAxes, ha="center", va="top", fontsize=9)
        axes.set(xlim=(0, 1), ylim=(0, 1), yticks=(0, 0.5, 1))
        axes.set_ylabel("share", fontsize=9)
        axes.tick_params(labelsize=8.5)
        axes.grid(alpha=0.25)
    rows[0].set_title("Presence by what happened", fontsize=10, fontweight="bold")
    rows[-1].set_xlabel("P(present)", fontsize=9)


def _draw_coverage(calibration: Calibration, levels: Sequence[float], axes: Axes) -> None:
    order = np.argsort(levels)
    nominal = np.array(levels)[order]
    over, annotated = calibration.overlapping, calibration.annotated
    for (name, colour), observed in zip(COORDINATES.items(), over.coverage[order].T, strict=True):
        axes.plot(nominal, observed, "o-", color=colour, markersize=4, linewidth=1.5, label=f"{name}, IoU > 0")
    axes.plot(nominal, over.overall[order], "-", color="black", linewidth=2.2, label="all, IoU > 0")
    axes.plot(nominal, annotated.overall[order], "--", color="black", linewidth=1.5, label="all, every annotated frame")
    axes.legend(loc="best", fontsize=8.5)
    lowest = min(np.nanmin(values, initial=nominal[0]) for values in (over.coverage, annotated.overall))
    _dress(axes, "Intervals: coverage", "level", "share of intervals that hold the truth", np.floor(10 * lowest) / 10)


def _dress(axes: Axes, title: str, across: str, up: str, low: float) -> None:
    """Both axes from ``low`` to 1, the diagonal of perfect calibration, and labels."""
    axes.plot((low, 1), (low, 1), color="0.6", linewidth=1, zorder=0)
    axes.set(xlim=(low, 1), ylim=(low, 1))
    axes.set_title(title, fontsize=10, fontweight="bold")
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)
    axes.tick_params(labelsize=8.5)
    axes.grid(alpha=0.25)


def _shares(presence: ArrayLike) -> Any:
    """``[20]`` share of the frames in each bin, 0 where there is no frame."""
    counts = np.histogram(presence, BINS)[0]
    return counts / max(1, counts.sum())


def record(calibration: Calibration, levels: Sequence[float]) -> dict[str, Any]:
    """All the numbers, null where one is not defined; lists over levels go from the lowest."""
    order = np.argsort(levels)

    def table(reliability: Reliability | None) -> dict[str, Any] | None:
        if reliability is None:
            return None
        bins = {name: _plain(values) for name, values in reliability._asdict().items()}
        return {"ece": reliability.expected_calibration_error, **bins}

    def intervals(of: Intervals) -> dict[str, Any]:
        coverage = dict(zip((*COORDINATES, "all"), _plain([*of.coverage[order].T, of.overall[order]]), strict=True))
        return {"frames": of.frames, "coverage": coverage, "sharpness": _plain(of.sharpness[order])}

    shown = calibration.presence
    return {
        "presence": {
            "frames": {"present": calibration.annotated.frames, **{kind: len(p) for kind, p in shown.items()}},
            "auroc_present": _plain(calibration.auroc_present),
            "auroc_followed": _plain(calibration.auroc_followed),
            "reliability": table(calibration.reliability),
            "reliability_balanced": table(calibration.balanced),
            "histogram": {"edges": _plain(BINS), **{kind: _plain(_shares(p)) for kind, p in shown.items()}},
        },
        "intervals": {
            "levels": _plain(np.array(levels)[order]),
            "overlapping": intervals(calibration.overlapping),
            "annotated": intervals(calibration.annotated),
        },
    }


def _plain(values: ArrayLike) -> Any:
    """For JSON: nested lists of floats, None for nan."""
    array = np.asarray(values, np.float64)
    plain = array.astype(object)
    plain[np.isnan(array)] = None
    return plain.tolist()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="SEQUENCES", help="folder of sequences")
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder that benchmarks/sequences.py --out wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FIGURE.png")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the numbers")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier figure and file")
    options = parser.parse_args(arguments)
    try:
        check_place(options.out, options.overwrite)
        if options.json and (options.json.is_dir() or (options.json.exists() and not options.overwrite)):
            raise ValueError(f"{options.json} exists: name another file with --json, or replace it with --overwrite")
        sequences = read_sequences(options.root)
        results, levels = read_results(options.results, sequences)
    except ValueError as error:
        parser.error(str(error))
    calibration = calibrate(results)
    console = Console(width=110)
    console.print(presence_table(calibration))
    console.print(interval_table(calibration.overlapping, levels, "frames with IoU > 0"))
    console.print(interval_table(calibration.annotated, levels, "annotated frames"))
    frames = calibration.annotated.frames + len(calibration.presence["absent"])
    draw(calibration, levels, options.out, f"{len(sequences)} sequences, {frames:,} frames after the first")
    print(f"wrote {options.out}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record(calibration, levels), indent=2) + "\n", encoding="utf-8")
        print(f"wrote {options.json}")


if __name__ == "__main__":
    main()
