"""Calibration of presence and intervals against closed forms."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from evaluation.calibration import calibrate
from evaluation.metrics import Floats
from evaluation.report.material import Answers

BOX = [0.0, 0.0, 10.0, 10.0]
NAN = [np.nan] * 4
LEVELS = np.array([0.9, 0.5, 0.99])


def result(truth: Floats, boxes: Floats, presence: Floats, centre: Floats, half: Floats) -> Answers:
    """A result whose intervals reach ``half`` ``[L, T, 4]`` about ``centre`` ``[T, 4]``; the first frame is added."""

    def first(values: Floats, row: float) -> Floats:
        return np.concatenate((np.full_like(values[..., :1, :], row), values), -2)

    truth, boxes = (np.concatenate(([BOX], values)) for values in (truth, boxes))
    presence = np.concatenate(([np.nan], presence))
    low, high = first(centre - half, np.nan), first(centre + half, np.nan)
    return Answers(truth, boxes, presence, low, high)


def moved(shift: list[float], present: list[bool], presence: list[float]) -> Answers:
    """Boxes beside a still target by ``shift`` in x, with intervals of 1 px about them."""
    boxes = np.tile(BOX, (len(shift), 1)) + np.array(shift)[:, None] * [1, 0, 0, 0]
    truth = np.where(np.array(present)[:, None], BOX, np.nan)
    return result(truth, boxes, np.array(presence), boxes + np.array([5, 5, 0, 0]), np.full((1, len(shift), 4), 0.5))


def forecasts(truth: Floats, mean: Floats, sigma: Floats) -> Answers:
    """Normal intervals for the truth (cx, cy, w, h), the boxes being those of the means."""
    half = norm.ppf(0.5 + LEVELS / 2)[:, None, None] * sigma

    def pixels(centres: Floats) -> Floats:
        return np.concatenate((centres[:, :2] - centres[:, 2:] / 2, centres[:, 2:]), 1)

    return result(pixels(truth), pixels(mean), np.ones(len(mean)), mean, half)


def test_frames_are_told_apart_by_what_happened() -> None:
    # IoU 1, 1/3 and 0 beside absence, whatever the box there; the bounds: 10/3 px aside is an IoU of 0.5.
    found = calibrate(
        [
            moved([0, 5, 50], [True, True, True], [0.9, 0.8, 0.3]),
            moved([10 / 3 - 1e-9, 0], [True, False], [0.6, 0.7]),
        ]
    )
    assert {kind: presence.tolist() for kind, presence in found.presence.items()} == {
        "followed": [0.9, 0.6],
        "partly": [0.8],
        "lost": [0.3],
        "absent": [0.7],
    }
    assert (found.overlapping.frames, found.annotated.frames) == (3, 4)


def test_an_absent_frame_is_negative_in_both_rankings() -> None:
    found = calibrate([moved([0, 0, 50, 0], [True, True, True, False], [0.9, 0.5, 0.3, 0.7])])
    # Present frames 0.9, 0.5, 0.3 against 0.7; followed ones 0.9, 0.5 against 0.3 and 0.7.
    assert found.auroc_present == pytest.approx(1 / 3)
    assert found.auroc_followed == pytest.approx(3 / 4)
    assert found.reliability is not None
    assert found.balanced is not None
    # One frame a bin: |0.9 - 1|, |0.5 - 1|, |0.3 - 1|, |0.7 - 0|, equally or with one half on the absent one.
    assert found.reliability.expected_calibration_error == pytest.approx((0.1 + 0.5 + 0.7 + 0.7) / 4)
    assert found.balanced.expected_calibration_error == pytest.approx((0.1 + 0.5 + 0.7) / 6 + 0.7 / 2)


def test_intervals_between_exact_quantiles_hold_exactly_what_they_say() -> None:
    count = 200
    quantile = norm.ppf((np.arange(count) + 0.5) / count)
    mean = np.tile([500.0, 400.0, 100.0, 50.0], (count, 1))
    sigma = np.broadcast_to([3.0, 1.0, 2.0, 0.5], (count, 4))
    found = calibrate([forecasts(mean + sigma * quantile[:, None], mean, sigma)]).overlapping
    np.testing.assert_allclose(found.coverage, np.broadcast_to(LEVELS[:, None], (3, 4)))
    np.testing.assert_allclose(found.overall, LEVELS)
    # Relative to the sides: 2 z (3 / 100, 1 / 50, 2 / 100, 0.5 / 50), whose median is 2 z 0.02.
    np.testing.assert_allclose(found.sharpness, 0.04 * norm.ppf(0.5 + LEVELS / 2))


def test_intervals_of_a_normal_with_a_known_miscalibration_hold_what_that_implies() -> None:
    rng = np.random.default_rng(0)
    count = 20_000
    mean, sigma = np.tile([500.0, 400.0, 100.0, 100.0], (count, 1)), np.ones((count, 4))
    # cx: right. cy: spread 0.6 of the true one. w: half a standard deviation too small. h: spread twice the true one.
    error = rng.standard_normal((count, 4)) * [1, 1 / 0.6, 1, 0.5] + [0, 0, 0.5, 0]
    found = calibrate([forecasts(mean + error, mean, sigma)]).annotated
    z = norm.ppf(0.5 + LEVELS / 2)
    implied = (LEVELS, 2 * norm.cdf(0.6 * z) - 1, norm.cdf(z - 0.5) - norm.cdf(-z - 0.5), 2 * norm.cdf(2 * z) - 1)
    np.testing.assert_allclose(found.coverage, np.array(implied).T, atol=0.012)


def test_a_lost_target_counts_in_annotated_frames_alone_and_an_absent_one_nowhere() -> None:
    found = calibrate([moved([0, 50, 0], [True, True, False], [0.9, 0.9, 0.9])])
    assert found.overlapping.coverage.tolist() == [[1, 1, 1, 1]]
    assert found.annotated.coverage.tolist() == [[0.5, 1, 1, 1]]
    assert found.overlapping.sharpness.tolist() == found.annotated.sharpness.tolist() == [pytest.approx(0.1)]


def test_what_is_not_defined_is_nan_or_none() -> None:
    always = calibrate([moved([0], [True], [0.9])])
    assert math.isnan(always.auroc_present)
    assert always.balanced is None
    assert always.reliability is not None
    never = calibrate([moved([0], [False], [0.9])])
    assert never.annotated.frames == 0
    assert np.isnan(never.annotated.coverage).all()
    assert np.isnan(never.annotated.sharpness).all()
    nothing = calibrate([moved([], [], [])])
    assert nothing.reliability is None


def test_a_tracker_without_intervals_has_presence_alone() -> None:
    told = moved([0, 50], [True, True], [0.9, 0.1])
    found = calibrate([Answers(told.groundtruth, told.boxes, told.presence, told.low[:0], told.high[:0])])
    assert found.auroc_followed == 1
    assert found.overlapping.coverage.shape == (0, 4)
    assert found.overlapping.overall.shape == found.annotated.sharpness.shape == (0,)
