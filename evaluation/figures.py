"""The figures of a set of tracked sequences in one dictionary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.calibration import Judged, calibrate
from evaluation.metrics import average_overlap, mean_of_known, success_rate


def tracking_figures(results: Sequence[Judged]) -> dict[str, float]:
    """Overlap, calibration of the first level's intervals, and calibration of presence.

    Overlap is averaged over sequences; intervals and presence are pooled over the frames of all. First frames are left
    out. A figure that is not defined is left out, as that of presence where no target is ever absent.

    Args:
        results: at least one; with the intervals of one level or more.

    Returns:
        ``ao``, ``sr50``, ``sr75``; ``coverage``, over all coordinates in the frames of an IoU above 0, and
        ``coverage_annotated``, in all annotated ones; ``sharpness``, in the frames of an IoU above 0;
        ``presence_auroc``; ``presence_ece``, with the frames with and without the target weighing the same.
    """
    calibration = calibrate(results)
    figures = {
        "ao": mean_of_known(np.array([average_overlap(r.boxes, r.groundtruth) for r in results])),
        "sr50": mean_of_known(np.array([success_rate(r.boxes, r.groundtruth, 0.5) for r in results])),
        "sr75": mean_of_known(np.array([success_rate(r.boxes, r.groundtruth, 0.75) for r in results])),
        "coverage": float(calibration.overlapping.overall[0]),
        "coverage_annotated": float(calibration.annotated.overall[0]),
        "sharpness": float(calibration.overlapping.sharpness[0]),
        "presence_auroc": calibration.auroc_present,
    }
    if calibration.balanced:
        figures["presence_ece"] = calibration.balanced.expected_calibration_error
    return {name: value for name, value in figures.items() if not np.isnan(value)}
