"""Figures of merit of boxes, presence and intervals against ground truth: pure functions of arrays.

Boxes are pixel boxes (x, y, w, h), nan where the target is absent; intervals are over (cx, cy, w, h) in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

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
    # Rounding can make a box overlap itself by more than 1, which would be above every threshold.
    return np.minimum(intersection / np.maximum(union, np.finfo(float).tiny), 1.0)


def average_overlap(boxes: Floats, groundtruth: Floats) -> float:
    """AO of one sequence: mean IoU over the annotated frames after the first, where boxes are ``[T, 4]``.

    nan where there is no such frame.
    """
    return mean_of_known(box_iou(boxes, groundtruth)[1:])


def success_rate(boxes: Floats, groundtruth: Floats, threshold: float) -> float:
    """SR of one sequence: share of the annotated frames after the first whose IoU is above ``threshold``.

    Boxes are ``[T, 4]``; nan where there is no such frame.
    """
    overlap = box_iou(boxes, groundtruth)[1:]
    return mean_of_known(np.where(np.isnan(overlap), np.nan, overlap > threshold))


def count_failures(overlap: Floats) -> int:
    """How often a box left its target: frames of overlap 0 that follow one with more, those of nan skipped.

    A tracker that runs on has no resets to count, as VOT's supervised protocol has; this counts the losses themselves,
    each once however long it lasts.

    Args:
        overlap: ``[T]`` IoU, nan where there is no target. Before the first frame the box counts as on target.
    """
    meets = np.concatenate(([True], overlap[~np.isnan(overlap)] > 0))
    return int((meets[:-1] & ~meets[1:]).sum())


def frames_per_second(
    seconds: Iterable[Floats], definition: Literal["n / sum of t", "mean of 1 / t"] = "n / sum of t"
) -> float:
    """Speed over the frames of all sequences whose time is known and above zero; nan where there is none.

    Args:
        seconds: of the frames that count, one array a sequence; without the first, which holds the tracker's start.
        definition: frames over their summed time; or the mean of each frame's own rate, as GOT-10k's toolkit has it,
            which is never lower, and far higher where few frames take long.
    """
    times = np.concatenate([np.zeros(0), *seconds])
    times = times[np.isfinite(times) & (times > 0)]
    if not len(times):
        return float("nan")
    return float(len(times) / times.sum() if definition == "n / sum of t" else np.mean(1 / times))


class LongTerm(NamedTuple):
    """Precision and recall of a tracker that may say that its target is absent, by the presence it asks for."""

    thresholds: Floats
    """``[K]`` of presence, rising."""
    precisions: Floats
    """``[K]`` mean over sequences of the mean IoU of the boxes that are reported; 1 where none is."""
    recalls: Floats
    """``[K]`` mean over sequences of the summed IoU of these boxes over the number of frames with the target."""

    @property
    def fs(self) -> Floats:
        """``[K]`` harmonic mean of the two."""
        total = self.precisions + self.recalls
        return 2 * self.precisions * self.recalls / np.where(total > 0, total, 1.0)

    @property
    def f(self) -> float:
        """The highest F, which ranks trackers."""
        return float(self.fs.max())

    @property
    def precision(self) -> float:
        """At the threshold of the highest F."""
        return float(self.precisions[self.fs.argmax()])

    @property
    def recall(self) -> float:
        """At the threshold of the highest F."""
        return float(self.recalls[self.fs.argmax()])


def long_term(overlaps: Sequence[Floats], presences: Sequence[Floats], most_thresholds: int = 100) -> LongTerm:
    """Long-term precision, recall and F (Lukežič et al., IEEE Transactions on Cybernetics 2020).

    A box is reported where presence is at or above a threshold, the same for all sequences; one reported while the
    target is absent has an overlap of 0. Frames whose truth nobody knows are the caller's to leave out.

    Args:
        overlaps: ``[T]`` IoU of each sequence, nan where the target is absent.
        presences: ``[T]`` P(present) of the same frames.
        most_thresholds: quantiles of presence over all frames that are tried.

    Raises:
        ValueError: there is no sequence with the target in it, or the two do not go together.
    """
    pairs = [(o, p) for o, p in zip(overlaps, presences, strict=True) if not np.isnan(o).all()]
    if not pairs:
        raise ValueError("long-term figures need a sequence in which the target is seen")
    if wrong := [(len(o), len(p)) for o, p in pairs if len(o) != len(p)]:
        raise ValueError(f"{wrong[0][0]} overlaps beside {wrong[0][1]} values of presence")
    every = np.concatenate([p for _, p in pairs])
    thresholds = np.unique(np.quantile(every, np.linspace(0, 1, most_thresholds), method="nearest"))
    curves = [_precision_recall(*pair, thresholds) for pair in pairs]
    return LongTerm(thresholds, *np.mean(curves, axis=0))


class RiskCoverage(NamedTuple):
    """Mean loss of the frames that are kept when those of least presence are given up, by the share that is kept."""

    coverage: Floats
    """``[K]`` share of the frames whose presence is at or above each value that occurs, rising to 1."""
    risk: Floats
    """``[K]`` mean of 1 - IoU over these frames."""

    @property
    def area(self) -> float:
        """Mean risk over coverage from 0 to 1, each step as wide as the frames it adds: the smaller the better."""
        return float((self.risk * np.diff(self.coverage, prepend=0.0)).sum())


def risk_coverage(overlap: Floats, presence: Floats) -> RiskCoverage:
    """The risk-coverage curve of presence as a reason to trust a box (El-Yaniv and Wiener, JMLR 2010).

    Args:
        overlap: ``[T]`` IoU, nan where the target is absent: any box there is wrong, a loss of 1.
        presence: ``[T]`` P(present); frames of equal presence are kept or given up together.

    Raises:
        ValueError: there is no frame.
    """
    if not len(overlap):
        raise ValueError("a risk-coverage curve needs frames")
    loss = 1 - np.nan_to_num(overlap, nan=0.0)
    _, group = np.unique(-presence, return_inverse=True)
    frames = np.cumsum(np.bincount(group))
    return RiskCoverage(frames / len(loss), np.cumsum(np.bincount(group, loss)) / frames)


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


def mean_of_known(values: Floats) -> float:
    """Mean of the values that are not nan; nan where all are."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _precision_recall(overlap: Floats, presence: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
    """Both ``[K]`` for one sequence."""
    order = np.argsort(-presence, kind="stable")
    summed = np.concatenate(([0.0], np.cumsum(np.nan_to_num(overlap[order], nan=0.0))))
    reported = np.searchsorted(-presence[order], -thresholds, side="right")
    precision = np.where(reported > 0, summed[reported] / np.maximum(reported, 1), 1.0)
    return precision, summed[reported] / np.sum(~np.isnan(overlap))
