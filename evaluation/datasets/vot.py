"""Folders as the VOT challenges publish them: ``list.txt``, ``groundtruth.txt`` of regions, tags of frames.

A region is a rectangle (4 numbers), a polygon (6 numbers or more) or a mask (``m`` and its run lengths); its box is the
smallest upright one around it.
"""

from __future__ import annotations

import configparser
from collections.abc import Sequence as Items
from pathlib import Path

import numpy as np

from evaluation.annotation_files import DatasetError, Floats, as_boxes, numbers_in, read_lines
from evaluation.datasets.files import SequenceFiles

_EXPECTED = "a region in each line: x,y,w,h, or x,y of three corners or more, or a mask that begins with m"


def vot(root: Path) -> list[SequenceFiles]:
    """Files of the sequences in ``list.txt``, which lies in ``root`` or, in a workspace, in its folder sequences."""
    if not (root / "list.txt").is_file() and (root / "sequences").is_dir():
        root = root / "sequences"
    names = read_lines(root / "list.txt", "the name of a sequence in each line")
    return [SequenceFiles(name, root / name / "groundtruth.txt", _pictures(root / name)) for name in names]


def tags(files: SequenceFiles) -> tuple[str, ...]:
    """Names of the tags (``NAME.tag`` or ``NAME.label``: 0 or 1 for each frame) that some frame bears."""
    folder = files.annotation.parent
    found = sorted([*folder.glob("*.tag"), *folder.glob("*.label")])
    return tuple(file.stem.replace("_", " ") for file in found if "1" in file.read_text(encoding="utf-8").split())


def read_regions(file: Path, origin: float) -> Floats:
    """Boxes around the regions of a file, ``[T, 4]``; nan where there is none.

    Raises:
        DatasetError: a line is no region, or the first is empty; names it.
    """
    rows = []
    for number, line in enumerate(read_lines(file, _EXPECTED), 1):
        try:
            rows.append(_mask_box(line[1:]) if line.startswith("m") else _shape_box(numbers_in(line)))
        except ValueError:
            raise DatasetError(f"{file}, line {number}: '{line[:60]}' is no region, expected {_EXPECTED}") from None
    return as_boxes(np.array(rows), file, origin)


def _pictures(folder: Path) -> Path:
    """Folder of the pictures: what the file ``sequence`` says, color, or the folder itself (until 2017)."""
    config = configparser.ConfigParser(interpolation=None)
    file = folder / "sequence"
    if file.is_file():
        text = "\n".join(read_lines(file, "name=value lines, as VOT's toolkit writes them"))
        try:
            config.read_string(text if text.startswith("[") else f"[sequence]\n{text}")
        except configparser.Error as error:
            raise DatasetError(f"{file} cannot be read: {error}") from error
        for section in config.sections():
            pattern = config[section].get("channels.color")
            if pattern:
                return folder / (Path(pattern).parent if Path(pattern).suffix else pattern)
    return folder / "color" if (folder / "color").is_dir() else folder


def _shape_box(numbers: Items[float]) -> Items[float]:
    if len(numbers) == 4:
        return [np.nan] * 4 if np.isnan(numbers).any() else numbers
    if len(numbers) == 1:  # a code in place of a region: the target is not there
        return [np.nan] * 4
    points = np.array(numbers).reshape(-1, 2)
    if len(points) < 3:
        raise ValueError
    low, high = points.min(0), points.max(0)
    return [*low, *(high - low)]


def _mask_box(text: str) -> Items[float]:
    """Box around a mask: x, y, w, h of its frame, then lengths of runs of 0 and 1 in turn, line by line."""
    x, y, width, height, *runs = (int(part) for part in text.split(","))
    inside = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.bool_)
    if inside.size > width * height:
        raise ValueError
    rows, columns = np.divmod(np.flatnonzero(inside), max(width, 1))
    if not len(rows):
        return [np.nan] * 4
    return [x + columns.min(), y + rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
