"""The runner: trackers over the sequences of a benchmark, in several processes, resumed where it was cut off."""

from evaluation.runner.plan import TrackerPlan
from evaluation.runner.run import Outcome, evaluate

__all__ = ["Outcome", "TrackerPlan", "evaluate"]
