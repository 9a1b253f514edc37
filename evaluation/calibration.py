"""How true probabilities are: presence and intervals of tracked sequences against their ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evaluation.metrics import (
    Bools,
    Floats,
    Reliability,
    box_iou,
    interval_coverage,
    interval_sharpness,
    presence_auroc,
    presence_reliability,
)

FOLLOWED, LOST = 0.5, 0.1
"""IoU from which a present target counts as followed, and below which as lost."""


class Judged(Protocol):
    """What a tracker said of a sequence of ``T`` frames, beside what was there. The first row is the given box."""

    @property
    def groundtruth(self) -> Floats:
        """``[T, 4]`` x, y, w, h in pixels, nan where the target is absent."""

    @property
    def boxes(self) -> Floats:
        """``[T, 4]`` x, y, w, h in pixels."""

    @property
    def presence(self) -> Floats:
        """``[T]`` P(present)."""

    @property
    def low(self) -> Floats:
        """``[L, T, 4]`` lower ends of the intervals of (cx, cy, w, h) in pixels; no level where there are none."""

    @property
    def high(self) -> Floats:
        """``[L, T, 4]`` upper ends."""


@dataclass(frozen=True)
class Intervals:
    """Quality of the credible intervals over a set of frames, by level in the order of the results."""

    frames: int
    coverage: Floats
    """``[L, 4]`` share of the frames whose interval of cx, cy, w, h holds the truth."""
    sharpness: Floats
    """``[L]`` as `evaluation.metrics.interval_sharpness` has it."""

    @property
    def overall(self) -> Floats:
        """``[L]`` coverage over all coordinates."""
        return self.coverage.mean(1)


@dataclass(frozen=True)
class Calibration:
    """Presence and intervals pooled over the frames of all sequences, first frames left out; nan if not defined."""

    presence: dict[str, Floats]
    """P(present) of the frames by what happened: ``followed``, an IoU of at least 0.5; ``partly``, between 0.1 and 0.5;
    ``lost``, below 0.1; ``absent``, no target."""
    auroc_present: float
    """AUROC of presence as the score of "the target is there"."""
    auroc_followed: float
    """AUROC of presence as the score of "the box has an IoU of at least 0.5"; absent frames count as negative."""
    reliability: Reliability | None
    """None where there is no frame."""
    balanced: Reliability | None
    """The frames with and without the target weighing the same; None where either kind is missing."""
    overlapping: Intervals
    """In the frames of an IoU above 0."""
    annotated: Intervals
    """In all frames that show the target."""


def calibrate(results: Sequence[Judged]) -> Calibration:
    """Compares what was said of presence and intervals with what was there.

    Args:
        results: at least one; all with the intervals of the same levels.
    """
    boxes = np.concatenate([r.boxes[1:] for r in results])
    groundtruth = np.concatenate([r.groundtruth[1:] for r in results])
    presence = np.concatenate([r.presence[1:] for r in results])
    low = np.concatenate([r.low[:, 1:] for r in results], 1)
    high = np.concatenate([r.high[:, 1:] for r in results], 1)
    overlap = box_iou(boxes, groundtruth)
    present = ~np.isnan(overlap)
    followed, lost = overlap >= FOLLOWED, overlap < LOST

    def intervals(counted: Bools) -> Intervals:
        coverage = [interval_coverage(*ends, groundtruth, counted) for ends in zip(low, high, strict=True)]
        sharpness = [
            interval_sharpness(*ends, boxes[counted]) for ends in zip(low[:, counted], high[:, counted], strict=True)
        ]
        return Intervals(int(counted.sum()), np.reshape(coverage, (-1, 4)), np.array(sharpness))

    return Calibration(
        presence={
            "followed": presence[followed],
            "partly": presence[present & ~followed & ~lost],
            "lost": presence[lost],
            "absent": presence[~present],
        },
        auroc_present=presence_auroc(presence, present),
        auroc_followed=presence_auroc(presence, followed),
        reliability=presence_reliability(presence, present) if len(presence) else None,
        balanced=presence_reliability(presence, present, True) if present.any() and not present.all() else None,
        overlapping=intervals(overlap > 0),
        annotated=intervals(present),
    )
