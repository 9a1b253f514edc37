"""Figures of merit of boxes against ground truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def box_iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union ``[T]`` of pixel boxes ``[T, 4]`` (x, y, w, h); nan where either is nan."""
    low = np.maximum(a[:, :2], b[:, :2])
    high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    intersection = np.clip(high - low, 0, None).prod(1)
    union = a[:, 2:].prod(1) + b[:, 2:].prod(1) - intersection
    return intersection / np.maximum(union, np.finfo(float).tiny)


def average_overlap(boxes: Floats, groundtruth: Floats) -> float:
    """AO of one sequence: mean IoU over the annotated frames after the first, where boxes are ``[T, 4]``."""
    return float(np.nanmean(box_iou(boxes, groundtruth)[1:]))
