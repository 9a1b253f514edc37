"""TrackingNet.

Layout: ``<root>/TRAIN_0`` ... ``TRAIN_11``, each with ``frames/<clip>/0.jpg``, ``1.jpg`` ... and ``anno/<clip>.txt``
(x,y,w,h a line); any number of the twelve will do. TEST has only first frames annotated and is not read. Boxes are
YouTube-BoundingBoxes' corners, which are shares of the picture's sides, times its size, filled in between by a tracker:
the origin is 0, and they may reach out of the picture. The got10k toolkit's class does not work (it looks for the
pictures beside ``frames``), so this is read here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ltr_train.data.readers.clips import Clip, Frame, expect_folder, frames_of_one_target, pictures_in, read_numbers
from ltr_train.data.readers.options import SetConfig

SOURCE = "trackingnet"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Clips of all chunks found."""
    config.chosen_split("train")
    chunks = sorted(
        expect_folder(root, "TrackingNet's TRAIN_0 ... TRAIN_11").glob("TRAIN_*"),
        key=lambda folder: (len(folder.name), folder.name),
    )
    if not chunks:
        raise ValueError(f"no chunk in '{root}'; expected {root}/TRAIN_0 with anno and frames")
    clips = []
    for chunk in chunks:
        for part in ("anno", "frames"):
            expect_folder(chunk / part, "anno and frames in every chunk of TrackingNet")
        for file in sorted((chunk / "anno").glob("*.txt")):
            clips.append(Clip(SOURCE, file.stem, (chunk.name,), partial(_frames, chunk, file, config.every)))
    return clips


def _frames(chunk: Path, file: Path, every: int) -> list[Frame]:
    folder = chunk / "frames" / file.stem
    boxes = read_numbers(file, 4)
    paths = [str(folder / name) for name in pictures_in(folder)]
    return frames_of_one_target(paths, boxes, np.ones(len(boxes), bool), "object", every)
