"""What users hand in, checked: frames of several kinds and boxes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
SMALLEST_SIDE = 1.0
"""Pixels of width and height that a first box must have inside the frame."""


def to_bgr(frame: Any, rgb: bool = False) -> NDArray[np.uint8]:
    """A frame as H x W x 3 uint8 BGR.

    Grey frames (H x W or H x W x 1) are repeated over the channels, an alpha channel is dropped, 16-bit values, which
    must use the full range, are divided by 257, and floats between 0 and 1 are scaled to 255.

    Args:
        frame: an array of one of these kinds.
        rgb: the channels are red, green, blue (and alpha) rather than OpenCV's order.

    Raises:
        ValueError: the frame is empty, or its shape, type or values have no plain meaning.
    """
    image = np.asarray(frame)
    if image.ndim not in (2, 3) or image.size == 0 or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(f"a frame must be H x W, H x W x 1, x 3 or x 4 and not empty, got the shape {image.shape}")
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    elif image.dtype.kind == "f":
        low, high = float(image.min()), float(image.max())
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"a float frame must hold values from 0 to 1, got {low:g} to {high:g}: scale it, or convert it to uint8"
            )
        image = np.rint(image * 255).astype(np.uint8)
    elif image.dtype == np.bool_:
        image = image.astype(np.uint8) * 255
    elif image.dtype != np.uint8:
        raise ValueError(f"a frame must be uint8, uint16 or float from 0 to 1, got {image.dtype}")
    if image.ndim == 2 or image.shape[2] == 1:
        return np.ascontiguousarray(np.repeat(image.reshape(*image.shape[:2], 1), 3, 2))
    if rgb:
        code = cv2.COLOR_RGBA2BGR if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        return cv2.cvtColor(image, code)  # type: ignore[return-value]
    return np.ascontiguousarray(image[:, :, :3])


def check_box(box: Sequence[float], width: int, height: int) -> Box:
    """A first box (x, y, w, h) in pixels, clipped to its frame; a box that had to be clipped is warned of.

    Raises:
        ValueError: it has not four finite numbers, no size, or lies wholly outside the frame.
    """
    where = f"the frame is {width} x {height} pixels"
    try:
        x, y, w, h = (float(value) for value in box)
    except (TypeError, ValueError):
        raise ValueError(f"a box is four numbers x, y, w, h, got {box!r}; {where}") from None
    shown = f"({x:g}, {y:g}, {w:g}, {h:g})"
    if not all(math.isfinite(value) for value in (x, y, w, h)):
        raise ValueError(f"box {shown} has a number that is not finite; {where}")
    if w <= 0 or h <= 0:
        raise ValueError(f"box {shown} has no size: w and h must be above zero; {where}")
    x0, y0, x1, y1 = max(x, 0.0), max(y, 0.0), min(x + w, float(width)), min(y + h, float(height))
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"box {shown} lies wholly outside the frame; {where}")
    if min(x1 - x0, y1 - y0) < SMALLEST_SIDE:
        raise ValueError(f"box {shown} shows less than {SMALLEST_SIDE:g} pixel of the target in the frame; {where}")
    clipped = (x0, y0, x1 - x0, y1 - y0)
    if max(abs(a - b) for a, b in zip(clipped, (x, y, w, h), strict=True)) > 1e-3:
        new = ", ".join(f"{value:g}" for value in clipped)
        warnings.warn(f"box {shown} reaches outside the frame and was clipped to ({new}); {where}", stacklevel=3)
    return clipped
