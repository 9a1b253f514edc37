"""Annotated sequences in plain folders: ``video.mp4`` or numbered pictures, and ``groundtruth.txt``, each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.sources.base import SourceError
from tracker.sources.images import is_image
from tracker.sources.opening import open_source

_LAYOUT = "one folder a sequence with groundtruth.txt and video.mp4 or numbered pictures"


@dataclass(frozen=True)
class Sequence:
    """One annotated video."""

    name: str
    video: Path
    """The video file, or the folder of numbered pictures."""
    groundtruth: NDArray[np.float64]
    """``[T, 4]`` x, y, w, h in 0-based pixels, nan where the target is absent."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The frames, H x W x 3 uint8 BGR; never more than there are annotations.

        Raises:
            ValueError: there are fewer frames than annotations, or a picture cannot be read.
        """
        with closing(_pictures(self.video) if self.video.is_dir() else _decoded(self.video)) as images:
            for index in range(len(self.groundtruth)):
                image = next(images, None)
                if image is None:
                    raise ValueError(f"{self.video} ends at frame {index}, {len(self.groundtruth)} are annotated")
                yield image


def read_sequences(root: Path) -> list[Sequence]:
    """All sequences below a folder, by name.

    A folder with numbered pictures and ``absence.label`` is one of GOT-10k, whose boxes are 1-based; all others are
    0-based.

    Raises:
        ValueError: there is no such folder, no sequence in it, or one that cannot be used; the message names it.
    """
    if not root.is_dir():
        raise ValueError(f"no folder {root}: expected {_LAYOUT}")
    found = []
    for file in sorted(root.glob("*/groundtruth.txt")):
        video, boxes = file.with_name("video.mp4"), _read_boxes(file)
        if not video.is_file():
            video = file.parent
            if not any(is_image(path) for path in video.iterdir()):
                raise ValueError(f"{video} has groundtruth.txt but no video.mp4 and no pictures")
            labels = file.with_name("absence.label")
            boxes = _got10k(boxes, labels) if labels.is_file() else boxes
        found.append(Sequence(file.parent.name, video, boxes))
    if not found:
        raise ValueError(f"no sequences in {root}: expected {_LAYOUT}")
    return found


def _decoded(video: Path) -> Generator[NDArray[np.uint8], None, None]:
    """Frames of a video file."""
    capture = cv2.VideoCapture(str(video))
    try:
        while (read := capture.read())[0]:
            yield read[1]  # type: ignore[misc]
    finally:
        capture.release()


def _pictures(folder: Path) -> Generator[NDArray[np.uint8], None, None]:
    """Pictures of a folder, in the order of their numbers."""
    try:
        # A relative name of nothing but digits would be a camera's.
        with open_source(str(folder.absolute())) as source:
            for frame in source:
                yield frame.image
    except SourceError as error:
        raise ValueError(str(error)) from error


def _read_boxes(file: Path) -> NDArray[np.float64]:
    expected = "expected x,y,w,h in each line, nan where the target is absent, and a box in the first"
    try:
        boxes = np.loadtxt(file, delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read, {expected}: {error}") from error
    if boxes.shape[1] != 4 or not np.isfinite(boxes[0]).all():
        raise ValueError(f"{file} begins with {', '.join(map(str, boxes[0].tolist()))}: {expected}")
    return boxes


def _got10k(boxes: NDArray[np.float64], labels: Path) -> NDArray[np.float64]:
    """Boxes in 0-based pixels, nan where the labels, a number a line, say absent."""
    try:
        absent = np.loadtxt(labels, ndmin=1) > 0
    except ValueError as error:
        raise ValueError(f"{labels} cannot be read, expected 0 or 1 in each line: {error}") from error
    if len(absent) != len(boxes):
        raise ValueError(f"{labels} has {len(absent)} lines, groundtruth.txt has {len(boxes)}")
    return np.where(absent[:, None], np.nan, boxes - np.array([1.0, 1.0, 0.0, 0.0]))
