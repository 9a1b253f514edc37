"""Crops: the square regions of frames that the networks see."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def crop(frames: Sequence[NDArray[np.uint8]], regions: Tensor, size: int) -> Tensor:
    """Cuts one square region out of each frame and resamples it.

    What lies outside a frame is filled with the frame's mean colour. Regions that shrink by more than two are averaged
    first, so that fine texture does not alias.

    Args:
        frames: one H x W x 3 uint8 BGR frame a region; the same frame may stand several times.
        regions: ``[N, 3]`` (cx, cy, side) in pixels of its frame.
        size: side of the crops in pixels.

    Returns:
        ``[N, 3, size, size]`` uint8 on the device of ``regions``.
    """
    crops = np.empty((len(frames), size, size, 3), np.uint8)
    mean_of: dict[int, tuple[float, ...]] = {}
    for i, (frame, (cx, cy, side)) in enumerate(zip(frames, regions.tolist(), strict=True)):
        if id(frame) not in mean_of:
            mean_of[id(frame)] = cv2.mean(cv2.resize(frame, (32, 32), interpolation=cv2.INTER_AREA))[:3]
        crops[i] = _crop(frame, cx - side / 2, cy - side / 2, side, size, mean_of[id(frame)])
    return torch.from_numpy(crops).permute(0, 3, 1, 2).to(regions.device)


def _crop(
    frame: NDArray[np.uint8], left: float, top: float, side: float, size: int, fill: tuple[float, ...]
) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    reduce = int(side / size)
    x_scale = y_scale = 1.0
    if reduce >= 2:
        x0, y0 = max(0, int(left)), max(0, int(top))
        x1, y1 = min(width, int(left + side) + 1), min(height, int(top + side) + 1)
        if x1 - x0 >= reduce and y1 - y0 >= reduce:
            reduced = (max(1, (x1 - x0) // reduce), max(1, (y1 - y0) // reduce))
            x_scale, y_scale = (x1 - x0) / reduced[0], (y1 - y0) / reduced[1]
            frame = cv2.resize(frame[y0:y1, x0:x1], reduced, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            left, top = left - x0, top - y0
    # warpAffine maps pixel centres: output centre u + 1/2 lies at left + (u + 1/2) * side / size.
    sx, sy = side / size / x_scale, side / size / y_scale
    matrix = np.array([[sx, 0, left / x_scale + sx / 2 - 0.5], [0, sy, top / y_scale + sy / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(  # type: ignore[return-value]
        frame, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )
