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
        ValueError: there is no such folder, or no sequence in it.
    """
    if not root.is_dir():
        raise ValueError(f"no folder {root}: expected one folder a sequence with video.mp4 and groundtruth.txt")
    found = []
    for file in sorted(root.glob("*/groundtruth.txt")):
        video = file.with_name("video.mp4")
        if not video.is_file():
            raise ValueError(f"{file.parent} has groundtruth.txt but no video.mp4")
        found.append(Sequence(file.parent.name, video, np.loadtxt(file, delimiter=",", ndmin=2)))
    if not found:
        raise ValueError(f"no sequences in {root}: expected one folder a sequence with video.mp4 and groundtruth.txt")
    return found
