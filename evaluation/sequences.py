"""Annotated sequences: what trackers are run on and measured by. Reads them from plain folders."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.annotation_files import Bools, DatasetError, Floats, list_pictures, read_boxes, read_labels
from tracker.sources.base import SourceError
from tracker.sources.images import ImageFiles

_LAYOUT = "one folder a sequence with groundtruth.txt and video.mp4, numbered pictures, or numbered pictures in img"


@dataclass(frozen=True)
class Sequence:
    """One annotated video of ``T`` frames."""

    name: str
    source: Path | tuple[Path, ...]
    """A video file, or the ``T`` pictures in order."""
    groundtruth: Floats
    """``[T, 4]`` x, y, w, h in 0-based pixels, nan where the target is absent or the frame is not annotated."""
    absent: Bools
    """``[T]`` the annotators say that the target is out of view or wholly hidden. A row of nan that is not absent is
    not annotated."""
    attributes: tuple[str, ...] = ()
    """What the benchmark says is difficult in it, in the benchmark's words."""

    def __len__(self) -> int:
        return len(self.groundtruth)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The ``T`` frames, H x W x 3 uint8 BGR.

        Raises:
            ValueError: there are fewer frames than annotations, or a picture cannot be read; the message names the
                file and the frame, counted from 0.
        """
        with closing(_decoded(self.source) if isinstance(self.source, Path) else _pictures(self.source)) as images:
            for index in range(len(self)):
                try:
                    image = next(images, None)
                except SourceError as error:
                    raise ValueError(f"frame {index} of {self.name}: {error}") from error
                if image is None:
                    place = self.source if isinstance(self.source, Path) else self.source[0].parent
                    raise ValueError(f"{place} ends at frame {index}, {len(self)} are annotated")
                yield image


def read_sequences(root: Path) -> list[Sequence]:
    """All sequences below a folder, by name.

    A folder with numbered pictures and ``absence.label`` is one of GOT-10k, whose boxes are 1-based; all others are
    0-based. Further pictures than those annotated are left out.

    Raises:
        DatasetError: there is no such folder, no sequence in it, or one that cannot be used; the message names it.
    """
    return [read_sequence(root / name) for name in sequence_names(root)]


def sequence_names(root: Path) -> list[str]:
    """Names of the sequences below a folder, sorted.

    Raises:
        DatasetError: there is no such folder, or no sequence in it.
    """
    if not root.is_dir():
        raise DatasetError(f"no folder {root}: expected {_LAYOUT}")
    names = sorted(file.parent.name for file in root.glob("*/groundtruth.txt"))
    if not names:
        raise DatasetError(f"no sequences in {root}: expected {_LAYOUT}")
    return names


def read_sequence(folder: Path) -> Sequence:
    """One of the sequences of `read_sequences`.

    Raises:
        DatasetError: it cannot be used; the message names the file and, where it has one, the line.
    """
    file, video, labels = (folder / name for name in ("groundtruth.txt", "video.mp4", "absence.label"))
    if video.is_file():
        boxes = read_boxes(file)
        return Sequence(folder.name, video, boxes, np.isnan(boxes[:, 0]))
    pictures = list_pictures(folder) or list_pictures(folder / "img")
    if not pictures:
        raise DatasetError(f"{folder} has groundtruth.txt but no video.mp4 and no pictures")
    boxes = read_boxes(file, origin=1.0 if labels.is_file() else 0.0)
    if labels.is_file():
        boxes[read_labels(labels, len(boxes)) > 0] = np.nan
    if len(pictures) < len(boxes):
        raise DatasetError(f"{file} has {len(boxes)} lines, {pictures[0].parent} has {len(pictures)} pictures")
    return Sequence(folder.name, pictures[: len(boxes)], boxes, np.isnan(boxes[:, 0]))


def _decoded(video: Path) -> Generator[NDArray[np.uint8], None, None]:
    """Frames of a video file."""
    capture = cv2.VideoCapture(str(video))
    try:
        while (read := capture.read())[0]:
            yield read[1]  # type: ignore[misc]
    finally:
        capture.release()


def _pictures(paths: tuple[Path, ...]) -> Generator[NDArray[np.uint8], None, None]:
    with ImageFiles(str(paths[0].parent), paths[0].parent.name, paths) as source:
        for frame in source:
            yield frame.image
