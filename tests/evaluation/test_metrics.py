"""Figures of merit against closed forms and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics import (
    average_overlap,
    box_iou,
    count_failures,
    frames_per_second,
    interval_coverage,
    interval_sharpness,
    long_term,
    presence_auroc,
    presence_reliability,
    risk_coverage,
    success_rate,
)

NAN = [np.nan] * 4
TRUTH = np.array([[0, 0, 10, 10], [0, 0, 10, 10], NAN, [0, 0, 10, 10]], float)
BOXES = np.array([[90, 90, 1, 1], [5, 0, 10, 10], [0, 0, 1, 1], [0, 0, 10, 10]], float)


def test_overlap_leaves_out_the_first_frame_and_absent_ones() -> None:
    np.testing.assert_allclose(box_iou(BOXES, TRUTH), [0, 1 / 3, np.nan, 1])
    assert average_overlap(BOXES, TRUTH) == pytest.approx((1 / 3 + 1) / 2)
    assert success_rate(BOXES, TRUTH, 0.3) == 1
    assert success_rate(BOXES, TRUTH, 0.5) == 0.5
    # Strictly above: an IoU of 1 is no success at a threshold of 1.
    assert success_rate(BOXES, TRUTH, 1.0) == 0


def test_overlap_without_annotated_frames_is_not_defined() -> None:
    truth = np.array([[0, 0, 10, 10], NAN], float)
    assert math.isnan(average_overlap(BOXES[:2], truth))
    assert math.isnan(success_rate(BOXES[:2], truth, 0.5))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_auroc_is_the_share_of_pairs_in_the_right_order(frames: list[tuple[int, bool]]) -> None:
    presence = np.array([value / 5 for value, _ in frames])
    present = np.array([there for _, there in frames])
    found = presence_auroc(presence, present)
    difference = presence[present][:, None] - presence[~present][None]
    if difference.size == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.mean((difference > 0) + 0.5 * (difference == 0)))


def test_reliability_compares_what_was_said_with_what_was_there() -> None:
    presence = np.array([0.9, 0.9, 0.9, 0.9, 0.1, 1.0])
    present = np.array([True, True, True, False, False, True])
    table = presence_reliability(presence, present, bins=5)
    np.testing.assert_allclose(table.edges, [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(table.weight, [1 / 6, 0, 0, 0, 5 / 6])
    np.testing.assert_allclose(table.predicted, [0.1, np.nan, np.nan, np.nan, 4.6 / 5])
    np.testing.assert_allclose(table.observed, [0, np.nan, np.nan, np.nan, 4 / 5])
    assert table.expected_calibration_error == pytest.approx(1 / 6 * 0.1 + 5 / 6 * 0.12)


def test_balanced_reliability_is_that_of_as_many_frames_with_as_without_the_target() -> None:
    rng = np.random.default_rng(0)
    presence = rng.random(40)
    present = np.arange(40) < 30
    # Every frame without the target three times: 30 of each.
    index = np.concatenate((np.arange(40), np.arange(30, 40), np.arange(30, 40)))
    plain = presence_reliability(presence[index], present[index])
    balanced = presence_reliability(presence, present, balanced=True)
    np.testing.assert_allclose(np.array(balanced[1:]), np.array(plain[1:]))
    assert balanced.expected_calibration_error == pytest.approx(plain.expected_calibration_error)


def test_a_calibrated_presence_has_a_small_error_and_one_that_is_always_sure_has_not() -> None:
    rng = np.random.default_rng(0)
    presence = rng.random(200_000)
    assert presence_reliability(presence, rng.random(200_000) < presence).expected_calibration_error < 0.01
    mostly = np.arange(100) < 95
    sure = np.ones(100)
    assert presence_reliability(sure, mostly).expected_calibration_error == pytest.approx(0.05)
    assert presence_reliability(sure, mostly, balanced=True).expected_calibration_error == pytest.approx(0.5)


def test_reliability_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs frames"):
        presence_reliability(np.zeros(0), np.zeros(0, bool))
    with pytest.raises(ValueError, match="both with and without"):
        presence_reliability(np.ones(3), np.ones(3, bool), balanced=True)


def test_coverage_is_counted_by_coordinate_in_the_frames_that_are_asked_for() -> None:
    truth = np.array([[0, 0, 10, 20], [4, 0, 10, 20], [0, 0, 10, 20], NAN], float)
    low = np.tile([4.0, 9.0, 9.0, 19.0], (4, 1))
    high = np.tile([6.0, 10.0, 9.5, 21.0], (4, 1))
    counted = np.array([True, True, False, False])
    # cx is 5 and 9, cy 10 on the bound, w 10 above, h 20 within.
    np.testing.assert_allclose(interval_coverage(low, high, truth, counted), [0.5, 1, 0, 1])
    assert np.isnan(interval_coverage(low, high, truth, np.zeros(4, bool))).all()


def test_the_interval_of_a_normal_forecast_covers_what_it_says() -> None:
    rng = np.random.default_rng(1)
    sigma = rng.uniform(0.5, 3, (20_000, 4))
    centre = rng.uniform(50, 60, (20_000, 4))
    truth = centre + sigma * rng.standard_normal((20_000, 4))
    pixel = np.concatenate((truth[:, :2] - truth[:, 2:] / 2, truth[:, 2:]), 1)
    covered = interval_coverage(centre - 1.6449 * sigma, centre + 1.6449 * sigma, pixel, np.ones(20_000, bool))
    np.testing.assert_allclose(covered, 0.9, atol=0.01)


def test_sharpness_is_the_median_width_over_the_boxs_sides() -> None:
    boxes = np.array([[0, 0, 10, 20], [0, 0, 100, 50]], float)
    low = np.zeros((2, 4))
    high = np.array([[1, 2, 2, 4], [50, 25, 100, 50]], float)
    # 0.1, 0.1, 0.2, 0.2 and 0.5, 0.5, 1, 1.
    assert interval_sharpness(low, high, boxes) == pytest.approx(0.35)
    assert math.isnan(interval_sharpness(low[:0], high[:0], boxes[:0]))


@pytest.mark.parametrize(
    ("overlap", "failures"),
    [
        ([1, 0.5, 0.2], 0),
        ([1, 0, 0, 0.1, 0], 2),  # each loss once, however long it lasts
        ([0.4, np.nan, 0, np.nan, 0, 0.3], 1),  # frames without target neither begin nor end one
        ([0, 0.5], 1),  # lost at once
        ([np.nan], 0),
    ],
)
def test_failures_are_the_losses_of_the_target(overlap: list[float], failures: int) -> None:
    assert count_failures(np.array(overlap, float)) == failures


def test_speed_by_both_definitions() -> None:
    seconds = [np.array([0.1, 0.3]), np.array([0.2, np.nan, 0])]
    assert frames_per_second(seconds) == pytest.approx(3 / 0.6)
    assert frames_per_second(seconds, "mean of 1 / t") == pytest.approx((10 + 10 / 3 + 5) / 3)
    assert math.isnan(frames_per_second([]))


def test_long_term_figures_by_hand() -> None:
    # Reported at 0.9: both good boxes; at 0.5 the one on an absent frame too; at 0.1 the poor one as well.
    overlap, presence = np.array([0.8, 0.6, np.nan, 0.2]), np.array([0.9, 0.9, 0.5, 0.1])
    found = long_term([overlap], [presence])
    np.testing.assert_allclose(found.thresholds, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(found.precisions, [1.6 / 4, 1.4 / 3, 1.4 / 2])
    np.testing.assert_allclose(found.recalls, [1.6 / 3, 1.4 / 3, 1.4 / 3])
    assert found.f == pytest.approx(2 * 0.7 * 1.4 / 3 / (0.7 + 1.4 / 3))
    assert (found.precision, found.recall) == pytest.approx((0.7, 1.4 / 3))


def test_long_term_figures_average_over_sequences_at_one_threshold() -> None:
    found = long_term(
        [np.array([1.0, 1.0]), np.array([0.5]), np.array([np.nan])], [np.array([0.9, 0.2])] + [np.ones(1)] * 2
    )
    np.testing.assert_allclose(found.thresholds, [0.2, 0.9, 1.0])
    # Nothing of the first sequence is reported at 1: a precision of 1, a recall of 0.
    np.testing.assert_allclose(found.precisions, [0.75, 0.75, 0.75])
    np.testing.assert_allclose(found.recalls, [0.75, 0.5, 0.25])
    with pytest.raises(ValueError, match="target is seen"):
        long_term([np.array([np.nan])], [np.ones(1)])
    with pytest.raises(ValueError, match="2 overlaps beside 1 values"):
        long_term([np.ones(2)], [np.ones(1)])


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4)), min_size=1, max_size=30))
def test_the_risk_coverage_curve_is_that_of_brute_force(frames: list[tuple[float, int]]) -> None:
    overlap, presence = np.array([o for o, _ in frames]), np.array([p / 4 for _, p in frames])
    found = risk_coverage(overlap, presence)
    kept = [presence >= value for value in sorted(set(presence), reverse=True)]
    np.testing.assert_allclose(found.coverage, [k.mean() for k in kept])
    np.testing.assert_allclose(found.risk, [(1 - overlap[k]).mean() for k in kept], atol=1e-12)
    assert found.coverage[-1] == 1
    assert found.area <= found.risk.max() + 1e-12


def test_a_box_where_there_is_no_target_is_a_loss_of_one() -> None:
    found = risk_coverage(np.array([1.0, np.nan]), np.array([0.9, 0.1]))
    np.testing.assert_allclose(found.risk, [0, 0.5])
    assert found.area == pytest.approx(0.25)
    with pytest.raises(ValueError, match="needs frames"):
        risk_coverage(np.zeros(0), np.zeros(0))
