"""The figures of several sequences together."""

import numpy as np
import pytest

from evaluation.figures import tracking_figures
from evaluation.report.material import Answers

BOX = [0.0, 0.0, 10.0, 10.0]
NAN = [np.nan] * 4


def result(truth: list[list[float]], shift: list[float], presence: list[float]) -> Answers:
    """Boxes moved along x by ``shift``; intervals of cx reach 2 px, those of the others 1 px about the estimate."""
    boxes = np.tile(BOX, (len(shift), 1)) + np.array(shift)[:, None] * [1, 0, 0, 0]
    centre = boxes + np.array([5, 5, 0, 0])
    half = np.array([2.0, 1.0, 1.0, 1.0])
    low, high = (centre - half)[None], (centre + half)[None]
    return Answers(np.array(truth), boxes, np.array(presence), low, high)


def test_overlap_is_averaged_over_sequences_and_the_rest_over_frames() -> None:
    first = result([BOX] * 4, [0, 0, 0, 0], [np.nan, 0.9, 0.9, 0.9])
    second = result([BOX, BOX, NAN], [0, 5, 0], [np.nan, 0.9, 0.2])
    figures = tracking_figures([first, second])
    assert figures["ao"] == pytest.approx((1 + 1 / 3) / 2)
    assert (figures["sr50"], figures["sr75"]) == (0.5, 0.5)
    # Four frames: cx is missed in the moved one, all else holds.
    assert figures["coverage"] == figures["coverage_annotated"] == pytest.approx(15 / 16)
    assert figures["sharpness"] == pytest.approx(0.2)
    assert figures["presence_auroc"] == 1
    assert figures["presence_ece"] == pytest.approx(0.5 * 0.1 + 0.5 * 0.2)


def test_a_lost_target_counts_against_coverage_in_annotated_frames_alone() -> None:
    figures = tracking_figures([result([BOX] * 3, [0, 0, 50], [np.nan, 0.5, 0.5])])
    assert figures["coverage"] == 1
    assert figures["coverage_annotated"] == pytest.approx(7 / 8)


def test_what_is_not_defined_is_left_out() -> None:
    always = tracking_figures([result([BOX] * 2, [0, 0], [np.nan, 0.5])])
    assert {"presence_auroc", "presence_ece"} & set(always) == set()
    never = tracking_figures([result([BOX, NAN], [0, 0], [np.nan, 0.5]), result([BOX], [0], [np.nan])])
    assert never == {}
