"""Errors of boxes, and shares of frames, by hand."""

import numpy as np

from evaluation.curves import frame_errors, share_above, share_within


def test_thresholds_are_bounds_that_only_success_must_pass() -> None:
    thresholds = np.arange(21) / 20
    # An overlap of exactly 3/5, and distances of exactly 20 pixels and of 0.2.
    np.testing.assert_array_equal(share_above(np.array([3 / 5]), thresholds), thresholds < 0.59)
    np.testing.assert_array_equal(share_within(np.array([20.0]), np.arange(51.0)), np.arange(51) >= 20)
    np.testing.assert_array_equal(share_within(np.array([0.2]), np.arange(51) / 100), np.arange(51) >= 20)
    np.testing.assert_allclose(share_above(np.array([0.1, 0.6]), np.array([0.0, 0.5, 0.9])), [1, 0.5, 0])


def test_shares_of_no_frames_are_not_defined() -> None:
    assert np.isnan(share_above(np.zeros(0), np.arange(3.0))).all()
    assert np.isnan(share_within(np.zeros(0), np.arange(3.0))).all()


def test_errors_by_hand() -> None:
    truth = np.array([[0, 0, 40, 20], [np.nan] * 4, [100, 50, 40, 20]], float)
    boxes = np.array([[20, 0, 40, 20], [0, 0, 40, 20], [100, 71, 40, 20]], float)
    errors = frame_errors(boxes, truth)
    np.testing.assert_allclose(errors.overlap, [1 / 3, np.nan, 0])
    np.testing.assert_allclose(errors.distance, [20, np.nan, 21])
    np.testing.assert_allclose(errors.normalised, [0.5, np.nan, 1.05])
