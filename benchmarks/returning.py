"""Loss and return: how soon a tracker says that its target is gone, finds it again, and what it takes in its place.

ebtrack data render default --set data.root=../shared/train --clips 10 --frames 160 --leaving 1 --elsewhere \
--look-alikes 0 --seed 12 --out clips/alone
ebtrack data render default --set data.root=../shared/train --clips 10 --frames 160 --leaving 1 --elsewhere \
--look-alikes 1 --seed 112 --out clips/look-alikes
python benchmarks/returning.py clips/alone clips/look-alikes [--weights FILE] [--set name=value]
python benchmarks/returning.py clips/alone clips/look-alikes --nano ../shared/peers/nanotrack_v2 --threshold 0.8

Every sequence is tracked from its first box. Its target is *gone* from the first frame in which it is annotated absent,
and *back* from the frame after the last such one; sequences without both are left out. A target is annotated absent
while less than a tenth of it is visible. A tracker *says present* in a frame where its presence is at least the
threshold, 0.5 for ebtrack; the presence of NanoTrack is its score, whose threshold is to be stated.

lost said     the tracker does not say present in at least one of the first 10 frames from gone on, those before back
re-found      it says present with an IoU of at least 0.5 in at least one of the first 30 frames from back on
wrong taken   from gone on to the sequence's end it says present in 10 frames in a row or more, in each of which the
              target is absent or the IoU below 0.1
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import ebtrack
from evaluation.contestants.opencv import model_files
from evaluation.lockstep import track_sequences
from evaluation.metrics import box_iou
from evaluation.sequences import Sequence, read_sequences
from tracker.config import TrackerConfig

SAID_WITHIN, FOUND_WITHIN, WRONG_FOR = 10, 30, 10
ON_TARGET, OFF_TARGET = 0.5, 0.1
Floats = NDArray[np.float64]


class Return(NamedTuple):
    """What became of one target that left and returned; inf where something never happened."""

    said: float
    """Frames from gone until the tracker first does not say present, before the target is back."""
    found: float
    """Frames from back until it says present, on target."""
    wrong: int
    """Most frames in a row from gone on in which it says present, off target."""

    @property
    def verdicts(self) -> tuple[bool, bool, bool]:
        """Lost said, re-found, wrong taken."""
        return self.said < SAID_WITHIN, self.found < FOUND_WITHIN, self.wrong >= WRONG_FOR


def leaves_and_returns(groundtruth: Floats) -> bool:
    """Whether the target of ``[T, 4]`` boxes is absent for a while, and there afterwards."""
    absent = np.isnan(groundtruth[:, 0])
    return bool(absent.any() and not absent[-1])


def judge(boxes: Floats, presence: Floats, groundtruth: Floats, threshold: float = 0.5) -> Return:
    """What a tracker made of a target that leaves and returns; the definitions are this file's.

    Args:
        boxes: ``[T, 4]`` x, y, w, h in pixels.
        presence: ``[T]``.
        groundtruth: ``[T, 4]``, nan where the target is absent; it is so for a while, and there afterwards.
        threshold: presence from which the tracker says present.
    """
    absent = np.flatnonzero(np.isnan(groundtruth[:, 0]))
    gone, back = int(absent[0]), int(absent[-1]) + 1
    says = presence >= threshold
    overlap = np.nan_to_num(box_iou(boxes, groundtruth))
    run = longest = 0
    for wrong in says[gone:] & (overlap[gone:] < OFF_TARGET):
        run = run + 1 if wrong else 0
        longest = max(longest, run)
    return Return(_first(~says[gone:back]), _first((says & (overlap >= ON_TARGET))[back:]), longest)


def _first(happens: NDArray[np.bool_]) -> float:
    return float(happens.argmax()) if happens.any() else math.inf


def by_ebtrack(sequences: list[Sequence], options: argparse.Namespace) -> Iterator[tuple[Floats, Floats]]:
    """Boxes and presence of each sequence."""
    overrides = {name: yaml.safe_load(value) for name, value in (entry.split("=", 1) for entry in options.set)}
    tracker = ebtrack.load(options.weights, device=options.device, config=TrackerConfig(**overrides))
    for result in track_sequences(tracker, sequences, options.batch):
        yield result.boxes, result.presence


def by_nanotrack(sequences: list[Sequence], models: Path) -> Iterator[tuple[Floats, Floats]]:
    """Boxes and score of each sequence."""
    parameters = cv2.TrackerNano.Params()
    for key, file in model_files("Nano", models).items():
        setattr(parameters, key, str(file))
    for sequence in sequences:
        tracker = cv2.TrackerNano.create(parameters)
        first = sequence.groundtruth[0]
        rows = [[*first, 1.0]]
        for number, frame in enumerate(sequence.frames()):
            if number == 0:
                x, y, w, h = (round(value) for value in first.tolist())
                tracker.init(frame, (x, y, w, h))
            else:
                rows.append([*tracker.update(frame)[1], tracker.getTrackingScore()])
        table = np.array(rows, np.float64)
        yield table[:, :4], table[:, 4]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="+", help="folders of annotated sequences, a row of the table each")
    parser.add_argument("--weights", default="default")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="entries of TrackerConfig")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--batch", type=int, default=10, help="sequences that are tracked in lock step")
    parser.add_argument("--nano", type=Path, metavar="DIR", help="track with NanoTrack instead, whose models are there")
    parser.add_argument("--threshold", type=float, nargs="+", default=[0.5], help="presence that says present")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    console = Console(width=110)
    sets = {root: [s for s in read_sequences(root) if leaves_and_returns(s.groundtruth)] for root in options.roots}
    sequences = [sequence for of_root in sets.values() for sequence in of_root]
    tracked = by_nanotrack(sequences, options.nano) if options.nano else by_ebtrack(sequences, options)
    results = list(tracked)
    for threshold in options.threshold:
        found = [
            judge(boxes, presence, s.groundtruth, threshold)
            for (boxes, presence), s in zip(results, sequences, strict=True)
        ]
        console.print(f"\nsays present from {threshold:g}")
        table = Table("sequence", "frames until lost said", "until re-found", "longest wrong")
        for sequence, one in zip(sequences, found, strict=True):
            table.add_row(sequence.name, f"{one.said:g}", f"{one.found:g}", str(one.wrong))
        console.print(table)
        console.print(summary({str(root): len(of_root) for root, of_root in sets.items()}, found))


def summary(counts: dict[str, int], found: list[Return]) -> Table:
    """Shares of targets: a row for each folder, by name with its number of sequences, and one for all."""
    table = Table("sequences", "number", "lost said", "re-found", "wrong taken")
    verdicts = np.array([one.verdicts for one in found]).reshape(-1, 3)
    ends = np.cumsum([0, *counts.values()]).tolist()
    rows = [(name, verdicts[a:b]) for name, a, b in zip(counts, ends[:-1], ends[1:], strict=True)]
    for name, part in (*rows, ("all", verdicts)):
        table.add_row(name, str(len(part)), *(f"{100 * share:.0f} %" for share in part.mean(axis=0)))
    return table


if __name__ == "__main__":
    main()
