"""One setting of an experiment - a problem, a method and K - over many seeds, and what comes out of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltr_train.regression.ensemble import Ensemble, Recipe
from ltr_train.regression.methods import Setting
from ltr_train.regression.problems import Problem

BEST = 5


@dataclass(frozen=True)
class Result:
    """The figures of one setting.

    Attributes:
        setting: How the models were trained.
        metric: Name of the score.
        scores: The metric of each seed's model, not finite where its training diverged.
        seconds: Wall-clock seconds of a model, training and evaluation: those of the setting over its seeds.
    """

    setting: Setting
    metric: str
    scores: Sequence[float]
    seconds: float

    @property
    def diverged(self) -> int:
        """Runs whose score is not a finite number; while there are any, mean and spread do not exist."""
        return int(np.count_nonzero(~np.isfinite(self.scores)))

    @property
    def mean(self) -> float | None:
        return None if self.diverged else statistics.fmean(self.scores)

    @property
    def std(self) -> float | None:
        """Sample standard deviation over seeds; 0 for a single one."""
        if self.diverged:
            return None
        return statistics.stdev(self.scores) if len(self.scores) > 1 else 0.0

    @property
    def best5(self) -> float | None:
        """Mean of the five best runs, as the paper reports; the best by the metric itself, on what it is reported for.

        So it flatters: it says what a method can reach, `mean` says what to expect. None for fewer than five runs that
        did not diverge, unless there were fewer seeds to begin with.
        """
        finite = sorted(score for score in self.scores if np.isfinite(score))[:BEST]
        return statistics.fmean(finite) if len(finite) == min(BEST, len(self.scores)) else None

    def record(self) -> dict[str, Any]:
        """The setting's entry in the JSON file."""
        return {
            "method": str(self.setting.method),
            "k": self.setting.k,
            "seeds": len(self.scores),
            "metric": self.metric,
            "mean": self.mean,
            "std": self.std,
            "best5": self.best5,
            "seconds": self.seconds,
        }


def run_setting(
    problem: Problem,
    setting: Setting,
    seeds: int,
    recipe: Recipe,
    on_epoch: Callable[[], None],
    on_density: Callable[[int, NDArray[np.float32]], None],
) -> Result:
    """Train and evaluate the models of seeds 0, 1, ... together.

    Args:
        problem: What to learn.
        setting: How.
        seeds: Number of runs.
        recipe: How long and in what steps.
        on_epoch: Called after each epoch.
        on_density: Called with each seed and its log density ``[X, Y]``; not part of the time.
    """
    start = time.perf_counter()
    ensemble = Ensemble(problem, setting, range(seeds))
    for _ in ensemble.train(recipe):
        on_epoch()
    scores, elsewhere = [], 0.0
    for seed, log_density in enumerate(ensemble.log_densities()):
        scores.append(problem.score(log_density.numpy()))
        left = time.perf_counter()
        on_density(seed, log_density.numpy())
        elsewhere += time.perf_counter() - left
    return Result(setting, problem.metric, scores, (time.perf_counter() - start - elsewhere) / seeds)
