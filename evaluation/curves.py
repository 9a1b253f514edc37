"""Success and precision curves of one pass from the first frame's box (Wu et al., CVPR 2013): pure functions of arrays.

The convention is OTB's, the one of most published tables: the first frame counts, with the given box, which is the
ground truth; success is an overlap strictly above a threshold of 0, 0.05, ..., 1, precision a distance of the centres
of at most 0, 1, ..., 50 pixels, read at 20. Normalised precision (Müller et al., ECCV 2018) divides the distance by the
ground truth's width and height; its curve over 0, 0.01, ..., 0.5 is read at 0.2, not averaged. Frames without the
target are left out; a target at or beyond the frame's border counts as any other.

AO is another figure: `evaluation.metrics.average_overlap` leaves the first frame out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evaluation.metrics import Floats, box_iou

OVERLAPS: Floats = np.arange(21) / 20
PIXELS: Floats = np.arange(51.0)
NORMALISED: Floats = np.arange(51) / 100
_AT_PIXELS, _AT_NORMALISED = 20, 20
"""Indices of the thresholds at which precision is read: 20 pixels, and 0.2 of the target's size."""


class FrameErrors(NamedTuple):
    """How well the boxes of ``T`` frames fit; nan where the target is absent."""

    overlap: Floats
    """``[T]`` IoU."""
    distance: Floats
    """``[T]`` distance of the centres in pixels."""
    normalised: Floats
    """``[T]`` length of the centres' difference, x over the ground truth's width and y over its height."""


class Curves(NamedTuple):
    """Shares of the frames, of one sequence or averaged over several."""

    success: Floats
    """``[21]`` at the thresholds `OVERLAPS`."""
    precision: Floats
    """``[51]`` at `PIXELS`."""
    normalised: Floats
    """``[51]`` at `NORMALISED`."""

    @property
    def auc(self) -> float:
        """Mean of the success curve."""
        return float(self.success.mean())

    @property
    def precision_20(self) -> float:
        """Precision at 20 pixels."""
        return float(self.precision[_AT_PIXELS])

    @property
    def normalised_precision(self) -> float:
        """Normalised precision at 0.2."""
        return float(self.normalised[_AT_NORMALISED])


def frame_errors(boxes: Floats, groundtruth: Floats) -> FrameErrors:
    """Compares boxes with the ground truth; the first box is replaced by the ground truth, which is what was given.

    Args:
        boxes: ``[T, 4]`` x, y, w, h in pixels, finite.
        groundtruth: ``[T, 4]``, nan where the target is absent, else of sizes above zero.
    """
    boxes = np.concatenate((groundtruth[:1], boxes[1:]))
    difference = boxes[:, :2] + 0.5 * boxes[:, 2:] - (groundtruth[:, :2] + 0.5 * groundtruth[:, 2:])
    return FrameErrors(
        box_iou(boxes, groundtruth),
        np.linalg.norm(difference, axis=1),
        np.linalg.norm(difference / groundtruth[:, 2:], axis=1),
    )


def sequence_curves(errors: FrameErrors) -> Curves:
    """The curves of one sequence over the frames whose errors are not nan, of which the first is always one."""
    overlap, distance, normalised = (values[~np.isnan(values)] for values in errors)
    return Curves(
        (overlap > OVERLAPS[:, None]).mean(1),
        (distance <= PIXELS[:, None]).mean(1),
        (normalised <= NORMALISED[:, None]).mean(1),
    )


def mean_curves(curves: Sequence[Curves]) -> Curves:
    """Mean over at least one sequence, each weighing the same whatever its length."""
    return Curves(*(np.mean(values, axis=0) for values in zip(*curves, strict=True)))
