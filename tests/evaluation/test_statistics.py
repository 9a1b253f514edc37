"""Intervals and tests against closed forms and full enumeration."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import bootstrap_interval, paired_test


def test_the_interval_of_a_mean_is_that_of_the_normal_theory_where_there_are_many() -> None:
    values = np.random.default_rng(0).normal(0.6, 0.2, 400)
    low, high = bootstrap_interval(values, seed=1)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)
    narrow = bootstrap_interval(values, seed=1, level=0.5)
    assert low < narrow[0] < narrow[1] < high
    assert bootstrap_interval(values, seed=1) == (low, high)


def test_weights_count_as_so_many_of_a_value_and_nan_as_none() -> None:
    assert bootstrap_interval([0.5] * 3 + [np.nan], seed=0) == (0.5, 0.5)
    # A sequence of no weight is none.
    assert bootstrap_interval([0.2, 0.9], seed=0, weights=[1, 0]) == pytest.approx((0.2, 0.2))
    low, high = bootstrap_interval([0.0, 1.0], seed=0, weights=[1, 3], level=0.4)
    # Of two draws, half are one of each, whose mean is 3/4.
    assert (low, high) == pytest.approx((0.75, 0.75))
    assert np.isnan(bootstrap_interval([np.nan], seed=0)).all()
    with pytest.raises(ValueError, match="2 values and 1 weights"):
        bootstrap_interval([0.1, 0.2], seed=0, weights=[1])
    with pytest.raises(ValueError, match=r"between 0 and 1, got 95"):
        bootstrap_interval([0.1, 0.2], seed=0, level=95)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8))
def test_p_is_the_share_of_all_changes_of_sign(differences: list[int]) -> None:
    values = np.array(differences) / 7
    exact = np.mean(
        [abs(np.dot(s, differences)) >= abs(sum(differences)) for s in product((-1, 1), repeat=len(values))]
    )
    found = paired_test(values + 0.5, np.full(len(values), 0.5), seed=0, draws=4000)
    assert found.difference == pytest.approx(values.mean())
    assert found.p == pytest.approx(exact, abs=0.04)
    assert found.low <= found.difference + 1e-12
    assert found.high >= found.difference - 1e-12


def test_a_tracker_does_not_differ_from_itself_and_a_better_one_does() -> None:
    values = np.random.default_rng(0).random(50)
    same = paired_test(values, values, seed=0)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    better = paired_test(values + 0.1, values, seed=0)
    assert better.low == pytest.approx(0.1)
    assert 0 < better.p < 0.001
    worse = paired_test(values, values + 0.1, seed=0)
    assert (worse.difference, worse.p) == pytest.approx((-better.difference, better.p))


def test_sequences_that_one_tracker_has_no_figure_for_are_left_out() -> None:
    found = paired_test([0.5, np.nan, 0.7], [0.4, 0.1, np.nan], seed=0)
    assert found.difference == pytest.approx(0.1)
    assert np.isnan(paired_test([np.nan], [0.1], seed=0)).all()
    with pytest.raises(ValueError, match="same sequences"):
        paired_test([0.5], [0.4, 0.3], seed=0)


def test_the_difference_of_weighted_means_is_tested_as_such() -> None:
    a, b, weights = [0.9, 0.2, 0.4, np.nan], [0.3, 0.4, 0.4, 0.5], [1, 3, 2, 9]
    found = paired_test(a, b, seed=0, weights=weights)
    assert found.difference == pytest.approx((0.6 - 3 * 0.2) / 6, abs=1e-12)
    # The two shares cancel out: whatever the signs, the mean is at least as far from 0.
    assert found.p == 1
    assert paired_test(a, b, seed=0).difference == pytest.approx(0.4 / 3)
    heavy = paired_test([0.5, 0.5], [0.4, 0.9], seed=0, weights=[1, 0])
    assert (heavy.difference, heavy.low, heavy.high) == pytest.approx((0.1, 0.1, 0.1))
    with pytest.raises(ValueError, match="3 values and 1 weights"):
        paired_test(a[:3], b[:3], seed=0, weights=[1])
