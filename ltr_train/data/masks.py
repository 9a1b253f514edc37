"""Masks of objects, run-length coded until their pixels are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from ltr_train.data.pictures import Size, UInt8Array

# An outline as COCO stores it: polygons [x0, y0, x1, y1, ...] or a run-length code; or the pixels themselves.
RawMask = Sequence[Sequence[float]] | dict[str, Any] | UInt8Array


@dataclass(slots=True, eq=False)
class Mask:
    """Pixels of one object.

    Attributes:
        code: Run lengths over the whole picture, as pycocotools writes them.
        size: (width, height) of the picture, px.
        x: Left edge of the rectangle that the object occupies, px of the picture.
        y: Its upper edge.
        width: Of the rectangle.
        height: Of the rectangle.
        area: Pixels of the object.
        kept: ``pixels`` where they were decoded for good.
    """

    code: bytes
    size: Size
    x: int
    y: int
    width: int
    height: int
    area: int
    kept: UInt8Array | None = None

    @property
    def pixels(self) -> UInt8Array:
        """The rectangle, height x width uint8, 0 or 1."""
        return self._decoded() if self.kept is None else self.kept

    def keep(self) -> None:
        """Decode for good."""
        self.kept = self._decoded()

    def _decoded(self) -> UInt8Array:
        whole = _coco_mask().decode({"size": [self.size[1], self.size[0]], "counts": self.code})
        part = whole[self.y : self.y + self.height, self.x : self.x + self.width]
        return np.ascontiguousarray(part, np.uint8)


def make_mask(raw: RawMask, native: Size, size: Size) -> Mask | None:
    """A mask in pixels of the picture at its working size.

    Args:
        raw: The mask in native pixels.
        native: (width, height) of the picture file.
        size: (width, height) of the picture as it is used.

    Returns:
        None where fewer than 2 px a side are left, or where the polygons are no polygons.

    Raises:
        ValueError: The mask has another size than the picture, its code is broken, or pycocotools is not installed.
    """
    coco_mask = _coco_mask()
    if isinstance(raw, np.ndarray):
        code = coco_mask.encode(np.asfortranarray(_resized(raw, native, size)))
    elif isinstance(raw, dict):
        code = _recoded(raw, native, size)
    else:
        if not raw or any(len(polygon) < 6 for polygon in raw):
            return None
        scale = np.array([size[0] / native[0], size[1] / native[1]])
        scaled = [(np.reshape(p, (-1, 2)) * scale).ravel().tolist() for p in raw]
        code = coco_mask.merge(coco_mask.frPyObjects(scaled, size[1], size[0]))
    x, y, width, height = (int(v) for v in coco_mask.toBbox(code))
    if width < 2 or height < 2:
        return None
    return Mask(code["counts"], size, x, y, width, height, int(coco_mask.area(code)))


def _recoded(raw: dict[str, Any], native: Size, size: Size) -> dict[str, Any]:
    coco_mask = _coco_mask()
    try:
        compressed = isinstance(raw["counts"], str | bytes)
        code: dict[str, Any] = raw if compressed else coco_mask.frPyObjects(raw, *raw["size"])
        pixels = coco_mask.decode(code)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"a run-length coded mask is broken: {error!r}") from error
    return dict(coco_mask.encode(np.asfortranarray(_resized(pixels, native, size))))


def _resized(pixels: UInt8Array, native: Size, size: Size) -> UInt8Array:
    height, width = pixels.shape
    if (width, height) != native:
        raise ValueError(f"a mask is {width} x {height} px; expected the picture's {native[0]} x {native[1]}")
    binary = (pixels > 0).astype(np.uint8)
    if size == native:
        return binary
    return (cv2.resize(binary * 255, size, interpolation=cv2.INTER_AREA) > 127).astype(np.uint8)


def _coco_mask() -> ModuleType:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ValueError("masks need the train extra: pip install 'ebtrack[train]'") from error
    return mask
