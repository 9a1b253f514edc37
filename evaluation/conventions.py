"""How the toolkits of the field turn boxes into numbers, so that every number can name its convention.

docs/metrics.md writes each one down, with what it leaves out of the toolkit that it is named for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.metrics import Floats

PIXELS: Floats = np.arange(51.0)
"""Thresholds of the precision curve: distance of the centres in pixels; precision is read at 20."""
NORMALISED: Floats = np.arange(51) / 100
"""Thresholds of the normalised precision curve: distance of the centres in units of the target's width and height."""


@dataclass(frozen=True)
class Convention:
    """What is counted, and where the curves are read. Success is always an overlap strictly above a threshold."""

    name: str
    success_thresholds: int
    """Of the success curve, evenly spaced from 0 to 1."""
    normalised: Literal["read at 0.2", "mean of 0 to 0.5"]
    """How normalised precision is had from its curve."""
    first_frame: bool
    """Whether the first frame counts, with the box that was given."""
    absent: Literal["dropped", "failure"]
    """What a frame without target is. A toolkit that drops it from the hits but keeps it in the divisor makes it a
    failure. A frame that nobody annotated is dropped by all."""
    unusual: Literal["otb", "pysot", "absent"]
    """Annotated boxes that are not positive. ``otb``: where x, y, w or h is not above 0, overlap and distances are -1:
    no success, but a hit of precision. ``pysot``: so is the overlap where w or h, and so are the distances where the
    centre is not above 0. Both are rules for 1-based pixels. ``absent``: without w or h there is no target."""
    empty_boxes: Literal["kept", "previous"]
    """A tracked box without width or height overlaps nothing, or is replaced by the one before."""
    over: Literal["sequences", "frames"]
    """A figure is the mean over sequences, each weighing the same, or over the frames of all."""
    speed: Literal["n / sum of t", "mean of 1 / t"]
    """Frames per second from the seconds t of each frame."""

    @property
    def text(self) -> str:
        """All of it in one line, to print beside numbers."""
        first = "counted" if self.first_frame else "left out"
        absent = "dropped" if self.absent == "dropped" else "count as failures"
        return (
            f"success over {self.success_thresholds} thresholds, strictly above; precision at 20 px; normalised "
            f"precision {self.normalised}; first frame {first}; absent frames {absent}; mean over {self.over}"
        )

    @property
    def overlaps(self) -> Floats:
        """The thresholds of the success curve."""
        return np.arange(self.success_thresholds) / (self.success_thresholds - 1)


CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (
        Convention("otb", 21, "read at 0.2", True, "dropped", "otb", "kept", "sequences", "n / sum of t"),
        Convention("pysot", 21, "read at 0.2", True, "failure", "pysot", "kept", "sequences", "n / sum of t"),
        Convention("pytracking", 21, "read at 0.2", True, "failure", "absent", "previous", "sequences", "n / sum of t"),
        Convention("lasot", 21, "read at 0.2", True, "dropped", "absent", "previous", "sequences", "n / sum of t"),
        Convention("got10k", 101, "mean of 0 to 0.5", False, "dropped", "absent", "kept", "frames", "mean of 1 / t"),
    )
}
"""By name: Wu et al. (CVPR 2013), PySOT's and PyTracking's code, Fan et al. (CVPR 2019), Huang et al. (TPAMI 2021)."""


def convention_named(name: str) -> Convention:
    """The convention of a name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in CONVENTIONS:
        raise ValueError(f"no convention {name!r}: choose one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]
