"""Errors of boxes frame by frame, and the shares of frames that success and precision curves are made of.

Success curves (Wu et al., CVPR 2013) are shares of frames by IoU, precision curves by the distance of the centres, and
normalised precision (Müller et al., ECCV 2018) divides that by the ground truth's width and height. What counts, and at
which thresholds, is a convention: `evaluation.conventions`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evaluation.metrics import Floats, box_iou


class FrameErrors(NamedTuple):
    """How well the boxes of ``T`` frames fit; nan where the ground truth is nan."""

    overlap: Floats
    """``[T]`` IoU."""
    distance: Floats
    """``[T]`` distance of the centres in pixels."""
    normalised: Floats
    """``[T]`` length of the centres' difference, x over the ground truth's width and y over its height."""


def frame_errors(boxes: Floats, groundtruth: Floats) -> FrameErrors:
    """Compares boxes with the ground truth.

    Args:
        boxes: ``[T, 4]`` x, y, w, h in pixels, finite.
        groundtruth: ``[T, 4]``, or nan.
    """
    difference = boxes[:, :2] + 0.5 * boxes[:, 2:] - (groundtruth[:, :2] + 0.5 * groundtruth[:, 2:])
    return FrameErrors(
        box_iou(boxes, groundtruth),
        np.linalg.norm(difference, axis=1),
        np.linalg.norm(difference / groundtruth[:, 2:], axis=1),
    )


def share_above(values: Floats, thresholds: Floats) -> Floats:
    """Share ``[K]`` of the values ``[T]`` strictly above each threshold; nan where there is no value."""
    return _share(values[None] > thresholds[:, None])


def share_within(values: Floats, thresholds: Floats) -> Floats:
    """Share ``[K]`` of the values ``[T]`` at or below each threshold; nan where there is no value."""
    return _share(values[None] <= thresholds[:, None])


def _share(hits: np.ndarray) -> Floats:
    share: Floats = hits.mean(1) if hits.shape[1] else np.full(len(hits), np.nan)
    return share
