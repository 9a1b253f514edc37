"""Speed and latency of a live picture."""

from __future__ import annotations

from collections import deque
from statistics import median, quantiles

SHOWN = 30
"""Results that the shown figures are taken over."""
KEPT = 1000
"""Results that the figures at the end are taken over."""


class Meter:
    """Counts results."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=SHOWN)
        self._latencies: deque[float] = deque(maxlen=KEPT)
        self.results = 0

    def add(self, now: float, captured: float) -> None:
        """A result that is ready now, of a frame captured then; seconds of one clock."""
        self._times.append(now)
        self._latencies.append(now - captured)
        self.results += 1

    def restart(self) -> None:
        """Time stood still: the speed is counted anew."""
        self._times.clear()

    @property
    def fps(self) -> float:
        """Results per second over the last 30; 0 where they are too few to tell."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    @property
    def latency(self) -> float:
        """Median seconds from capture to result over the last 30; 0 before the first."""
        recent = list(self._latencies)[-SHOWN:]
        return median(recent) if recent else 0.0

    def summary(self) -> tuple[float, float] | None:
        """Median and 95th percentile of the seconds from capture to result, of the last 1000; None before two."""
        if len(self._latencies) < 2:
            return None
        return median(self._latencies), quantiles(self._latencies, n=20, method="inclusive")[-1]
