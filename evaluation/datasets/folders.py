"""Benchmarks that are a folder a sequence: where their files are, and their labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files as package_files
from pathlib import Path

import numpy as np

from evaluation.annotation_files import (
    Bools,
    DatasetError,
    Floats,
    as_boxes,
    list_pictures,
    numbers_in,
    read_labels,
    read_lines,
)
from evaluation.datasets.files import SequenceFiles, flagged

Find = Callable[[Path], list[SequenceFiles]]

_LASOT_LABELS = ("full_occlusion.txt", "out_of_view.txt")
_LASOT_ATTRIBUTES = (
    "illumination variation",
    "partial occlusion",
    "deformation",
    "motion blur",
    "camera motion",
    "rotation",
    "background clutter",
    "viewpoint change",
    "scale variation",
    "full occlusion",
    "fast motion",
    "out of view",
    "low resolution",
    "aspect ratio change",
)
_NFS_ROW = 'lines as 0 10 20 50 80 1 0 0 0 "object": a number, then left, top, right and bottom'


def in_every_folder(annotation: str, pictures: str) -> Find:
    """Finds a sequence for each annotation file.

    Args:
        annotation: Path of the annotation from the root, with ``*`` for names; the sequence bears the name of its
            folder.
        pictures: Path of the folder of pictures from that of the annotation.
    """

    def find(root: Path) -> list[SequenceFiles]:
        found = sorted(root.glob(annotation))
        return [SequenceFiles(file.parent.name, file, file.parent / pictures) for file in found]

    return find


def lasot(root: Path) -> list[SequenceFiles]:
    """Files of the sequences in ``testing_set.txt``, or of the 280 of the got10k toolkit's list where there is none.

    Their folders lie in those of their classes, or in the root itself.
    """
    if (root / "testing_set.txt").is_file():
        names = read_lines(root / "testing_set.txt", "the name of a sequence in each line")
    else:
        names = json.loads(package_files("got10k").joinpath("datasets/lasot.json").read_text(encoding="utf-8"))["test"]
    folders = (root / name if (root / name).is_dir() else root / name.rpartition("-")[0] / name for name in names)
    return [SequenceFiles(folder.name, folder / "groundtruth.txt", folder / "img") for folder in folders]


def lasot_absent(files: SequenceFiles, count: int) -> Bools:
    """Frames in which the target is fully occluded or out of view."""
    hidden, gone = (read_labels(files.annotation.with_name(name), count) > 0 for name in _LASOT_LABELS)
    return hidden | gone


def lasot_attributes(files: SequenceFiles) -> tuple[str, ...]:
    """Of ``att/NAME.txt`` in the root, which comes with the benchmark's toolkit; none where there is no such file."""
    for root in files.annotation.parents[1:3]:
        if found := flagged(root / "att" / f"{files.name}.txt", _LASOT_ATTRIBUTES):
            return found
    return ()


def got10k(split: str) -> Find:
    """Finds the sequences in ``SPLIT/list.txt``."""

    def find(root: Path) -> list[SequenceFiles]:
        names = read_lines(root / split / "list.txt", f"the name of a sequence of GOT-10k's {split} set in each line")
        folders = (root / split / name for name in names)
        return [SequenceFiles(folder.name, folder / "groundtruth.txt", folder) for folder in folders]

    return find


def got10k_absent(files: SequenceFiles, count: int) -> Bools:
    """Frames in which the target is absent, or none of its eight eighths can be seen."""
    folder = files.annotation.parent
    return (read_labels(folder / "absence.label", count) > 0) | (read_labels(folder / "cover.label", count) == 0)


def got10k_attributes(files: SequenceFiles) -> tuple[str, ...]:
    """The class and the motion of the target, of ``meta_info.ini``; none where there is no such file."""
    file = files.annotation.with_name("meta_info.ini")
    if not file.is_file():
        return ()
    entries = dict(line.split(": ", 1) for line in read_lines(file, "name: value lines") if ": " in line)
    return tuple(entries[key] for key in ("major_class", "motion_class") if key in entries)


def trackingnet(root: Path) -> list[SequenceFiles]:
    """Files of the test set, or of the chunk (``TRAIN_0``) that the root itself is."""
    root = root if (root / "anno").is_dir() else root / "TEST"
    return [SequenceFiles(file.stem, file, root / "frames" / file.stem) for file in sorted(root.glob("anno/*.txt"))]


def nfs(fps: int) -> Find:
    """Finds the sequences at 30 or 240 frames a second."""

    def find(root: Path) -> list[SequenceFiles]:
        found = sorted(root.glob(f"*/{fps}/*.txt"))
        return [SequenceFiles(file.stem, file, file.parent / file.stem) for file in found]

    return find


def read_nfs(file: Path, origin: float) -> Floats:
    """Boxes of a file of NfS, ``[T, 4]``. Those of 240 frames a second, where the pictures are 30, are thinned to 30.

    Raises:
        DatasetError: a line is not one of NfS; names it.
    """
    rows = []
    for number, line in enumerate(read_lines(file, _NFS_ROW), 1):
        try:
            left, top, right, bottom = numbers_in(" ".join(line.split()[1:5]))
        except ValueError:
            raise DatasetError(f"{file}, line {number}: '{line[:60]}' is no box, expected {_NFS_ROW}") from None
        rows.append((left, top, right - left, bottom - top))
    boxes = as_boxes(np.array(rows), file, origin)
    pictures = len(list_pictures(file.with_suffix("")))
    return boxes[::8] if pictures and abs(len(boxes) / pictures - 8) < 1 else boxes


def tcolor128(root: Path) -> list[SequenceFiles]:
    """Files of the sequences that have ``NAME_gt.txt``; ``NAME_frames.txt`` holds the first and last picture."""
    return [_tcolor128(file) for file in sorted(root.glob("*/*_gt.txt"))]


def _tcolor128(file: Path) -> SequenceFiles:
    frames = file.with_name(file.name.removesuffix("_gt.txt") + "_frames.txt")
    expected = "the numbers of the first and the last picture: 1,148"
    line = read_lines(frames, expected)[0]
    try:
        first, last = (int(number) for number in numbers_in(line))
    except ValueError:
        raise DatasetError(f"{frames}, line 1: '{line[:60]}'; expected {expected}") from None
    return SequenceFiles(file.parent.name, file, file.parent / "img", (first, last))
