"""DAVIS 2017; boxes are the extents of the masks.

Layout: ``<root>/JPEGImages/480p/<clip>/00000.jpg``, ``<root>/Annotations/480p/<clip>/00000.png`` (palette), and
``<root>/ImageSets/2017/<split>.txt``, a clip a line. Splits: train, val.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ltr_train.data.readers.clips import Clip, expect_folder, read_lines
from ltr_train.data.readers.indexed_masks import frames_with_masks
from ltr_train.data.readers.options import SetConfig

SOURCE = "davis"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Clips of a split."""
    split = config.chosen_split("train", "val")
    names = read_lines(root / "ImageSets" / "2017" / f"{split}.txt", "DAVIS 2017's list of clips of that split")
    masks, pictures = (
        expect_folder(root / part / "480p", "DAVIS's JPEGImages/480p and Annotations/480p")
        for part in ("Annotations", "JPEGImages")
    )
    return [
        Clip(SOURCE, n, (), partial(frames_with_masks, masks / n, pictures / n, lambda _: "object", config.every))
        for n in names
    ]
