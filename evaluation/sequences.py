"""Annotated sequences in plain folders: ``video.mp4`` and ``groundtruth.txt`` each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sequence:
    """One annotated video."""

    name: str
    video: Path
    groundtruth: NDArray[np.float64]
    """``[T, 4]`` x, y, w, h in 0-based pixels, nan where the target is absent."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The frames, H x W x 3 uint8 BGR; never more than there are annotations.

        Raises:
            ValueError: the video has fewer frames than annotations.
        """
        capture = cv2.VideoCapture(str(self.video))
        try:
            for index in range(len(self.groundtruth)):
                ok, frame = capture.read()
                if not ok:
                    raise ValueError(f"{self.video} ends at frame {index}, {len(self.groundtruth)} are annotated")
                yield frame  # type: ignore[misc]
        finally:
            capture.release()


def read_sequences(root: Path) -> list[Sequence]:
    """All sequences below a folder, by name.

    Raises:
        ValueError: there is no such folder, no sequence in it, or one that cannot be used; the message names it.
    """
    if not root.is_dir():
        raise ValueError(f"no folder {root}: expected one folder a sequence with video.mp4 and groundtruth.txt")
    found = []
    for file in sorted(root.glob("*/groundtruth.txt")):
        video = file.with_name("video.mp4")
        if not video.is_file():
            raise ValueError(f"{file.parent} has groundtruth.txt but no video.mp4")
        found.append(Sequence(file.parent.name, video, _read_boxes(file)))
    if not found:
        raise ValueError(f"no sequences in {root}: expected one folder a sequence with video.mp4 and groundtruth.txt")
    return found


def _read_boxes(file: Path) -> NDArray[np.float64]:
    expected = "expected x,y,w,h in each line, nan where the target is absent, and a box in the first"
    try:
        boxes = np.loadtxt(file, delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read, {expected}: {error}") from error
    if boxes.shape[1] != 4 or not np.isfinite(boxes[0]).all():
        raise ValueError(f"{file} begins with {', '.join(map(str, boxes[0].tolist()))}: {expected}")
    return boxes
