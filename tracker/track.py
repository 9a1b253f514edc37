"""What a tracker says of one target in one frame."""

from __future__ import annotations

from dataclasses import dataclass

from networks.posterior import Posterior


@dataclass(frozen=True)
class Track:
    """Where a target is, and with what certainty."""

    box: tuple[float, float, float, float]
    """(x, y, w, h), 0-based pixels of the frame: the estimate; the best guess while the target is thought absent."""
    presence: float
    """P(present), in [0, 1]."""
    posterior: Posterior
    """Over boxes (cx, cy, w, h) in frame pixels; float32 on the CPU, no leading dimension."""
