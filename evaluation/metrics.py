"""Figures of merit of boxes, presence and intervals against ground truth: pure functions of arrays.

Boxes are pixel boxes (x, y, w, h), nan where the target is absent; intervals are over (cx, cy, w, h) in pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def box_iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union ``[T]`` of pixel boxes ``[T, 4]`` (x, y, w, h); nan where either is nan."""
    low = np.maximum(a[:, :2], b[:, :2])
    high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    intersection = np.clip(high - low, 0, None).prod(1)
    union = a[:, 2:].prod(1) + b[:, 2:].prod(1) - intersection
    return intersection / np.maximum(union, np.finfo(float).tiny)


def average_overlap(boxes: Floats, groundtruth: Floats) -> float:
    """AO of one sequence: mean IoU over the annotated frames after the first, where boxes are ``[T, 4]``.

    nan where there is no such frame.
    """
    return _mean_of_known(box_iou(boxes, groundtruth)[1:])


def success_rate(boxes: Floats, groundtruth: Floats, threshold: float) -> float:
    """SR of one sequence: share of the annotated frames after the first whose IoU is above ``threshold``.

    Boxes are ``[T, 4]``; nan where there is no such frame.
    """
    overlap = box_iou(boxes, groundtruth)[1:]
    return _mean_of_known(np.where(np.isnan(overlap), np.nan, overlap > threshold))


def presence_auroc(presence: Floats, positive: Bools) -> float:
    """Probability that a positive frame has more presence than a negative one, ties counting one half.

    The area under the ROC curve by ranks (Mann and Whitney, 1947), in O(T log T).

    Args:
        presence: ``[T]`` P(present), the score.
        positive: ``[T]`` what it shall tell, for example whether the target is there, or whether the box meets it.

    Returns:
        nan where all frames are positive or none is.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return float("nan")
    _, tie, count = np.unique(presence, return_inverse=True, return_counts=True)
    # Equal values share the mean of their ranks, which begin at 1.
    rank = np.cumsum(count) - 0.5 * (count - 1)
    smallest = positives * (positives + 1) / 2
    return float((rank[tie][positive].sum() - smallest) / (positives * negatives))


class Reliability(NamedTuple):
    """Predicted against observed presence, by bins of P(present); nan in a bin without frames."""

    edges: Floats
    """``[B + 1]`` bounds of the bins, from 0 to 1."""
    weight: Floats
    """``[B]`` share of the frames, summing to 1."""
    predicted: Floats
    """``[B]`` mean P(present)."""
    observed: Floats
    """``[B]`` share of frames that show the target."""

    @property
    def expected_calibration_error(self) -> float:
        """ECE: mean distance of predicted and observed presence, bins weighted by their share of the frames."""
        return float(np.nansum(self.weight * np.abs(self.predicted - self.observed)))


def presence_reliability(presence: Floats, present: Bools, balanced: bool = False, bins: int = 10) -> Reliability:
    """The reliability table of presence (Guo et al., ICML 2017) in bins of equal width.

    Args:
        presence: ``[T]`` P(present).
        present: ``[T]`` whether the target is there.
        balanced: frames are weighted so that those with and those without the target have the same total. Without it,
            where absence is rare, a tracker that always says "present" has a small error.
        bins: how many.

    Raises:
        ValueError: there is no frame, or, balanced, no frame with or none without the target.
    """
    classes = (present, ~present) if balanced else (np.ones_like(present),)
    if not all(member.any() for member in classes):
        raise ValueError("reliability needs frames, and balanced ones both with and without the target")
    weight = np.sum([member / (len(classes) * member.sum()) for member in classes], 0)
    bin_of = np.minimum((presence * bins).astype(int), bins - 1)

    def total(values: Floats) -> Floats:
        return np.bincount(bin_of, values, minlength=bins).astype(float)

    share = total(weight)
    some = np.where(share > 0, share, np.nan)
    return Reliability(
        np.linspace(0, 1, bins + 1), share, total(weight * presence) / some, total(weight * present) / some
    )


def interval_coverage(low: Floats, high: Floats, groundtruth: Floats, counted: Bools) -> Floats:
    """Share of frames whose interval holds the truth, by coordinate.

    Args:
        low: ``[T, 4]`` lower ends of the intervals of (cx, cy, w, h).
        high: ``[T, 4]`` upper ends.
        groundtruth: ``[T, 4]`` pixel boxes.
        counted: ``[T]`` the frames to count, all of them annotated: for example those with an IoU above 0.

    Returns:
        ``[4]``; their mean is the coverage over all coordinates. nan where no frame is counted.
    """
    truth = np.concatenate((groundtruth[:, :2] + 0.5 * groundtruth[:, 2:], groundtruth[:, 2:]), 1)
    inside = ((low <= truth) & (truth <= high))[counted]
    return inside.mean(0) if len(inside) else np.full(4, np.nan)


def interval_sharpness(low: Floats, high: Floats, boxes: Floats) -> float:
    """Median width of intervals relative to the box: those of cx and w to its width, those of cy and h to its height.

    The smaller the sharper; to be read beside the coverage (Gneiting et al., JRSS B 2007).

    Args:
        low: ``[T, 4]`` lower ends of the intervals of (cx, cy, w, h).
        high: ``[T, 4]`` upper ends.
        boxes: ``[T, 4]`` pixel boxes, of sizes above zero.

    Returns:
        nan where there is no frame.
    """
    width = (high - low) / boxes[:, [2, 3, 2, 3]]
    return float(np.median(width)) if len(width) else float("nan")


def _mean_of_known(values: Floats) -> float:
    """Mean of the values that are not nan; nan where all are."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
