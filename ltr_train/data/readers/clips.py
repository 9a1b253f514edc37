"""What every reader yields: clips that are read one by one, and helpers that name what is missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltr_train.data.masks import RawMask
from ltr_train.data.pictures import Size

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Item:
    """One annotated object of a frame, in native pixels.

    Attributes:
        box: ``(x, y, w, h)`` px, 0-based.
        category: Name of its class.
        track: Name of the object within its clip, or None for a still.
        mask: The object's pixels, where known.
    """

    box: Sequence[float]
    category: str
    track: str | None = None
    mask: RawMask | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a clip.

    Attributes:
        path: The file.
        number: Order within the clip.
        items: The objects annotated there.
        size: (width, height) of the file; None where it is to be read from the clip's first picture.
    """

    path: str
    number: int
    items: tuple[Item, ...] = ()
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip, or a single still.

    Attributes:
        source: Name of its source; sources share what is drawn within a set.
        name: Of the clip, unique within its source.
        groups: Further names under which a configuration may choose it: its class, its folder.
        read: Gives the frames to use, in order of time; raises ValueError saying what is wrong with them.
    """

    source: str
    name: str
    groups: tuple[str, ...]
    read: Callable[[], list[Frame]]


def expect_folder(folder: Path, layout: str) -> Path:
    """``folder``, which must be there.

    Raises:
        ValueError: It is not; the message gives the layout that was expected.
    """
    if not folder.is_dir():
        raise ValueError(f"folder '{folder}' does not exist; expected {layout}")
    return folder


def read_lines(file: Path, layout: str) -> list[str]:
    """Lines of a list, blank ones left out.

    Raises:
        ValueError: There is no such file, or it is empty; the message gives the layout that was expected.
    """
    if not file.is_file():
        raise ValueError(f"file '{file}' does not exist; expected {layout}")
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"'{file}' is empty; expected {layout}")
    return lines


def pictures_in(folder: Path) -> list[str]:
    """Names of the pictures in a folder, sorted; numbers without leading zeros in the order of numbers.

    Raises:
        ValueError: There is no such folder.
    """
    try:
        names = [name for name in os.listdir(folder) if name.lower().endswith(_PICTURES)]
    except OSError:
        raise ValueError(f"folder of pictures '{folder}' does not exist") from None
    return sorted(
        names, key=lambda name: (len(stem), stem) if (stem := name.rpartition(".")[0]).isdigit() else (0, name)
    )


def read_numbers(file: Path, columns: int) -> FloatArray:
    """Comma-separated numbers [N, columns].

    Raises:
        ValueError: The file is missing, or holds something else.
    """
    try:
        rows = [[float(part) for part in line.split(",")] for line in file.read_text(encoding="utf-8").splitlines()]
        numbers = np.array([row for row in rows if row], np.float64).reshape(len(rows), columns)
    except FileNotFoundError:
        raise ValueError(f"file '{file}' does not exist") from None
    except ValueError as error:
        raise ValueError(f"'{file}' is not {columns} numbers a line, separated by commas: {error}") from error
    return numbers


def read_flags(file: Path) -> BoolArray:
    """Comma-separated or one-a-line 0 and 1: [N] bool.

    Raises:
        ValueError: The file is missing, or holds something else.
    """
    try:
        parts = file.read_text(encoding="utf-8").replace(",", " ").split()
        return np.array([int(part) for part in parts], np.int64) > 0
    except FileNotFoundError:
        raise ValueError(f"file '{file}' does not exist") from None
    except ValueError as error:
        raise ValueError(f"'{file}' is not a list of 0 and 1: {error}") from error


def frames_of_one_target(
    paths: Sequence[str], boxes: FloatArray, shown: BoolArray, category: str, every: int
) -> list[Frame]:
    """Frames of a clip in which one target is annotated throughout.

    Args:
        paths: The pictures, N of them.
        boxes: [N, 4] ``(x, y, w, h)`` native px, 0-based; not positive or not finite where there is none.
        shown: [N] whether the target can be seen.
        category: Its class.
        every: Take each so-many-th frame.

    Raises:
        ValueError: The numbers of pictures, boxes and flags differ.
    """
    if not len(paths) == len(boxes) == len(shown):
        raise ValueError(
            f"{len(paths)} pictures, {len(boxes)} boxes, {len(shown)} flags of visibility; expected as many of each"
        )
    valid = shown & np.isfinite(boxes).all(1) & (boxes[:, 2:] > 0.0).all(1)
    return [
        Frame(paths[i], i, (Item(boxes[i].tolist(), category, "0"),) if valid[i] else ())
        for i in range(0, len(paths), every)
    ]
