"""A curve of bounded size, however long the run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Trace:
    """Values over frames in at most ``capacity`` bins; when they are full, neighbours are joined.

    Args:
        width: values a frame.
        capacity: most bins, even.
    """

    def __init__(self, width: int, capacity: int = 2048) -> None:
        self._capacity = capacity
        self._step = 1
        self._count = 0
        self._sum = np.zeros((capacity, width))
        self._low = np.full((capacity, width), np.inf)
        self._high = np.full((capacity, width), -np.inf)

    def add(self, values: NDArray[np.float64]) -> None:
        """The next frame's values ``[width]``."""
        if self._count == self._capacity * self._step:
            self._join()
        bin_ = self._count // self._step
        self._sum[bin_] += values
        self._low[bin_] = np.minimum(self._low[bin_], values)
        self._high[bin_] = np.maximum(self._high[bin_], values)
        self._count += 1

    def _join(self) -> None:
        half = self._capacity // 2
        self._sum[:half] = self._sum[0::2] + self._sum[1::2]
        self._low[:half] = np.minimum(self._low[0::2], self._low[1::2])
        self._high[:half] = np.maximum(self._high[0::2], self._high[1::2])
        self._sum[half:], self._low[half:], self._high[half:] = 0.0, np.inf, -np.inf
        self._step *= 2

    def curves(self) -> tuple[NDArray[np.float64], ...]:
        """Frames ``[B]`` at the middle of the bins, and the mean, lowest and highest values ``[B, width]``."""
        bins = -(-self._count // self._step)
        begin = np.arange(bins) * self._step
        sizes = np.minimum(self._step, self._count - begin)
        mean = self._sum[:bins] / sizes[:, None]
        return begin + (sizes - 1) / 2, mean, self._low[:bins], self._high[:bins]
