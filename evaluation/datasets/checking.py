"""Looks a benchmark on disk through and tells everything that is wrong, not only the first thing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from evaluation.datasets import dataset_kind, readers_of
from evaluation.sequences import Sequence


@dataclass
class Findings:
    """What a root holds, and what is wrong with it."""

    sequences: int = 0
    frames: int = 0
    absent: int = 0
    """Frames whose target is absent."""
    unannotated: int = 0
    """Frames without a box whose target is not said to be absent."""
    with_attributes: int = 0
    """Sequences that have attributes."""
    problems: list[str] = field(default_factory=list)


def check_dataset(
    name: str,
    root: Path,
    only: Collection[str] | None = None,
    every_frame: bool = False,
    on_sequence: Callable[[int, str], object] = lambda done, name: None,
) -> Findings:
    """Reads the annotation of each sequence, and decodes its first frame or all.

    Args:
        name: One of `evaluation.datasets.DATASETS`.
        root: Its folder.
        only: Names of the sequences to look at; all when left out, and then none may be missing.
        every_frame: Decode all frames.
        on_sequence: Is told before each sequence how many are done, and its name.

    Raises:
        DatasetError: the name, the folder, or a name in ``only`` is wrong; what is wrong with a sequence is among the
            findings.
    """
    readers = readers_of(name, root, only)
    found = Findings()
    for done, (key, read) in enumerate(readers.items()):
        on_sequence(done, key)
        try:
            sequence = read()
            _look(sequence, every_frame)
        except ValueError as error:
            found.problems.append(str(error))
            continue
        empty = np.isnan(sequence.groundtruth).any(1)
        found.sequences += 1
        found.frames += len(sequence)
        found.absent += int(sequence.absent.sum())
        found.unannotated += int((empty & ~sequence.absent).sum())
        found.with_attributes += bool(sequence.attributes)
    count = dataset_kind(name).sequences
    if only is None and count not in (None, len(readers)):
        found.problems.append(f"{root} holds {len(readers)} sequences, {dataset_kind(name).title} has {count}")
    return found


def _look(sequence: Sequence, every_frame: bool) -> None:
    """Raises ValueError where a frame cannot be decoded, or the first box lies outside its frame."""
    for index, frame in enumerate(islice(sequence.frames(), None if every_frame else 1)):
        if index == 0:
            x, y, w, h = sequence.groundtruth[0]
            height, width = frame.shape[:2]
            if not (x < width and y < height and x + w > 0 and y + h > 0):
                raise ValueError(
                    f"sequence {sequence.name}: the first box {x:g},{y:g},{w:g},{h:g} lies outside its frame of "
                    f"{width} x {height} pixels"
                )
