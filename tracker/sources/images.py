"""Folders and globs of still images."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.sources.base import USUAL_FPS, Frame, Source, SourceDamaged

IMAGE_SUFFIXES = frozenset(
    (".bmp", ".jpeg", ".jpg", ".jp2", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)


class ImageFiles(Source):
    """Image files as the frames of a video of 25 frames a second: images bear no times.

    Args:
        location: what the user named.
        name: short name of the source.
        paths: the images, in the order of the frames.

    Raises:
        SourceError: from the first frame, where the first image cannot be read.
        SourceDamaged: where a later image cannot be read.
    """

    def __init__(self, location: str, name: str, paths: Sequence[Path]) -> None:
        super().__init__(location, name)
        self._paths = paths
        self.frame_count = len(paths)

    def _read(self) -> Generator[Frame, None, None]:
        for index, path in enumerate(self._paths):
            yield Frame(_read_image(path), index, index / USUAL_FPS)

    def _release(self) -> None:
        """Nothing is held open between two images."""


def is_image(path: Path) -> bool:
    """Whether the name is that of an image that OpenCV reads."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sorting key: img2 comes before img10."""
    parts = re.findall(r"\d+|\D+", str(path))
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part.lower()) for part in parts]


def _read_image(path: Path) -> NDArray[np.uint8]:
    # imread takes no names outside ASCII on Windows, and warns where it cannot read.
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceDamaged(f"{path}: cannot be read: {error.strerror}; replace or remove it") from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise SourceDamaged(f"{path}: no readable image, damaged or cut short; replace or remove it")
    return image  # type: ignore[return-value]
