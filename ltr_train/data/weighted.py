"""Drawing items with fixed weights."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

_REDRAWS = 3
K = TypeVar("K", bound=Hashable)


class Weighted:
    """Draws items with fixed weights; ``Generator.choice`` would rebuild its table at every draw."""

    def __init__(
        self, items: Sequence[int], weights: Sequence[float], accept: Callable[[int], bool] | None = None
    ) -> None:
        """Args: items to draw; their weights (any positive scale); which items to draw again, a few times."""
        self._items = np.asarray(items, np.int64)
        total = np.cumsum(np.asarray(weights, np.float64))
        self._cumulative = total / total[-1] if len(total) else total
        self._accept = accept

    def __len__(self) -> int:
        return len(self._items)

    def draw(self, rng: np.random.Generator) -> int:
        """One item."""
        item = self._draw(rng)
        for _ in range(_REDRAWS):
            if self._accept is None or self._accept(item):
                break
            item = self._draw(rng)
        return item

    def shares(self, group_of: Callable[[int], K]) -> dict[K, float]:
        """Probability of each group of items, as far as none is drawn again."""
        shares: dict[K, float] = defaultdict(float)
        for item, share in zip(self._items, np.diff(self._cumulative, prepend=0.0), strict=True):
            shares[group_of(int(item))] += float(share)
        return dict(shares)

    def _draw(self, rng: np.random.Generator) -> int:
        at = int(np.searchsorted(self._cumulative, rng.random(), side="right"))
        return int(self._items[min(at, len(self._items) - 1)])
