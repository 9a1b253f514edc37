"""The distributions over crop boxes that samples are drawn from.

`log_prob` keeps the shape contract of `torch.distributions`: a batch of targets ``[N]``, events ``[D]``, values
``[M, N, D]``. Beside that, samples are a pure function of base noise (`from_uniform`, `draw`): reproducible, the same
in a batch as alone, and fit for low-discrepancy noise.
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


def log_sum_exp(values: Tensor) -> Tensor:
    """Log of the sum of exponentials along the last axis ``[..., K]``, of which one at least is finite."""
    # Spelt out, as what executes graphs is slow at it as one operator. What is small against the largest counts for
    # nothing, and processors are slow at numbers smaller than the clamp leaves.
    largest = values.detach().amax(-1, keepdim=True)
    return (values - largest).clamp_min(-80.0).exp().sum(-1).log() + largest.squeeze(-1)


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
        self.log_mass = log_sum_exp(logits)
        """``[N]`` log of the weights' sum before they are normalised: a level that the density itself does not have."""
        self._log_share = logits - self.log_mass.unsqueeze(-1)

    def _quadratic(self) -> tuple[Tensor, Tensor]:
        """Every component's log density as a quadratic form about the best component's mean.

        There the density is greatest and rounding must be least.

        Returns:
            ``[N, D]`` the mean; and ``[N, K, 2 D + 1]`` the coefficients of squares, offsets and one.
        """
        about = self.best_component.detach()
        precision = self.scale.square().reciprocal()
        mean = self.loc - about.unsqueeze(1)
        constant = (
            self._log_share
            - (0.5 * mean.square() * precision + self.scale.log()).sum(-1)
            - 0.5 * self.loc.shape[-1] * math.log(2 * math.pi)
        )
        return about, torch.cat((-0.5 * precision, mean * precision, constant.unsqueeze(-1)), -1)

    def _offset(self, value: Tensor, about: Tensor) -> Tensor:
        """``[N, M, D]`` values ``[..., N, D]`` from ``about`` on, all but the batch in one dimension."""
        return (value - about).reshape(-1, *self.loc.shape[::2]).transpose(0, 1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density ``[..., N]`` of ``[..., N, D]``, float32 or wider."""
        with torch.autocast(value.device.type, enabled=False):
            about, coefficients = self._quadratic()
            offset = self._offset(value, about)
            monomials = torch.cat((offset.square(), offset, torch.ones_like(offset[..., :1])), -1)
            # All components' forms are one matrix product.
            log_density = log_sum_exp(torch.bmm(monomials, coefficients.transpose(1, 2)))
        return log_density.T.reshape(value.shape[:-1])

    def log_prob_with_gradient(self, value: Tensor) -> tuple[Tensor, Tensor]:
        """Log density ``[M, N]`` of ``[M, N, D]``, and its derivatives ``[M, N, D]`` by the value."""
        about, coefficients = self._quadratic()
        offset = self._offset(value, about)
        monomials = torch.cat((offset.square(), offset, torch.ones_like(offset[..., :1])), -1)
        each = torch.bmm(monomials, coefficients.transpose(1, 2))
        total = log_sum_exp(each)
        of_square, of_offset, _ = torch.bmm((each - total.unsqueeze(-1)).exp(), coefficients).split(
            (value.shape[-1], value.shape[-1], 1), -1
        )
        return total.T, (2 * of_square * offset + of_offset).transpose(0, 1)

    @property
    def best_component(self) -> Tensor:
        """``[N, D]`` mean of the component of the greatest weight."""
        best = self._log_share.argmax(-1)
        return self.loc.gather(1, best[:, None, None].expand(-1, 1, self.loc.shape[-1])).squeeze(1)

    def from_uniform(self, uniform: Tensor) -> Tensor:
        """Samples ``[M, N, D]`` from uniform base noise ``[M, N, 1 + D]``; no gradient flows."""
        return self.draw(uniform[..., 0], standard_normal(uniform[..., 1:]))

    @torch.no_grad()
    def draw(self, choice: Tensor, normal: Tensor) -> Tensor:
        """Samples ``[M, N, D]``: components by uniform numbers ``[M, N]``, offsets by normal ones ``[M, N, D]``."""
        cumulative = self._log_share.exp().cumsum(-1)
        # The last component is what is left: rounding must not leave a gap above it.
        passed = choice.unsqueeze(-1) >= cumulative[..., :-1] / cumulative[..., -1:]
        index = passed.to(cumulative.dtype).sum(-1).long().T.unsqueeze(-1)
        components = torch.cat((self.loc, self.scale), -1)
        loc, scale = components.gather(1, index.expand(-1, -1, components.shape[-1])).transpose(0, 1).chunk(2, -1)
        return loc + scale * normal

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

    def draw(self, uniform: Tensor, normal: Tensor) -> Tensor:
        """Samples ``[M, N, 4]``: centres by uniform numbers ``[M, N, 2]``, sizes by the last normal ones of four."""
        return torch.cat((uniform - 0.5, self.log_size + self.sigma * normal[..., 2:]), dim=-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density ``[...]`` of crop boxes ``[..., 4]``; minus infinity where the centre lies outside the crop."""
        z = (value[..., 2:] - self.log_size) / self.sigma
        size = -0.5 * z.square().sum(-1) - 2 * math.log(self.sigma) - math.log(2 * math.pi)
        outside = value[..., :2].abs().amax(-1) > 0.5
        return size.masked_fill(outside, -math.inf)


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
        """Samples ``[M, N, 4]`` from uniform base noise ``[M, N, 5]``; no gradient flows."""
        return self.draw(uniform, standard_normal(uniform[..., 1:]))

    @torch.no_grad()
    def draw(self, uniform: Tensor, normal: Tensor) -> Tensor:
        """Samples ``[M, N, 4]`` from base noise.

        Args:
            uniform: ``[M, N, 3 or more]``, of which the first chooses the component, the next two a broad box's centre.
            normal: ``[M, N, 4]``.
        """
        choice = uniform[..., 0]
        drawn = self.proposal.draw((choice - self.weight) / (1 - self.weight), normal)
        broad = self.broad.draw(uniform[..., 1:3], normal)
        return torch.where((choice < self.weight).unsqueeze(-1), broad, drawn)

    def log_prob(self, value: Tensor, log_proposal: Tensor | None = None) -> Tensor:
        """Log density ``[...]`` of ``[..., D]``; pass log q where it is already at hand."""
        log_q = self.proposal.log_prob(value) if log_proposal is None else log_proposal
        parts = math.log1p(-self.weight) + log_q, math.log(self.weight) + self.broad.log_prob(value)
        return torch.stack(parts).logsumexp(0)
