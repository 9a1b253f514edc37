"""Speed of tracking in lock step over tracking one at a time, reading and decoding included and left out.

python benchmarks/lockstep.py ../shared/sequences [--batch 16] [--sequences 16] [--frames 60] [--device cuda]

Both track the same frames of the same sequences with the same code; one at a time is a batch of one. "Decoded before"
holds all frames in memory first; "decode included" reads from disk in the tracker's process while one at a time, and
ahead in ``--readers`` processes in lock step, as `ebtrack evaluate` does. Frames a second are frames after the first
over wall-clock time. The largest difference of the boxes of the first step, from equal states, is printed too, and
that of the mean AO.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import ebtrack
from evaluation.lockstep import AnnotatedSequence, Floats, SequenceResult, track_sequences
from evaluation.metrics import average_overlap
from evaluation.runner.reading import ReadAhead
from evaluation.sequences import read_sequences
from networks.weights import WeightsError
from tracker.online import Tracker


@dataclass(frozen=True)
class InMemory:
    """A sequence whose frames are decoded."""

    name: str
    groundtruth: Floats
    images: list[NDArray[np.uint8]]

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The frames."""
        return iter(self.images)


@dataclass(frozen=True)
class Ahead:
    """A sequence that other processes read ahead."""

    sequence: AnnotatedSequence
    readers: ReadAhead

    @property
    def name(self) -> str:
        """Of the sequence."""
        return self.sequence.name

    @property
    def groundtruth(self) -> Floats:
        """Of the sequence."""
        return self.sequence.groundtruth

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The frames."""
        return self.readers.frames(self.sequence)


def timed(tracker: Tracker, sequences: Sequence[AnnotatedSequence], batch: int) -> tuple[list[SequenceResult], float]:
    """Results, and frames a second."""
    begun = time.perf_counter()
    results = track_sequences(tracker, sequences, batch)
    return results, sum(len(r.boxes) - 1 for r in results) / (time.perf_counter() - begun)


def mean_ao(results: Sequence[SequenceResult]) -> float:
    """Mean AO over the sequences."""
    return float(np.nanmean([average_overlap(r.boxes, r.groundtruth) for r in results]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the tracker")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--readers", type=int, default=1, help="processes that decode frames in lock step")
    parser.add_argument("--sequences", type=int, default=16, help="the first so many of the folder")
    parser.add_argument("--frames", type=int, default=60, help="the first so many of each sequence")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    n = options.frames
    try:
        found = [
            replace(s, groundtruth=s.groundtruth[:n], absent=s.absent[:n])
            for s in read_sequences(options.root)[: options.sequences]
        ]
        tracker = ebtrack.load(options.weights, device=options.device)
        memory = [InMemory(s.name, s.groundtruth, list(s.frames())) for s in found]
        for batch in (1, options.batch):  # kernels are chosen and compiled in the first steps
            track_sequences(
                tracker, [replace(s, groundtruth=s.groundtruth[:6], images=s.images[:6]) for s in memory], batch
            )
        single, single_fps = timed(tracker, memory, 1)
        together, together_fps = timed(tracker, memory, options.batch)
        _, single_read = timed(tracker, found, 1)
        with ReadAhead(options.readers) as readers:
            _, together_read = timed(tracker, [Ahead(s, readers) for s in found], options.batch)
    except (ValueError, WeightsError) as error:
        parser.error(str(error))
    table = Table("frames/s", "one at a time", f"lock step, {options.batch}", "speed-up")
    for label, alone, both in (
        ("decoded before", single_fps, together_fps),
        ("decode included", single_read, together_read),
    ):
        table.add_row(label, f"{alone:.1f}", f"{both:.1f}", f"{both / alone:.2f}")
    console = Console(width=110)
    console.print(table)
    first = max(np.abs(a.boxes[1:2] - b.boxes[1:2]).max(initial=0) for a, b in zip(single, together, strict=True))
    console.print(f"first step: boxes differ by at most {first:.1e} px", highlight=False)
    ao = (mean_ao(single), mean_ao(together))
    console.print(f"mean AO {ao[0]:.4f} and {ao[1]:.4f}, difference {abs(ao[0] - ao[1]):.4f}", highlight=False)


if __name__ == "__main__":
    main()
