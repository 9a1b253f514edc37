"""Tracks every sequence of a folder from its first box and prints a table, a row a sequence.

python benchmarks/sequences.py ../shared/sequences [--ablation] [--weights FILE] [--threads 2] [--set name=value]
python benchmarks/sequences.py ../shared/sequences --device cuda --batch 60

`ebtrack evaluate` keeps results in a folder; this compares settings.

AO is the mean IoU over annotated frames after the first, then over sequences. One pass, first-frame box only. Sequences
that are tracked in lock step, ``--batch`` at a time, have the boxes of single runs but for float rounding, which grows
where a target is nearly lost, so that figures differ a little. The ablation switches the parts of the online tracker on
one by one. Frames a second count the tracker's steps alone and mean little with several workers.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console
from rich.table import Table

import ebtrack
from evaluation.figures import tracking_figures
from evaluation.lockstep import AnnotatedSequence, SequenceResult, track_sequences
from evaluation.metrics import average_overlap, success_rate
from evaluation.results import LEVELS
from evaluation.sequences import read_sequences
from tracker.config import TrackerConfig


def run(
    sequences: Sequence[AnnotatedSequence], weights: str, device: str, config: TrackerConfig, seed: int, threads: int
) -> list[SequenceResult]:
    """Tracks some sequences together."""
    torch.set_num_threads(threads)
    tracker = ebtrack.load(weights, device=device, seed=seed, config=config)
    return track_sequences(tracker, sequences, len(sequences), LEVELS)


RENEWED = {"template_share": 0.35}
ABLATION: dict[str, dict[str, Any]] = {
    "proposal's best component": {"estimate": "proposal", "motion": False, "search": False},
    "samples, weighted mean": {"estimate": "mean", "motion": False, "search": False},
    "strongest mode's mean": {"refine_steps": 0, "motion": False, "search": False},
    "+ refinement": {"motion": False, "search": False},
    "+ motion prior": {"search": False},
    "+ presence-driven search": {},
    "template over time": RENEWED,
    "the same, all evidence": {"evidence": 1.0, "leave_rate": 0.02, **RENEWED},
    "the same, 256 samples": {"samples": 256, **RENEWED},
}


def figures(results: list[SequenceResult]) -> list[str]:
    """The summary's columns; a dash for a figure that these sequences do not define."""
    found = tracking_figures(results)
    frames = sum(len(r.boxes) - 1 for r in results)
    names = ("ao", "sr50", "sr75", "coverage", "presence_auroc")
    shown = [f"{found[name]:.3f}" if name in found else "-" for name in names]
    return [*shown, f"{frames / sum(float(r.seconds[1:].sum()) for r in results):.0f}"]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads a worker")
    parser.add_argument("--workers", type=int, default=1, help="processes that track at the same time")
    parser.add_argument("--batch", type=int, default=1, help="sequences that a worker tracks in lock step")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--only", nargs="*", help="names of the sequences to run; all when left out")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="entries of TrackerConfig")
    options = parser.parse_args()
    sequences = read_sequences(options.root)
    if options.only:
        unknown = set(options.only) - {s.name for s in sequences}
        if unknown:
            parser.error(f"no sequence {', '.join(sorted(unknown))} in {options.root}")
        sequences = [s for s in sequences if s.name in options.only]
    overrides = {name: yaml.safe_load(value) for name, value in (entry.split("=", 1) for entry in options.set)}
    variants = ABLATION if options.ablation else {"tracker": {}}
    groups = [sequences[i : i + options.batch] for i in range(0, len(sequences), options.batch)]
    summary = Table("variant", "AO", "SR0.5", "SR0.75", "90 % interval holds (IoU > 0)", "presence AUROC", "frames/s")
    console = Console(width=110)
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        for name, settings in variants.items():
            config = TrackerConfig(**{**settings, **overrides})
            task = partial(
                run,
                weights=options.weights,
                device=options.device,
                config=config,
                seed=options.seed,
                threads=options.threads,
            )
            results = list(chain.from_iterable(pool.map(task, groups)))
            if not options.ablation:
                table = Table("sequence", "frames", "AO", "SR0.5", "mean presence")
                for r in results:
                    overlap = (average_overlap(r.boxes, r.groundtruth), success_rate(r.boxes, r.groundtruth, 0.5))
                    figures_of_one = (f"{value:.3f}" for value in overlap)
                    table.add_row(r.name, str(len(r.boxes)), *figures_of_one, f"{r.presence[1:].mean():.2f}")
                console.print(table)
            summary.add_row(name, *figures(results))
    console.print(summary)


if __name__ == "__main__":
    main()
