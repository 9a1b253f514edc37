"""Tracks every sequence of a folder from its first box and prints a table, a row a sequence.

    python benchmarks/sequences.py ../shared/sequences [--ablation] [--weights FILE] [--threads 2] [--set name=value]

AO is the mean IoU over annotated frames after the first, then over sequences. One pass, first-frame box only, through
the same batched function as everything else. The ablation switches the parts of the online tracker on one by one.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.table import Table

import ebtrack
from evaluation.metrics import box_iou
from evaluation.sequences import Sequence, read_sequences
from tracker.config import TrackerConfig


@dataclass(frozen=True)
class Result:
    """What tracking one sequence gave."""

    overlap: np.ndarray
    """``[T - 1]`` IoU after the first frame, nan where the target is absent."""
    presence: np.ndarray
    """``[T - 1]``."""
    covered: np.ndarray
    """``[T - 1, 4]`` whether the 90 % interval of cx, cy, w, h holds the truth; only frames of IoU > 0."""
    seconds: float

    @property
    def ao(self) -> float:
        """Mean IoU over annotated frames."""
        return float(np.nanmean(self.overlap))


def run(sequence: Sequence, weights: str, config: TrackerConfig, seed: int) -> Result:
    """Tracks one sequence."""
    tracker = ebtrack.load(weights, device="cpu", seed=seed, config=config)
    boxes, presence, covered, seconds = [], [], [], 0.0
    for index, frame in enumerate(sequence.frames()):
        if index == 0:
            tracker.init(frame, tuple(sequence.groundtruth[0]))
            continue
        started = time.perf_counter()
        track = tracker.update(frame)
        seconds += time.perf_counter() - started
        low, high = track.posterior.interval(0.9)
        x, y, w, h = sequence.groundtruth[index]
        truth = torch.tensor([x + w / 2, y + h / 2, w, h])
        covered.append(((low <= truth) & (truth <= high)).numpy())
        boxes.append(track.box)
        presence.append(track.presence)
    overlap = box_iou(np.array(boxes), sequence.groundtruth[1:])
    return Result(overlap, np.array(presence), np.array(covered)[overlap > 0], seconds)


ABLATION: dict[str, dict[str, Any]] = {
    "proposal's best component": {"estimate": "proposal", "motion": False, "search": False},
    "+ samples, weighted mean": {"estimate": "mean", "motion": False, "search": False},
    "+ mean of the strongest mode": {"refine_steps": 0, "motion": False, "search": False},
    "+ refinement": {"motion": False, "search": False},
    "+ motion prior": {"search": False},
    "+ presence-driven search": {},
}


def figures(results: dict[str, Result]) -> list[str]:
    """AO, SR0.5, SR0.75, coverage of the 90 % interval and frames a second over all sequences."""
    frames = sum(len(r.overlap) for r in results.values())
    return [
        f"{np.mean([r.ao for r in results.values()]):.3f}",
        *(
            f"{np.mean([np.mean(r.overlap[~np.isnan(r.overlap)] > t) for r in results.values()]):.3f}"
            for t in (0.5, 0.75)
        ),
        f"{np.concatenate([r.covered for r in results.values()]).mean():.3f}",
        f"{frames / sum(r.seconds for r in results.values()):.0f}",
    ]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--only", nargs="*", help="names of the sequences to run; all when left out")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="entries of the tracker's configuration"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sequences = [s for s in read_sequences(options.root) if not options.only or s.name in options.only]
    overrides = {name: yaml.safe_load(value) for name, value in (entry.split("=", 1) for entry in options.set)}
    variants = ABLATION if options.ablation else {"tracker": {}}
    summary = Table("variant", "AO", "SR0.5", "SR0.75", "90 % interval holds", "frames/s")
    for name, settings in variants.items():
        config = TrackerConfig(**{**settings, **overrides})
        results = {s.name: run(s, options.weights, config, options.seed) for s in sequences}
        if not options.ablation:
            table = Table("sequence", "frames", "AO", "SR0.5", "mean presence")
            for key, r in results.items():
                rate = np.mean(r.overlap[~np.isnan(r.overlap)] > 0.5)
                table.add_row(key, str(len(r.overlap) + 1), f"{r.ao:.3f}", f"{rate:.3f}", f"{r.presence.mean():.2f}")
            Console(width=110).print(table)
        summary.add_row(name, *figures(results))
    Console(width=110).print(summary)


if __name__ == "__main__":
    main()
