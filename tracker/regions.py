"""Crops: the square regions of frames that the networks see."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MEAN_GRID = 64
"""Rows and columns of the pixels whose mean stands for the frame's."""


def crop(frames: Sequence[NDArray[np.uint8]], regions: Tensor, size: int) -> Tensor:
    """Cuts one square region out of each frame and resamples it.

    What lies outside a frame is filled with the frame's mean colour. Regions that shrink by two or more are averaged
    first, so that fine texture does not alias.

    Args:
        frames: one H x W x 3 uint8 BGR frame a region; the same frame may stand several times.
        regions: ``[N, 3]`` (cx, cy, side) in pixels of its frame.
        size: side of the crops in pixels.

    Returns:
        ``[N, 3, size, size]`` uint8 on the device of ``regions``.
    """
    crops = np.empty((len(frames), 3, size, size), np.uint8)
    mean_of: dict[int, tuple[float, ...]] = {}
    for planes, frame, (cx, cy, side) in zip(crops, frames, regions.tolist(), strict=True):
        left, top = cx - side / 2, cy - side / 2
        height, width = frame.shape[:2]
        if id(frame) not in mean_of and not (left >= 0 and top >= 0 and left + side <= width and top + side <= height):
            mean_of[id(frame)] = _mean_colour(frame)
        _crop(frame, left, top, side, mean_of.get(id(frame), ()), planes)
    return torch.from_numpy(crops).to(regions.device)


def _mean_colour(frame: NDArray[np.uint8]) -> tuple[float, ...]:
    """Of pixels on a grid: reading all of a large frame would take longer than the networks."""
    return cv2.mean(cv2.resize(frame, (MEAN_GRID, MEAN_GRID), interpolation=cv2.INTER_NEAREST))[:3]


def _crop(
    frame: NDArray[np.uint8],
    left: float,
    top: float,
    side: float,
    fill: tuple[float, ...],
    planes: NDArray[np.uint8],
) -> None:
    """Writes a region into the three planes of a crop."""
    size = planes.shape[-1]
    height, width = frame.shape[:2]
    factors = _shrinking(side / size)
    scale = math.prod(factors)
    # Whole cells of a grid that is the same for every region; less than a cell is lost at the frame's end.
    x0, y0 = (max(0, int(start)) // scale * scale for start in (left, top))
    columns = min(math.ceil((left + side - x0) / scale), (width - x0) // scale)
    rows = min(math.ceil((top + side - y0) / scale), (height - y0) // scale)
    if factors and columns > 0 and rows > 0:
        frame, left, top = frame[y0 : y0 + rows * scale, x0 : x0 + columns * scale], left - x0, top - y0
        for factor in factors:
            fewer = (frame.shape[1] // factor, frame.shape[0] // factor)
            frame = cv2.resize(frame, fewer, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        left, top, side = left / scale, top / scale, side / scale
    # What the crop reads and a pixel about it, with a fourth channel: OpenCV warps that twice as fast as three.
    height, width = frame.shape[:2]
    x0, x1 = (min(max(0, int(x)), width - 1) for x in (left - 2, left + side + 2))
    y0, y1 = (min(max(0, int(y)), height - 1) for y in (top - 2, top + side + 2))
    part = cv2.cvtColor(frame[y0 : y1 + 1, x0 : x1 + 1], cv2.COLOR_BGR2BGRA)
    # warpAffine maps pixel centres: output centre u + 1/2 lies at left + (u + 1/2) * side / size.
    step = side / size
    matrix = np.array([[step, 0, left - x0 + step / 2 - 0.5], [0, step, top - y0 + step / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)
    cv2.split(warped, [*planes, np.empty((size, size), np.uint8)])


def _shrinking(times: float) -> list[int]:
    """Factors by which a region is averaged that is to shrink so many times: what is left is 0.75 to 1.5, or below 2.

    Means of two by two pixels are by far the quickest. Of very large regions reading takes the time: the two by two in
    the middle of four by four are enough at first.
    """
    halvings = 0 if times < 2 else int(math.log2(times / 0.75))
    return [4] + [2] * (halvings - 2) if halvings > 2 else [2] * halvings
