"""Compares kept results with other trackers: a table, and the success and precision curves in one figure.

python benchmarks/sequences.py ../shared/sequences --out results/sequences
python benchmarks/peers.py ../shared/sequences results/sequences --peers ../shared/peers/results --out curves.png

A peer is a subfolder of ``--peers`` with ``<sequence>.txt`` of x,y,w,h a line. All trackers are compared on all
sequences of the folder: a peer that lacks one is refused. AUC (mean of the success curve), precision at 20 pixels and
normalised precision at 0.2 of the target's size are in OTB's convention (evaluation/curves.py); AO and SR leave the
first frame out (evaluation/metrics.py). Frames without the target are in none of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from evaluation.curves import OVERLAPS, PIXELS, Curves, frame_errors, mean_curves, sequence_curves
from evaluation.lockstep import AnnotatedSequence
from evaluation.metrics import Floats, average_overlap, success_rate
from evaluation.peers import read_peer
from evaluation.plots import OURS, check_place, new_figure, save_figure
from evaluation.results import read_results
from evaluation.sequences import read_sequences

NAME = "ebtrack"
# Muted, and told apart by the line as well where there are more trackers than colours.
COLOURS = ("#35618f", "#5f8f4e", "#8b6bab", "#9a7440", "#4a9a96", "#7a7a7a", "#a8526b", "#a3932f")
LINES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))


@dataclass(frozen=True)
class Standing:
    """A tracker's figures, averaged over sequences."""

    name: str
    curves: Curves
    ao: float
    sr50: float
    sr75: float


def standing(name: str, boxes: Sequence[Floats], sequences: Sequence[AnnotatedSequence]) -> Standing:
    """The figures of a tracker whose boxes ``[T, 4]`` are given for each sequence."""
    pairs = [(found, s.groundtruth) for found, s in zip(boxes, sequences, strict=True)]
    return Standing(
        name,
        mean_curves([sequence_curves(frame_errors(*pair)) for pair in pairs]),
        # A sequence whose target never comes back after the first frame has no overlap to average.
        float(np.nanmean([average_overlap(*pair) for pair in pairs])),
        float(np.nanmean([success_rate(*pair, 0.5) for pair in pairs])),
        float(np.nanmean([success_rate(*pair, 0.75) for pair in pairs])),
    )


def table(trackers: Sequence[Standing], title: str) -> Table:
    """One row a tracker, the best AO first, ours in bold."""
    columns = ("AUC", "precision 20 px", "normalised precision", "AO", "SR0.5", "SR0.75")
    drawn = Table("tracker", *columns, title=title)
    for t in sorted(trackers, key=lambda t: -t.ao):
        values = (t.curves.auc, t.curves.precision_20, t.curves.normalised_precision, t.ao, t.sr50, t.sr75)
        drawn.add_row(t.name, *(f"{value:.3f}" for value in values), style="bold" if t.name == NAME else None)
    return drawn


def draw(trackers: Sequence[Standing], path: Path, title: str) -> None:
    """Saves the figure; the legends name the best tracker first."""
    figure = new_figure(9, 5.4)
    figure.suptitle(title, fontsize=10)
    success, precision = figure.subplots(1, 2)
    peers = sorted(t.name for t in trackers if t.name != NAME)
    styles: dict[str, dict[str, Any]] = {
        name: {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[i % len(LINES)], "linewidth": 1.3, "zorder": 2}
        for i, name in enumerate(peers)
    }
    styles[NAME] = {"color": OURS, "linestyle": "-", "linewidth": 3.2, "zorder": 3}
    panels = (
        (success, OVERLAPS, "Success", "IoU above", "AUC", lambda t: (t.curves.success, t.curves.auc)),
        (
            precision,
            PIXELS,
            "Precision",
            "distance of the centres at most, pixels",
            "20 px",
            lambda t: (t.curves.precision, t.curves.precision_20),
        ),
    )
    for axes, thresholds, heading, label, figure_of_merit, curve_of in panels:
        shown = [(t.name, *curve_of(t)) for t in trackers]
        for name, curve, value in sorted(shown, key=lambda s: -s[2]):
            axes.plot(thresholds, curve, label=f"{value:.3f}  {name}", **styles[name])
        axes.set_title(heading, fontsize=10, fontweight="bold")
        axes.set_xlabel(label, fontsize=9)
        axes.set_ylabel("share of frames", fontsize=9)
        axes.set(xlim=(thresholds[0], thresholds[-1]), ylim=(0, 1))
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        legend = axes.legend(
            title=figure_of_merit, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=8.5, frameon=False
        )
        for text in legend.get_texts():
            if text.get_text().endswith(f"  {NAME}"):
                text.set(color=OURS, fontweight="bold")
    precision.axvline(20, color="0.5", linewidth=0.8, linestyle=":")
    save_figure(figure, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="SEQUENCES", help="folder of sequences")
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder that benchmarks/sequences.py --out wrote")
    parser.add_argument("--peers", type=Path, required=True, help="folder with a subfolder of boxes for each tracker")
    parser.add_argument("--out", type=Path, required=True, metavar="FIGURE.png")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier figure")
    options = parser.parse_args(arguments)
    try:
        check_place(options.out, options.overwrite)
        sequences = read_sequences(options.root)
        results, _ = read_results(options.results, sequences)
        folders = sorted(f for f in options.peers.glob("*") if f.is_dir())
        if not folders:
            raise ValueError(f"no tracker in {options.peers}: expected a subfolder of <sequence>.txt for each")
        if NAME in (f.name for f in folders):
            raise ValueError(f"{options.peers / NAME} has the name of our own tracker: rename the folder")
        trackers = [standing(NAME, [r.boxes for r in results], sequences)]
        trackers += [standing(f.name, read_peer(f, sequences), sequences) for f in folders]
        title = f"{len(sequences)} sequences, {sum(len(s.groundtruth) for s in sequences):,} frames"
        Console(width=110).print(table(trackers, title))
        draw(trackers, options.out, f"One pass from the first frame's box: {title}")
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
