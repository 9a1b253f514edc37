"""The distributions over crop boxes that samples are drawn from.

`log_prob` keeps the shape contract of `torch.distributions`: a batch of targets ``[N]``, events ``[D]``, values
``[M, N, D]``. Beside that, each maps uniform base noise to samples (`from_uniform`), so that a draw is a pure
function of its noise: reproducible, the same in a batch as alone, and fit for low-discrepancy noise.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal, constraints

BOX_NOISE = 5
"""Uniform numbers that one box takes: one for the component, one a coordinate."""
SMALLEST_UNIFORM = 1e-6
"""Keeps the normal quantile finite: about 4.8 standard deviations."""


def standard_normal(uniform: Tensor) -> Tensor:
    """Standard normal quantiles of uniform numbers, any shape."""
    uniform = uniform.clamp(SMALLEST_UNIFORM, 1 - SMALLEST_UNIFORM)
    return math.sqrt(2.0) * torch.erfinv(2 * uniform - 1)


class DenseMixture(MixtureSameFamily):
    """The proposal q(y|x): a mixture of diagonal normals, one component a cell of the response map.

    The mixture density proposal of Gustafsson et al. (AISTATS 2022) with K the number of cells (docs/method.md,
    section 4).

    Args:
        logits: ``[N, K]`` unnormalised log weights.
        loc: ``[N, K, D]`` means.
        scale: ``[N, K, D]`` standard deviations, above zero.
    """

    def __init__(self, logits: Tensor, loc: Tensor, scale: Tensor, validate_args: bool | None = False) -> None:
        mixture = Categorical(logits=logits, validate_args=validate_args)
        components = Independent(Normal(loc, scale, validate_args=validate_args), 1, validate_args=validate_args)
        super().__init__(mixture, components, validate_args=validate_args)
        self.loc, self.scale = loc, scale
        self.log_mass = logits.logsumexp(-1)
        """``[N]`` log of the weights' sum before they are normalised: a level that the density itself does not have."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density ``[..., N]`` of ``[..., N, D]``, float32 or wider.

        Every component's log density is a quadratic form of the value, so all of them are one matrix product; written
        about the best component's mean, where the density is greatest and rounding must be least.
        """
        batch, dims = self.loc.shape[0], self.loc.shape[-1]
        with torch.autocast(value.device.type, enabled=False):
            about = self.best_component.detach()
            precision = self.scale.square().reciprocal()
            mean = self.loc - about.unsqueeze(1)
            constant = (
                self.mixture_distribution.logits
                - (0.5 * mean.square() * precision + self.scale.log()).sum(-1)
                - 0.5 * dims * math.log(2 * math.pi)
            )
            coefficients = torch.cat((-0.5 * precision, mean * precision, constant.unsqueeze(-1)), -1)
            offset = (value - about).reshape(-1, batch, dims).transpose(0, 1)
            monomials = torch.cat((offset.square(), offset, torch.ones_like(offset[..., :1])), -1)
            log_density = torch.bmm(monomials, coefficients.transpose(1, 2)).logsumexp(-1)
        return log_density.T.reshape(value.shape[:-1])

    @property
    def best_component(self) -> Tensor:
        """``[N, D]`` mean of the component of the greatest weight."""
        best = self.mixture_distribution.logits.argmax(-1)
        return self.loc[torch.arange(len(best), device=best.device), best]

    def from_uniform(self, uniform: Tensor) -> Tensor:
        """Samples ``[M, N, D]`` from uniform base noise ``[M, N, 1 + D]``; no gradient flows."""
        with torch.no_grad():
            cumulative = self.mixture_distribution.probs.cumsum(-1)
            # Normalised by its own last entry: rounding must not leave a gap above the last component.
            cumulative = (cumulative / cumulative[..., -1:]).contiguous()
            chosen = torch.searchsorted(cumulative, uniform[..., 0].T.contiguous(), right=True).T
            chosen = chosen.clamp_max(cumulative.shape[-1] - 1)
            index = chosen.T.unsqueeze(-1).expand(-1, -1, self.loc.shape[-1])
            loc = self.loc.gather(1, index).transpose(0, 1)
            scale = self.scale.gather(1, index).transpose(0, 1)
            return loc + scale * standard_normal(uniform[..., 1:])

    def sample(
        self, sample_shape: torch.Size | list[int] | tuple[int, ...] = (), generator: torch.Generator | None = None
    ) -> Tensor:
        """Samples ``sample_shape + [N, D]``; no gradient flows through the draw."""
        count = math.prod(sample_shape)
        shape = (count, *self.batch_shape, 1 + self.loc.shape[-1])
        uniform = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device, generator=generator)
        return self.from_uniform(uniform).reshape(*sample_shape, *self.batch_shape, self.loc.shape[-1])


class BroadBoxes(Distribution):
    """Plausible boxes of any look: centre uniform over the crop, log sizes normal about the expected size.

    Args:
        batch_shape: leading shape of the batch, for example ``(N,)``.
        log_size: expected log side in units of the crop.
        sigma: standard deviation of each log side.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(self, batch_shape: tuple[int, ...], log_size: float, sigma: float) -> None:
        super().__init__(torch.Size(batch_shape), torch.Size([4]), validate_args=False)
        self.log_size, self.sigma = log_size, sigma

    def from_uniform(self, uniform: Tensor) -> Tensor:
        """Samples ``[M, N, 4]`` from uniform base noise ``[M, N, 4]``."""
        size = self.log_size + self.sigma * standard_normal(uniform[..., 2:])
        return torch.cat((uniform[..., :2] - 0.5, size), dim=-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density ``[...]`` of crop boxes ``[..., 4]``; minus infinity where the centre lies outside the crop."""
        z = (value[..., 2:] - self.log_size) / self.sigma
        size = (-0.5 * z**2 - math.log(self.sigma) - 0.5 * math.log(2 * math.pi)).sum(-1)
        inside = (value[..., :2].abs() <= 0.5).all(-1)
        return torch.where(inside, size, torch.full_like(size, -math.inf))


class DefensiveMixture(Distribution):
    """q' = (1 - a) q + a u: the sampler with bounded weights of docs/method.md, section 5.

    Args:
        proposal: the learned q.
        broad: u, with the same batch and event shape.
        weight: a, in (0, 1).
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(self, proposal: DenseMixture, broad: BroadBoxes, weight: float) -> None:
        super().__init__(proposal.batch_shape, proposal.event_shape, validate_args=False)
        self.proposal, self.broad, self.weight = proposal, broad, weight

    def from_uniform(self, uniform: Tensor) -> Tensor:
        """Samples ``[M, N, D]`` from uniform base noise ``[M, N, 1 + D]``; no gradient flows."""
        choice = uniform[..., :1]
        rescaled = (choice - self.weight) / (1 - self.weight)
        drawn = self.proposal.from_uniform(torch.cat((rescaled.clamp_min(0), uniform[..., 1:]), -1))
        return torch.where(choice < self.weight, self.broad.from_uniform(uniform[..., 1:]), drawn)

    def log_prob(self, value: Tensor, log_proposal: Tensor | None = None) -> Tensor:
        """Log density ``[...]`` of ``[..., D]``; pass log q where it is already at hand."""
        log_q = self.proposal.log_prob(value) if log_proposal is None else log_proposal
        return torch.logaddexp(math.log1p(-self.weight) + log_q, math.log(self.weight) + self.broad.log_prob(value))
