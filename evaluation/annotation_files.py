"""Text files of boxes, labels and names as benchmarks write them, and folders of pictures.

Whatever is wrong with one is told with the file and, where it has one, the line.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.sources.images import is_image, natural_order

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")


class DatasetError(ValueError):
    """An annotated sequence, or a whole benchmark, is not as it should be; the message names file and line."""


def read_lines(file: Path, expected: str) -> list[str]:
    """Lines without the blanks around them; blank lines at the end are left out.

    Args:
        file: The file.
        expected: What it should be, for the message.

    Raises:
        DatasetError: It is missing, empty, or cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig", errors="replace").rstrip().splitlines()
    except OSError as error:
        raise DatasetError(f"{file} cannot be read ({error.strerror}); expected {expected}") from error
    if not lines:
        raise DatasetError(f"{file} is empty; expected {expected}")
    return [line.strip() for line in lines]


def numbers_in(line: str) -> list[float]:
    """Numbers separated by commas, semicolons, tabs or blanks; ValueError where one is none."""
    return [float(part) for part in _SEPARATOR.split(line.rstrip(",;"))]


def read_boxes(file: Path, origin: float = 0.0) -> Floats:
    """Boxes of a file with x, y, w, h a line, separated by commas, tabs or blanks.

    Args:
        file: The file.
        origin: What the file's x and y have more than 0-based pixels.

    Returns:
        What `as_boxes` makes of the rows.

    Raises:
        DatasetError: see `as_boxes`; or a line is not four numbers.
    """
    expected = "x,y,w,h in each line"
    lines = read_lines(file, expected)
    rows = np.empty((len(lines), 4))
    for index, line in enumerate(lines):
        try:
            rows[index] = numbers_in(line)
        except ValueError:
            raise DatasetError(f"{file}, line {index + 1}: '{line[:60]}' is no box, expected {expected}") from None
    return as_boxes(rows, file, origin)


def as_boxes(rows: Floats, file: Path, origin: float = 0.0) -> Floats:
    """Rows of x, y, w, h ``[T, 4]`` in 0-based pixels; all nan where the width or height is not above 0, or nan.

    Raises:
        DatasetError: the first row is no box, some of a row's numbers are nan and some are not, or one is infinite;
            names the line of ``file``.
    """
    missing = np.isnan(rows)
    for index in np.flatnonzero(np.isinf(rows).any(1) | (missing.any(1) & ~missing.all(1)))[:1]:
        text = ",".join(f"{value:g}" for value in rows[index])
        raise DatasetError(
            f"{file}, line {index + 1}: {text} is no box; expected four numbers, or four nan where the target is absent"
        )
    boxes = np.where((rows[:, 2:] > 0).all(1, keepdims=True), rows - (origin, origin, 0.0, 0.0), np.nan)
    if np.isnan(boxes[0]).any():
        text = ",".join(f"{value:g}" for value in rows[0])
        raise DatasetError(f"{file}, line 1: {text} is no box; expected one in the first line, where tracking starts")
    return boxes


def read_labels(file: Path, count: int, things: str = "frames") -> Floats:
    """Numbers, one for each of ``count`` frames or other things, in one line or one a line.

    Raises:
        DatasetError: the file is missing, holds something else than numbers, or not as many.
    """
    lines = read_lines(file, f"{count} labels, a number for each of the {things}")
    labels: list[float] = []
    for number, line in enumerate(lines, 1):
        try:
            labels += numbers_in(line)
        except ValueError:
            raise DatasetError(f"{file}, line {number}: '{line[:60]}' holds no numbers; expected labels") from None
    if len(labels) != count or not np.isfinite(labels).all():
        finite = int(np.isfinite(labels).sum())
        raise DatasetError(f"{file} has {finite} labels for {count} {things}; expected one for each")
    return np.array(labels)


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in natural order: 2.jpg comes before 10.jpg. None where there is no such folder."""
    return tuple(sorted(filter(is_image, folder.iterdir()), key=natural_order)) if folder.is_dir() else ()
