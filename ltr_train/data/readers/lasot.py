"""LaSOT.

Layout: ``<root>/<class>/<class>-<number>/`` holds ``img/00000001.jpg`` ..., ``groundtruth.txt`` (x,y,w,h a line),
``full_occlusion.txt`` and ``out_of_view.txt`` (one line of 0 and 1); ``<root>/training_set.txt`` and
``testing_set.txt`` name the clips of the splits train and test; split ``all`` needs neither. Coordinates are 1-based
(github.com/HengLan/LaSOT_Evaluation_Toolkit, issue 14). The got10k toolkit's class does not work (its constructor
raises TypeError), so this is read here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ltr_train.data.readers.clips import (
    Clip,
    Frame,
    expect_folder,
    frames_of_one_target,
    pictures_in,
    read_flags,
    read_lines,
    read_numbers,
)
from ltr_train.data.readers.options import SetConfig

SOURCE = "lasot"
_LISTS = {"train": "training_set.txt", "test": "testing_set.txt"}
_LAYOUT = "LaSOT's <class>/<class>-<number>/groundtruth.txt"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Clips of a split."""
    split = config.chosen_split("train", "test", "all")
    expect_folder(root, _LAYOUT)
    if split == "all":
        names = sorted(path.parent.name for path in root.glob("*/*/groundtruth.txt"))
        if not names:
            raise ValueError(f"no clip in '{root}'; expected {_LAYOUT}")
    else:
        names = read_lines(root / _LISTS[split], f"LaSOT's list of the split '{split}', or split: all")
    return [_clip(root, name, config.every) for name in names]


def _clip(root: Path, name: str, every: int) -> Clip:
    kind = name.rpartition("-")[0]
    return Clip(SOURCE, name, (kind,), partial(_frames, root / kind / name, kind, every))


def _frames(folder: Path, kind: str, every: int) -> list[Frame]:
    boxes = read_numbers(folder / "groundtruth.txt", 4) - (1.0, 1.0, 0.0, 0.0)
    hidden, gone = read_flags(folder / "full_occlusion.txt"), read_flags(folder / "out_of_view.txt")
    if len(hidden) != len(gone):
        raise ValueError(
            f"full_occlusion.txt and out_of_view.txt of '{folder}' have {len(hidden)} and {len(gone)} flags"
        )
    paths = [str(folder / "img" / name) for name in pictures_in(folder / "img")]
    return frames_of_one_target(paths, boxes, ~(hidden | gone), kind, every)
