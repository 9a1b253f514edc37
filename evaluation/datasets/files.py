"""Where the files of a benchmark's sequence are, and how they become a `Sequence`."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from evaluation.annotation_files import Bools, DatasetError, Floats, list_pictures, read_boxes, read_labels
from evaluation.sequences import Sequence


class BoxReader(Protocol):
    """Reads an annotation file."""

    def __call__(self, file: Path, origin: float) -> Floats:
        """``[T, 4]`` x, y, w, h in 0-based pixels, nan where the target is absent."""


@dataclass(frozen=True)
class SequenceFiles:
    """Where the files of one sequence are. Paths are not looked at before `load`."""

    name: str
    annotation: Path
    pictures: Path
    """Their folder."""
    numbers: tuple[int, int] | None = None
    """The first and the last picture that count, by the numbers that are their names; all where there is nothing."""
    skipped: int = 0
    """Lines and pictures at the beginning that the benchmark leaves out."""


@dataclass(frozen=True)
class Labels:
    """What a benchmark says of a sequence beside its boxes."""

    absent: Callable[[SequenceFiles, int], Bools] | None = None
    """``[T]`` whether the target is out of view or wholly hidden; the frames whose box is nan are so in any case."""
    attributes: Callable[[SequenceFiles], tuple[str, ...]] | None = None


def load(
    files: SequenceFiles,
    origin: float,
    boxes_of: BoxReader = read_boxes,
    labels: Labels | None = None,
    first_only: bool = False,
    slack: int = 0,
) -> Sequence:
    """A sequence of its files.

    Args:
        files: Where they are.
        origin: What the files' x and y have more than 0-based pixels.
        boxes_of: Reads the annotation.
        labels: What else is read.
        first_only: The benchmark keeps all boxes but the first to itself.
        slack: By how many the numbers of pictures and of boxes may differ; the shorter counts.

    Raises:
        DatasetError: something is missing, or does not fit; the message names the file and, where it has one, the line.
    """
    labels = labels or Labels()
    pictures = _pictures(files)
    boxes = boxes_of(files.annotation, origin)
    attributes = labels.attributes(files) if labels.attributes else ()
    if first_only and len(boxes) == 1:
        boxes = np.vstack((boxes, np.full((len(pictures) - 1, 4), np.nan)))
        return Sequence(files.name, pictures, boxes, np.zeros(len(boxes), np.bool_), attributes)
    if abs(len(boxes) - len(pictures)) > slack:
        raise DatasetError(
            f"{files.annotation} has {len(boxes)} lines, {files.pictures} has {len(pictures)} pictures for them; "
            "expected a line for each"
        )
    absent: Bools = np.isnan(boxes[:, 0])
    if labels.absent is not None:
        absent = absent | labels.absent(files, len(boxes))
        boxes = np.where(absent[:, None], np.nan, boxes)
    if absent[files.skipped :][:1].all():
        raise DatasetError(f"{files.annotation}, line {files.skipped + 1}: no box where tracking starts; expected one")
    counted = slice(files.skipped, min(len(boxes), len(pictures)))
    return Sequence(files.name, pictures[counted], boxes[counted], absent[counted], attributes)


def flagged(file: Path, names: Items[str]) -> tuple[str, ...]:
    """The names whose flags are 1 in a file of a flag for each; none where there is no such file.

    Raises:
        DatasetError: the file holds something else, or not as many.
    """
    if not file.is_file():
        return ()
    flags = read_labels(file, len(names), "names of attributes")
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)


def _pictures(files: SequenceFiles) -> tuple[Path, ...]:
    if not files.pictures.is_dir():
        raise DatasetError(
            f"sequence {files.name} is missing: no folder {files.pictures}; add it, or name those that are there with "
            "--sequences"
        )
    found = list_pictures(files.pictures)
    if not found:
        raise DatasetError(f"sequence {files.name}: no pictures in {files.pictures}")
    if files.numbers is None:
        return found
    first, last = files.numbers
    numbered = {int(path.stem): path for path in found if path.stem.isdecimal()}
    for number in range(first, last + 1):
        if number not in numbered:
            raise DatasetError(
                f"sequence {files.name}: no picture {number} in {files.pictures}; expected all from {first} to {last}"
            )
    return tuple(numbered[number] for number in range(first, last + 1))
