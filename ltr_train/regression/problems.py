"""The regression problems in one dimension of the paper: data, truth, grids and metrics.

Gustafsson, Danelljan, Schön, *Learning Proposals for Practical Energy-Based Regression* (AISTATS 2022). A problem says
what is learned from, where densities are evaluated, and how good a density is; it knows nothing of how one is learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ltr_train.regression.networks import ScalarFeatures

Array = NDArray[np.float64]

PAIRS = 2000
DATA_SEED = 0
ZONES_SEED = 41  # of the authors of the four zones: their very points come out


@dataclass(frozen=True)
class Problem:
    """One regression task.

    Attributes:
        name: What the command calls it.
        metric: "kl", the mean over x of KL(truth || model), or "nll", the mean negative log-likelihood of test labels.
        x: ``[n, ...]`` training inputs.
        y: ``[n]`` their labels.
        test_x: ``[X, ...]`` inputs at which densities are evaluated.
        grid: ``[Y]`` equidistant values of y at which they are evaluated.
        log_truth: ``[X, Y]`` true log density; None where it has no closed form.
        label_index: ``[X]`` place in the grid of the test label nearest to it; None where the truth is known.
        noise: Standard deviations of the equal mixture about the label that a model with fixed noise is trained with.
        features: Makes the network from an input to features; given the training inputs, for its initial weights.
        epochs: Of training; 75 in the paper.
    """

    name: str
    metric: str
    x: Tensor
    y: Tensor
    test_x: Tensor
    grid: Tensor
    log_truth: Array | None
    label_index: NDArray[np.int64] | None
    noise: tuple[float, ...]
    features: Callable[[Tensor], nn.Module]
    epochs: int = 75

    @property
    def spacing(self) -> float:
        """The distance of two neighbours in the grid."""
        return float(self.grid[1] - self.grid[0])

    def score(self, log_density: NDArray[np.float32]) -> float:
        """The metric of a log density ``[X, Y]`` on test inputs and grid; the lower the better."""
        if self.log_truth is not None:
            return divergence(self.log_truth, log_density, self.spacing)
        return -float(log_density[np.arange(len(log_density)), self.label_index].mean(dtype=np.float64))


class Split(NamedTuple):
    """Inputs and labels, ``[n]`` each, of the three parts of a data set."""

    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    test: tuple[Array, Array]


def divergence(log_truth: Array, log_model: NDArray[np.float32], spacing: float) -> float:
    """Mean over x of KL(truth || model) from log densities ``[X, Y]`` on a grid of y."""
    # Where the truth is zero its log is minus infinity, and the product not a number: such points add nothing.
    ratio = np.subtract(log_truth, log_model, where=np.isfinite(log_truth), out=np.zeros_like(log_truth))
    return float((np.exp(log_truth) * ratio).sum(1).mean() * spacing)


def bimodal_truth(x: Array, y: Array) -> Array:
    """The true log density ``[X, Y]`` of problem 1 at inputs ``[X]`` and values ``[Y]``.

    0.8 N(sin x, 0.075^2) + 0.2 N(-sin x, 0.075^2) below x = 0, LogNormal(0, 0.25) - 1 from there on.
    """
    sine = np.sin(x)[:, None]
    left = np.logaddexp(math.log(0.8) + _log_normal(y, sine, 0.075), math.log(0.2) + _log_normal(y, -sine, 0.075))
    log = np.log(np.where(y > -1, y + 1, 1))
    right = np.where(y > -1, _log_normal(log, 0.0, 0.25) - log, -np.inf)
    return np.where(x[:, None] < 0, left, right)


def bimodal_pairs(count: int, seed: int) -> tuple[Array, Array]:
    """Pairs of problem 1: x uniform over (-3, 3), y from the truth."""
    random = np.random.default_rng(seed)
    x = random.uniform(-3, 3, count)
    sign = np.where(random.random(count) < 0.8, 1.0, -1.0)
    left = random.normal(sign * np.sin(x), 0.075)
    right = random.lognormal(0, 0.25, count) - 1
    return x, np.where(x < 0, left, right)


def four_zones(seed: int = ZONES_SEED) -> Split:
    """The set of problem 2: four zones in a row over x in [0, 1], half of it for testing, a tenth of the rest held out.

    Brando et al., *Modelling heterogeneous distributions with an Uncountable Mixture of Asymmetric Laplacians*
    (NeurIPS 2019).
    """
    random = np.random.RandomState(seed)  # only numpy's legacy generator gives the authors' points
    beta = 5 * random.beta(0.5, 1, 800) + 0.5
    random.shuffle(beta)
    mean = 3 * np.cos(np.linspace(0, 5, 1000)) - 2
    wave = mean + random.normal(0, np.abs(mean) / 4)
    fan = random.uniform(np.linspace(-2, -4.5, 500), np.linspace(-0.5, 9, 500))
    clusters = np.concatenate([random.uniform(low, high, 500) for low, high in ((8, 8.5), (1, 4), (-4.5, -3))])
    random.shuffle(clusters)
    y = np.concatenate((beta, wave, fan, clusters))
    x = np.linspace(0, 1, len(y))
    order = random.permutation(len(y))
    test, rest = np.split(order, 2)
    held = len(rest) // 10
    return Split(*((x[part], y[part]) for part in (rest[held:], rest[:held], test)))


def problem_1() -> Problem:
    """Problem 1 of the paper: two modes and a skewed one. Metric: KL(truth || model) on a 2048 x 2048 grid."""
    x, y = bimodal_pairs(PAIRS, DATA_SEED)
    line = np.linspace(-3, 3, 2048)
    truth = bimodal_truth(line, line)
    return Problem(
        "1", "kl", _column(x), _tensor(y), _column(line), _tensor(line), truth, None, (0.1, 0.8), ScalarFeatures
    )


def problem_2() -> Problem:
    """Problem 2 of the paper: the four zones. Metric: NLL of the test labels, densities on a grid of 8192 points."""
    data = four_zones()
    grid = np.linspace(-12.5, 12.5, 8192)
    index = nearest(grid, data.test[1])
    inputs, labels = _column(data.train[0]), _tensor(data.train[1])
    return Problem(
        "2", "nll", inputs, labels, _column(data.test[0]), _tensor(grid), None, index, (0.4, 3.2), ScalarFeatures
    )


def nearest(grid: Array, values: Array) -> NDArray[np.int64]:
    """The place in an equidistant grid nearest to each value."""
    return np.rint((values - grid[0]) / (grid[1] - grid[0])).astype(np.int64)


def _log_normal(y: Array, mean: Array | float, deviation: float) -> Array:
    return np.asarray(-0.5 * ((y - mean) / deviation) ** 2 - math.log(deviation) - 0.5 * math.log(2 * math.pi))


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _column(values: Array) -> Tensor:
    return _tensor(values).unsqueeze(1)
