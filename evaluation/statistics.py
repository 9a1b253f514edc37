"""How sure a figure is that is a mean over sequences, and a difference between two trackers on the same ones.

Sequences are what is drawn at random, so frames of one may depend on each other as they like.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from evaluation.metrics import Floats

_AT_ONCE = 2_000_000
"""Random numbers held at a time."""


class PairedTest(NamedTuple):
    """Mean of ``a - b`` over sequences."""

    difference: float
    low: float
    """Lower end of the bootstrap interval of the difference."""
    high: float
    p: float
    """Two-sided p-value of the sign-flip permutation test of "no difference"."""


def bootstrap_interval(
    values: ArrayLike, seed: int, level: float = 0.95, draws: int = 10_000, weights: ArrayLike | None = None
) -> tuple[float, float]:
    """Percentile interval of a mean over sequences (Efron and Tibshirani, 1993, chapter 13).

    Args:
        values: ``[N]`` of a figure, one a sequence; those of nan are left out, weights and all.
        seed: the same one gives the same interval.
        level: of the interval, in (0, 1).
        draws: of N sequences with replacement.
        weights: ``[N]`` of the mean, not negative; a sequence that is drawn brings its weight. Equal when left out.

    Returns:
        Lower and upper end; nan where there is no value.

    Raises:
        ValueError: the level is not between 0 and 1, or there are not as many weights as values.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval is between 0 and 1, got {level:g}")
    table = np.asarray(values, float)
    weight = np.ones(len(table)) if weights is None else np.asarray(weights, float)
    if weight.shape != table.shape:
        raise ValueError(f"{len(table)} values and {len(weight)} weights")
    known = ~np.isnan(table) & (weight > 0)
    table, weight = table[known], weight[known]
    if not len(table):
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    means = []
    for count in _parts(draws, len(table)):
        drawn = generator.integers(len(table), size=(count, len(table)))
        means.append((table * weight)[drawn].sum(1) / weight[drawn].sum(1))
    low, high = np.quantile(np.concatenate(means), (0.5 - 0.5 * level, 0.5 + 0.5 * level))
    return float(low), float(high)


def paired_test(
    a: ArrayLike, b: ArrayLike, seed: int, level: float = 0.95, draws: int = 10_000, weights: ArrayLike | None = None
) -> PairedTest:
    """Whether tracker ``a`` differs from ``b``, by the differences of a figure on the same sequences.

    The p-value is the share of random changes of sign that move the mean at least as far from 0, the differences as
    they stand counted as one of them (Phipson and Smyth, 2010): never 0, and 1 where the two never differ.

    Args:
        a: ``[N]`` a figure by sequence; sequences where either is nan are left out.
        b: ``[N]`` of the other tracker, in the same order.
        seed: the same one gives the same result.
        level: of the interval, in (0, 1).
        draws: of the bootstrap, and of changes of sign.
        weights: ``[N]`` of the mean, as `bootstrap_interval` has them.

    Returns:
        All nan where there is no sequence.

    Raises:
        ValueError: the two have not the same number of values, nor the weights, or the level is not between 0 and 1.
    """
    first, second = np.asarray(a, float), np.asarray(b, float)
    if first.shape != second.shape:
        raise ValueError(f"a paired test needs the same sequences of both trackers, got {len(first)} and {len(second)}")
    difference = first - second
    weight = np.ones(len(difference)) if weights is None else np.asarray(weights, float)
    low, high = bootstrap_interval(difference, seed, level, draws, weight)
    known = ~np.isnan(difference) & (weight > 0)
    if not known.any():
        return PairedTest(*[float("nan")] * 4)
    shares = difference[known] * weight[known] / weight[known].sum()
    return PairedTest(float(shares.sum()), low, high, _sign_flip(shares, seed, draws))


def _sign_flip(difference: Floats, seed: int, draws: int) -> float:
    generator = np.random.default_rng(seed)
    # Sums that are equal but for rounding count as equal.
    observed = abs(difference.sum()) - 1e-12 * np.abs(difference).sum()
    as_far = 0
    for count in _parts(draws, len(difference)):
        signs = 2.0 * generator.integers(2, size=(count, len(difference))) - 1
        as_far += int((np.abs(signs @ difference) >= observed).sum())
    return (as_far + 1) / (draws + 1)


def _parts(draws: int, size: int) -> list[int]:
    """Numbers of draws that sum to ``draws``, of ``size`` values each, that fit into memory."""
    most = max(1, _AT_ONCE // size)
    return [min(most, draws - begun) for begun in range(0, draws, most)]
