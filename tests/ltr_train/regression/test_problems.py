"""The problems of the regression experiments: data, truth, metric."""

import math

import numpy as np
import pytest
from scipy import stats

from ltr_train.regression.cells import cell_pictures
from ltr_train.regression.problems import bimodal_pairs, bimodal_truth, divergence, four_zones, problem_1, problem_2


def test_truth_of_problem_1_is_what_its_pairs_are_drawn_from() -> None:
    x = np.array([-2.0, -0.4, 0.0, 1.5])
    y = np.linspace(-3, 3, 501)
    expected = np.stack([_density(at, y) for at in x])
    np.testing.assert_allclose(np.exp(bimodal_truth(x, y)), expected, rtol=1e-9, atol=1e-12)

    pairs = bimodal_pairs(200_000, seed=3)
    assert pairs[0].min() > -3
    assert pairs[0].max() < 3
    for low, high in ((-1.6, -1.5), (2.0, 2.1)):
        drawn = pairs[1][(pairs[0] > low) & (pairs[0] < high)]
        middle = np.array([(low + high) / 2])
        line = np.linspace(-3, 3, 6001)
        cumulative = np.exp(bimodal_truth(middle, line))[0].cumsum() * (line[1] - line[0])
        distance = stats.kstest(drawn, lambda value, line=line, c=cumulative: np.interp(value, line, c)).statistic
        assert distance < 2 / math.sqrt(len(drawn))


def _density(x: float, y: np.ndarray) -> np.ndarray:
    if x >= 0:
        return stats.lognorm.pdf(y + 1, 0.25)
    return 0.8 * stats.norm.pdf(y, math.sin(x), 0.075) + 0.2 * stats.norm.pdf(y, -math.sin(x), 0.075)


def test_divergence_of_two_normals() -> None:
    y = np.linspace(-12, 12, 4001)
    truth = stats.norm.logpdf(y, 0.3, 0.5)[None]
    model = stats.norm.logpdf(y, -0.2, 1.1)[None].astype(np.float32)
    expected = math.log(1.1 / 0.5) + (0.5**2 + 0.5**2) / (2 * 1.1**2) - 0.5
    assert divergence(truth, model, y[1] - y[0]) == pytest.approx(expected, abs=1e-5)


def test_divergence_ignores_where_the_truth_is_zero() -> None:
    truth = np.log(np.array([[0.0, 0.5, 0.5]]), where=[[False, True, True]], out=np.full((1, 3), -np.inf))
    model = np.log(np.array([[0.5, 0.25, 0.25]], dtype=np.float32))
    assert divergence(truth, model, 1.0) == pytest.approx(math.log(2))


def test_problem_1_scores_its_own_truth_as_zero() -> None:
    problem = problem_1()
    assert problem.x.shape == (2000, 1)
    assert problem.log_truth is not None
    assert problem.log_truth.shape == (2048, 2048)
    floor = np.maximum(problem.log_truth, -1e4).astype(np.float32)
    assert problem.score(floor) == pytest.approx(0.0, abs=1e-6)


def test_four_zones_are_split_in_half_and_a_tenth_of_the_rest() -> None:
    data = four_zones()
    assert [len(part[0]) for part in data] == [1710, 190, 1900]
    x, y = (np.concatenate(parts) for parts in zip(*data, strict=True))
    order = np.argsort(x)
    np.testing.assert_allclose(x[order], np.arange(3800) / 3799, atol=1e-12)
    beta, wave, fan, clusters = np.split(y[order], [800, 1800, 2300])
    assert stats.kstest((beta - 0.5) / 5, stats.beta(0.5, 1).cdf).pvalue > 0.01
    mean = 3 * np.cos(np.linspace(0, 5, 1000)) - 2
    assert stats.kstest((wave - mean) / (np.abs(mean) / 4), "norm").pvalue > 0.01
    low, high = np.linspace(-2, -4.5, 500), np.linspace(-0.5, 9, 500)
    assert stats.kstest((fan - low) / (high - low), "uniform").pvalue > 0.01
    for bottom, top in ((8, 8.5), (1, 4), (-4.5, -3)):
        assert ((clusters >= bottom) & (clusters <= top)).sum() == 500


def test_four_zones_are_the_points_of_the_legacy_generator() -> None:
    """The first draws of the seed that the data set's authors chose, made once more in their order."""
    random = np.random.RandomState(41)
    beta = 5 * random.beta(0.5, 1, 800) + 0.5
    random.shuffle(beta)
    data = four_zones()
    x, y = (np.concatenate(parts) for parts in zip(*data, strict=True))
    np.testing.assert_array_equal(y[np.argsort(x)][:800], beta)


def test_score_of_problem_2_is_the_likelihood_of_the_label() -> None:
    problem = problem_2()
    y = problem.grid.numpy().astype(np.float64)
    labels = four_zones().test[1]
    density = np.broadcast_to(stats.norm.logpdf(y, 1, 4), (1900, 8192)).astype(np.float32)
    assert problem.score(density) == pytest.approx(-stats.norm.logpdf(labels, 1, 4).mean(), abs=1e-3)


def test_cell_pictures_are_a_function_of_the_seed_and_show_their_cells() -> None:
    x, y = cell_pictures(64, seed=2)
    again = cell_pictures(64, seed=2)
    assert (x == again[0]).all()
    assert (y == again[1]).all()
    assert (cell_pictures(64, seed=3)[1] != y).all()
    assert x.shape == (64, 1, 64, 64)
    assert bool(x.isfinite().all())
    assert 0.05 <= float(y.min()) < float(y.max()) <= 4.05
    # More cells, more that stands out from the background.
    contrast = x.flatten(1).std(1)
    assert stats.spearmanr(contrast, y).statistic > 0.2
