"""Boxes of other trackers: a folder a tracker, in it ``<sequence>.txt`` with ``x,y,w,h`` a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evaluation.lockstep import AnnotatedSequence
from evaluation.metrics import Floats


def read_peer(folder: Path, sequences: Sequence[AnnotatedSequence]) -> list[Floats]:
    """The boxes ``[T, 4]`` of a tracker for some sequences, in their order.

    Raises:
        ValueError: boxes are missing or do not fit their sequence; the message names the file.
    """
    missing = [s.name for s in sequences if not (folder / f"{s.name}.txt").is_file()]
    if missing:
        raise ValueError(
            f"{folder} lacks {missing[0]}.txt ({len(missing)} of {len(sequences)} sequences are missing): trackers are "
            "compared on the same sequences only; complete the folder or leave it out"
        )
    return [_read(folder / f"{s.name}.txt", len(s.groundtruth)) for s in sequences]


def _read(file: Path, frames: int) -> Floats:
    try:
        boxes = np.loadtxt(file, delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read, expected x,y,w,h in each line: {error}") from error
    if boxes.shape != (frames, 4) or not np.isfinite(boxes).all():
        raise ValueError(
            f"{file} has {len(boxes)} lines of {boxes.shape[1]} numbers, expected {frames} lines of x,y,w,h, all finite"
        )
    return boxes
