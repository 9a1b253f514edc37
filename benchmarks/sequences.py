"""Tracks every sequence of a folder from its first box and prints a table, a row a sequence.

python benchmarks/sequences.py ../shared/sequences [--ablation] [--weights FILE] [--threads 2] [--set name=value]

AO is the mean IoU over annotated frames after the first, then over sequences. One pass, first-frame box only, on the
CPU, through the Python API. The ablation switches the parts of the online tracker on one by one. Frames a second count
the update calls alone and mean little with several workers.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.table import Table

import ebtrack
from evaluation.metrics import average_overlap, box_iou
from evaluation.sequences import Sequence, read_sequences
from tracker.config import TrackerConfig


@dataclass(frozen=True)
class Result:
    """What tracking one sequence gave."""

    name: str
    overlap: np.ndarray
    """``[T - 1]`` IoU after the first frame, nan where the target is absent."""
    presence: np.ndarray
    """``[T - 1]``."""
    covered: np.ndarray
    """``[K, 4]`` whether the 90 % interval of cx, cy, w, h holds the truth, in the frames of IoU above 0."""
    seconds: float
    ao: float

    def success_rate(self, threshold: float) -> float:
        """Share of annotated frames whose IoU is above the threshold."""
        return float(np.mean(self.overlap[~np.isnan(self.overlap)] > threshold))


def run(sequence: Sequence, weights: str, config: TrackerConfig, seed: int, threads: int) -> Result:
    """Tracks one sequence."""
    torch.set_num_threads(threads)
    tracker = ebtrack.load(weights, device="cpu", seed=seed, config=config)
    boxes, presence, covered, seconds = [tuple(sequence.groundtruth[0])], [], [], 0.0
    for index, frame in enumerate(sequence.frames()):
        if index == 0:
            tracker.init(frame, boxes[0])
            continue
        started = time.perf_counter()
        track = tracker.update(frame)
        seconds += time.perf_counter() - started
        assert isinstance(track, ebtrack.Track)
        low, high = track.posterior.interval(0.9)
        x, y, w, h = sequence.groundtruth[index]
        truth = torch.tensor([x + w / 2, y + h / 2, w, h])
        covered.append(((low <= truth) & (truth <= high)).numpy())
        boxes.append(track.box)
        presence.append(track.presence)
    given = np.array(boxes)
    overlap = box_iou(given, sequence.groundtruth)[1:]
    ao = average_overlap(given, sequence.groundtruth)
    return Result(sequence.name, overlap, np.array(presence), np.array(covered)[overlap > 0], seconds, ao)


ABLATION: dict[str, dict[str, Any]] = {
    "proposal's best component": {"estimate": "proposal", "motion": False, "search": False},
    "samples, weighted mean": {"estimate": "mean", "motion": False, "search": False},
    "strongest mode's mean": {"refine_steps": 0, "motion": False, "search": False},
    "+ refinement": {"motion": False, "search": False},
    "+ motion prior": {"search": False},
    "+ presence-driven search": {},
}


def presence_auroc(results: list[Result]) -> str:
    """Probability that a frame with the target has more presence than one without; a dash where none is absent."""
    presence = np.concatenate([r.presence for r in results])
    absent = np.concatenate([np.isnan(r.overlap) for r in results])
    if not absent.any():
        return "-"
    greater = presence[~absent][:, None] - presence[absent][None]
    return f"{np.mean((greater > 0) + 0.5 * (greater == 0)):.3f}"


def figures(results: list[Result]) -> list[str]:
    """AO, success rates, coverage of the 90 % interval, AUROC of presence and frames a second over all sequences."""
    frames = sum(len(r.overlap) for r in results)
    return [
        f"{np.mean([r.ao for r in results]):.3f}",
        *(f"{np.mean([r.success_rate(threshold) for r in results]):.3f}" for threshold in (0.5, 0.75)),
        f"{np.concatenate([r.covered for r in results]).mean():.3f}",
        presence_auroc(results),
        f"{frames / sum(r.seconds for r in results):.0f}",
    ]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads a worker")
    parser.add_argument("--workers", type=int, default=1, help="sequences tracked at the same time")
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
    summary = Table("variant", "AO", "SR0.5", "SR0.75", "90 % interval holds (IoU > 0)", "presence AUROC", "frames/s")
    console = Console(width=110)
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        for name, settings in variants.items():
            config = TrackerConfig(**{**settings, **overrides})
            task = partial(run, weights=options.weights, config=config, seed=options.seed, threads=options.threads)
            results = list(pool.map(task, sequences))
            if not options.ablation:
                table = Table("sequence", "frames", "AO", "SR0.5", "mean presence")
                for r in results:
                    row = (str(len(r.overlap) + 1), f"{r.ao:.3f}", f"{r.success_rate(0.5):.3f}")
                    table.add_row(r.name, *row, f"{r.presence.mean():.2f}")
                console.print(table)
            summary.add_row(name, *figures(results))
    console.print(summary)


if __name__ == "__main__":
    main()
