"""Base noise of the sampler: a fixed low-discrepancy set, shifted by a counter-based generator."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from networks.distributions import BOX_NOISE, standard_normal

AHEAD = 16
"""Values of the counter whose noise is made at once on the CPU: one takes little less time than sixteen."""

_MULTIPLIER = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_A = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_B = 0x94D049BB133111EB - (1 << 64)


@lru_cache(maxsize=8)
def sobol(count: int, dim: int) -> Tensor:
    """The scrambled Sobol set, always the same: ``[count, dim]`` in [0, 1), float32."""
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
    return torch.remainder(sobol(count, dim).to(seed.device).unsqueeze(1) + shift, 1.0)


class Noise(NamedTuple):
    """Base noise of boxes."""

    uniform: Tensor
    """``[N, M, 3]`` in [0, 1): for a sample's component, and for its centre in the broad one."""
    normal: Tensor
    """``[N, M, 4]``."""

    @classmethod
    def of(cls, uniform: Tensor) -> Noise:
        """Of uniform base noise ``[M, N, 5]``."""
        uniform = uniform.transpose(0, 1)
        return cls(uniform[..., :3].contiguous(), standard_normal(uniform[..., 1:]).contiguous())


def box_noise(seed: Tensor, counter: Tensor, count: int) -> Noise:
    """Noise of ``count`` boxes for each target's seed and counter ``[N]``, int64: `Noise` of `base_noise`."""
    if seed.device.type != "cpu":
        return Noise.of(base_noise(seed, counter, count, BOX_NOISE))
    rows = []
    for own, now in zip(seed.tolist(), counter.tolist(), strict=True):
        at = now % AHEAD
        rows.append([part[at : at + 1] for part in _noise_from(own, now - at, count)])
    return Noise(*rows[0]) if len(rows) == 1 else Noise(*(torch.cat(parts) for parts in zip(*rows, strict=True)))


@lru_cache(maxsize=64)
def _noise_from(seed: int, begin: int, count: int) -> Noise:
    """Noise for `AHEAD` values of the counter."""
    counter = torch.arange(begin, begin + AHEAD)
    return Noise.of(base_noise(torch.full_like(counter, seed), counter, count, BOX_NOISE))
