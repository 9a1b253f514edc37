"""What the machine does in a second: the rates that a floor is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

import torch


@dataclass(frozen=True)
class Rates:
    """What the machine does in a second, with the threads in use."""

    matrix: float
    """Multiply-accumulates in a product of two matrices of 1024 x 1024."""
    convolution: float
    """Multiply-accumulates in a 3 x 3 convolution of 64 channels and 64 x 64 cells."""
    cache: float
    """Bytes read and written in copies of 1 MiB."""
    memory: float
    """Bytes read and written in copies of 128 MiB."""

    def better(self, other: Rates) -> Rates:
        """The greater ones."""
        return Rates(*map(max, astuple(self), astuple(other)))

    def seconds(self, products: float, moved: float) -> float:
        """The least time for so many multiply-accumulates and bytes."""
        return max(products / max(self.matrix, self.convolution), moved / self.cache)


def extent(tensor: torch.Tensor) -> int:
    """Bytes, those that it repeats counted once."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def best_of(function: Callable[[], object], for_s: float = 0.7) -> float:
    """Seconds of the quickest call of all that were made in so long a time."""
    found: list[float] = []
    while sum(found) < for_s:
        begun = time.perf_counter()
        function()
        found.append(time.perf_counter() - begun)
    return min(found)


def measure_rates() -> Rates:
    """Of this machine, with torch's threads."""
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    layout = torch.channels_last
    image = torch.rand(1, 64, 64, 64).contiguous(memory_format=layout)
    kernel = torch.rand(64, 64, 3, 3).contiguous(memory_format=layout)
    small, large = (torch.rand(mib, 2**18) for mib in (1, 128))
    into_small, into_large = torch.empty_like(small), torch.empty_like(large)
    with torch.no_grad():
        return Rates(
            1024**3 / best_of(lambda: a @ b),
            64**4 * 9 / best_of(lambda: torch.conv2d(image, kernel, padding=1)),
            2 * extent(small) / best_of(lambda: into_small.copy_(small)),
            2 * extent(large) / best_of(lambda: into_large.copy_(large)),
        )
