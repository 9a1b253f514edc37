"""Where a sprite is opaque: a whole picture, the mask of an object, or a soft shape stretched over a box."""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.corpus import Annotation, Mask
from ltr_train.data.geometry import Box, FloatArray

UInt8Array = NDArray[np.uint8]
MARGIN = 2
"""Transparent pixels around a stored mask, so that its feathered edge is whole."""
SIDE = 64
"""Side of a stored shape, px."""
_BLOBS = 48
_EXPONENTS = (2.5, 4.0, 12.0)


@dataclass(frozen=True, slots=True)
class Rim:
    """A whole picture of ``width`` x ``height`` px, opaque but for a border over which it fades; 0 is none."""

    width: int
    height: int
    ramp: float = 0.0

    @property
    def box(self) -> Box:
        """Extent in the picture's pixels."""
        return 0.0, 0.0, float(self.width), float(self.height)


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """An annotated object's mask, its edge feathered."""

    annotation: Annotation
    mask: Mask

    @property
    def box(self) -> Box:
        """Extent of ``pixels`` in the picture's pixels."""
        mask = self.mask
        return (
            float(mask.x - MARGIN),
            float(mask.y - MARGIN),
            float(mask.width + 2 * MARGIN),
            float(mask.height + 2 * MARGIN),
        )

    @property
    def pixels(self) -> UInt8Array:
        """Opacity, H x W."""
        return feathered(self.mask)

    def covers(self, points: FloatArray) -> NDArray[np.bool_]:
        """Whether points [N, 2] of the picture are more than half opaque."""
        pixels = self.mask.pixels
        columns = np.floor(points[:, 0]).astype(np.intp) - self.mask.x
        rows = np.floor(points[:, 1]).astype(np.intp) - self.mask.y
        inside = (columns >= 0) & (rows >= 0) & (columns < pixels.shape[1]) & (rows < pixels.shape[0])
        found = np.zeros(len(points), np.bool_)
        found[inside] = pixels[rows[inside], columns[inside]] > 0
        return found

    def points(self, most: int) -> FloatArray:
        """Evenly spread points [N, 2] of the picture that are more than half opaque, about ``most``."""
        step = max(1, math.ceil(math.sqrt(self.mask.area / most)))
        rows, columns = np.nonzero(self.mask.pixels[step // 2 :: step, step // 2 :: step])
        corner = np.array([self.mask.x, self.mask.y]) + step // 2 + 0.5
        return np.asarray(np.stack([columns, rows], 1) * step + corner, np.float64)


@dataclass(frozen=True, slots=True)
class Shaped:
    """Soft shape number ``shape`` of ``shapes()`` stretched over a box of the picture."""

    shape: int
    box: Box

    @property
    def pixels(self) -> UInt8Array:
        """Opacity, 64 x 64."""
        return shapes()[self.shape]

    def covers(self, points: FloatArray) -> NDArray[np.bool_]:
        """Whether points [N, 2] of the picture are more than half opaque."""
        x, y, w, h = self.box
        cells = np.floor((points - (x, y)) * (SIDE / w, SIDE / h)).astype(np.intp)
        inside = ((cells >= 0) & (cells < SIDE)).all(axis=1)
        found = np.zeros(len(points), np.bool_)
        found[inside] = self.pixels[cells[inside, 1], cells[inside, 0]] > 127
        return found

    def points(self, most: int) -> FloatArray:
        """Evenly spread points [N, 2] of the picture that are more than half opaque, about ``most``."""
        step = max(1, math.ceil(SIDE / math.sqrt(most)))
        rows, columns = np.nonzero(self.pixels[step // 2 :: step, step // 2 :: step] > 127)
        x, y, w, h = self.box
        places = np.stack([columns, rows], 1) * step + step // 2 + 0.5
        return np.asarray(places * (w / SIDE, h / SIDE) + (x, y), np.float64)


def feathered(mask: Mask) -> UInt8Array:
    """A mask's opacity with ``MARGIN`` px around it and an edge three pixels wide."""
    padded = cv2.copyMakeBorder(mask.pixels * 255, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT)
    return np.asarray(cv2.blur(padded, (3, 3)), np.uint8)


def ellipse(exponent: float) -> int:
    """Number of a superellipse with a soft edge: exponent 2.5, 4, or 12, which is nearly a rectangle."""
    return _BLOBS + _EXPONENTS.index(exponent)


def random_blob(rng: np.random.Generator) -> int:
    """Number of an irregular shape."""
    return int(rng.integers(_BLOBS))


@cache
def shapes() -> list[UInt8Array]:
    """All soft shapes, 64 x 64 each: the irregular ones, then the superellipses."""
    rng = np.random.default_rng(7)
    axis = (np.arange(SIDE) + 0.5) / (0.5 * SIDE) - 1.0
    angle = np.arctan2(axis[:, None], axis[None, :])
    radius = np.hypot(axis[:, None], axis[None, :])
    found = []
    for _ in range(_BLOBS):
        edge = np.full((SIDE, SIDE), 0.72)
        for order in range(2, 7):
            edge += rng.normal(0.0, 0.22 / order) * np.cos(order * angle + rng.uniform(0, 2 * math.pi))
        found.append(_soft((np.clip(edge, 0.3, 0.97) - radius) * 12.0))
    for exponent in _EXPONENTS:
        power = np.abs(axis) ** exponent
        found.append(_soft((1.0 - (power[:, None] + power[None, :]) ** (1.0 / exponent)) * 16.0))
    return found


def _soft(opacity: FloatArray) -> UInt8Array:
    return np.clip(opacity * 255.0, 0, 255).astype(np.uint8)
