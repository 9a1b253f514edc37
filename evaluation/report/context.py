"""What all sections of a report share: the material, its convention, the figure that ranks, the style of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evaluation.plots import line_styles
from evaluation.report.material import Contestant, Material
from evaluation.report.tables import Estimate
from evaluation.statistics import bootstrap_interval

TITLES = {
    "auc": "AUC",
    "ao": "AO",
    "op50": "OP50",
    "op75": "OP75",
    "sr50": "SR0.5",
    "sr75": "SR0.75",
    "precision": "precision",
    "normalised_precision": "norm. precision",
    "failures": "failures",
}
"""Of the figures, in the tables' order."""
SEED = 0
"""Of bootstrap and test: the same results give the same report."""


def main_figure(convention: str) -> str:
    """The figure that trackers are ranked by."""
    return "ao" if convention == "got10k" else "auc"


@dataclass(frozen=True)
class Context:
    """One report."""

    material: Material

    @property
    def convention(self) -> str:
        """The name of the one that all are scored by."""
        return self.material.first.score.convention

    @property
    def main(self) -> str:
        """The figure that ranks."""
        return main_figure(self.convention)

    @property
    def title(self) -> str:
        """Of the figure that ranks."""
        return TITLES[self.main]

    @property
    def about(self) -> str:
        """What all figures of a caption are of."""
        of = self.material
        return f"On {of.dataset}, {len(of.sequences)} sequences; convention {self.convention}."

    @cached_property
    def styles(self) -> Mapping[str, Mapping[str, Any]]:
        """Of the trackers' lines."""
        return line_styles(self.material.trackers)

    def scored(self, of: Contestant) -> dict[str, float]:
        """The figure that ranks, by sequence; without those of which no frame counts."""
        return {name: value for name, value in of.score.per_sequence(self.main).items() if not np.isnan(value)}

    def mean(self, of: Contestant, names: Iterable[str]) -> float:
        """The figure that ranks, over some sequences as the convention weighs them; nan where none counts."""
        scored, weights = self.scored(of), of.score.weights
        known = [name for name in names if name in scored]
        if not known:
            return float("nan")
        return float(np.average([scored[name] for name in known], weights=[weights[name] for name in known]))

    def estimate(self, of: Contestant, figure: str) -> Estimate:
        """A figure with its 95 % bootstrap interval over sequences."""
        values, weights = of.score.per_sequence(figure), of.score.weights
        interval = bootstrap_interval(list(values.values()), SEED, weights=[weights[name] for name in values])
        return Estimate(of.score.figures[figure], *interval)
