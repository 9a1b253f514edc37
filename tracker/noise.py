"""Base noise of the sampler: a fixed low-discrepancy set, shifted by a counter-based generator."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

_MULTIPLIER = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_A = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_B = 0x94D049BB133111EB - (1 << 64)


@lru_cache(maxsize=8)
def _sobol(count: int, dim: int) -> Tensor:
    return torch.quasirandom.SobolEngine(dim, scramble=True, seed=0).draw(count)


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift of int64."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _hash(x: Tensor) -> Tensor:
    """The finaliser of splitmix64 (Steele et al., OOPSLA 2014) on int64 that wraps around."""
    x = (x ^ _shift_right(x, 30)) * _MIX_A
    x = (x ^ _shift_right(x, 27)) * _MIX_B
    return x ^ _shift_right(x, 31)


def base_noise(seed: Tensor, counter: Tensor, count: int, dim: int) -> Tensor:
    """Uniform base noise that is a function of each target's seed and counter alone.

    A scrambled Sobol set, the same for all, is shifted modulo 1 by a random vector (Cranley and Patterson, 1976), so
    every target of a batch draws what it would draw alone and estimates vary less than with independent noise.

    Args:
        seed: ``[N]`` int64.
        counter: ``[N]`` int64, for example the frame's number.
        count: M, samples.
        dim: uniform numbers a sample.

    Returns:
        ``[M, N, dim]`` in [0, 1), float32.
    """
    key = _hash(_hash(seed) + counter * _MULTIPLIER)
    dims = torch.arange(1, dim + 1, device=seed.device)
    bits = _shift_right(_hash(key.unsqueeze(1) + dims * _MULTIPLIER), 40)
    shift = bits.to(torch.float32) / (1 << 24)
    return torch.remainder(_sobol(count, dim).to(seed.device).unsqueeze(1) + shift, 1.0)
