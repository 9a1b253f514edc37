"""UAV123, its version at 10 frames a second, and the long UAV20L: several sequences may be parts of one folder."""

from __future__ import annotations

import json
from importlib.resources import files as package_files
from pathlib import Path

from evaluation.annotation_files import DatasetError
from evaluation.datasets.files import SequenceFiles, flagged

_ATTRIBUTES = (
    "scale variation",
    "aspect ratio change",
    "low resolution",
    "fast motion",
    "full occlusion",
    "partial occlusion",
    "out of view",
    "background clutter",
    "illumination variation",
    "viewpoint change",
    "camera motion",
    "similar object",
)


def uav123(root: Path) -> list[SequenceFiles]:
    """Files of the 123 sequences of UAV123, 30 frames a second."""
    return _files(root, "UAV123", "UAV123", every=1)


def uav123_10fps(root: Path) -> list[SequenceFiles]:
    """Files of the same 123 sequences, of which each third frame was kept."""
    return _files(root, "UAV123", "UAV123_10fps", every=3)


def uav20l(root: Path) -> list[SequenceFiles]:
    """Files of the 20 sequences of UAV20L, whose pictures lie among those of UAV123."""
    return _files(root, "UAV20L", "UAV20L", every=1)


def attributes(files: SequenceFiles) -> tuple[str, ...]:
    """Of a sequence, from ``att/NAME.txt`` beside its annotation; none where there is no such file.

    Raises:
        DatasetError: the file is not a line of 0 and 1.
    """
    return flagged(files.annotation.parent / "att" / files.annotation.name, _ATTRIBUTES)


def _files(root: Path, table: str, folder: str, every: int) -> list[SequenceFiles]:
    """Files of a version; where each sequence begins and ends in its folder is in the got10k toolkit's table."""
    pictures = root / "data_seq" / ("UAV123" if folder == "UAV20L" else folder)
    if not pictures.is_dir():
        raise DatasetError(f"no folder {pictures}")
    parts = json.loads(package_files("got10k").joinpath("datasets/uav123.json").read_text(encoding="utf-8"))[table]
    return [
        SequenceFiles(
            name,
            root / "anno" / folder / f"{name}.txt",
            pictures / part["folder_name"],
            ((part["start_frame"] - 1) // every + 1, (part["end_frame"] - 1) // every + 1),
        )
        for name, part in sorted(parts.items())
    ]
