"""The posterior over boxes: the product's own idea, the same object in training, tracking, drawing and evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Posterior:
    """Self-normalised importance samples of p(y|x) = exp f(x, y) / Z(x).

    Gustafsson et al. (AISTATS 2022); docs/method.md, section 3. Leading dimensions ``...`` are targets; a single
    target has none. The coordinates are those of the samples: crop boxes inside the tracker, (cx, cy, w, h) in frame
    pixels outside.
    """

    samples: Tensor
    """``[..., M, D]`` drawn from the sampler q'."""
    log_weights: Tensor
    """``[..., M]`` f - log q', normalised: their logsumexp is 0."""
    log_z: Tensor
    """``[...]`` estimate of log Z. On its own no score of anything: its level is fixed only against the null."""
    presence: Tensor
    """``[...]`` P(present|x) = Z / (Z + exp b), in [0, 1] (docs/method.md, section 5)."""

    @classmethod
    def from_scores(cls, samples: Tensor, log_ratio: Tensor, null: Tensor) -> Posterior:
        """Weighs samples by their scores.

        Args:
            samples: ``[..., M, D]`` from the sampler.
            log_ratio: ``[..., M]`` f - log q' at the samples.
            null: ``[...]`` log-mass b of "not here".
        """
        total = torch.logsumexp(log_ratio, -1)
        log_z = total - math.log(log_ratio.shape[-1])
        presence = torch.sigmoid(log_z - null)
        return cls(samples, log_ratio - total.unsqueeze(-1), log_z, presence)

    @property
    def weights(self) -> Tensor:
        """``[..., M]``, summing to 1."""
        return self.log_weights.exp()

    @property
    def mean(self) -> Tensor:
        """``[..., D]`` weighted mean of the samples."""
        return (self.weights.unsqueeze(-1) * self.samples).sum(-2)

    @property
    def covariance(self) -> Tensor:
        """``[..., D, D]`` weighted covariance of the samples."""
        centred = self.samples - self.mean.unsqueeze(-2)
        return torch.einsum("...m,...mi,...mj->...ij", self.weights, centred, centred)

    @property
    def ess(self) -> Tensor:
        """``[...]`` effective sample size 1 / sum w^2, between 1 and M; over M it tells whether q covers p."""
        return torch.exp(-torch.logsumexp(2 * self.log_weights, -1))

    def interval(self, level: float) -> tuple[Tensor, Tensor]:
        """Central credible interval of every coordinate.

        Args:
            level: probability inside, in (0, 1).

        Returns:
            Low and high ends, ``[..., D]`` each.

        Raises:
            ValueError: the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1, got {level}")
        ordered, order = self.samples.sort(dim=-2)
        weights = self.weights.unsqueeze(-1).expand_as(ordered).gather(-2, order)
        # Mid-point rule: a sample's quantile is the mass below it and half of its own.
        cumulative = weights.cumsum(-2) - 0.5 * weights
        return tuple(  # type: ignore[return-value]
            _interpolate(ordered.transpose(-1, -2), cumulative.transpose(-1, -2), q)
            for q in ((1 - level) / 2, (1 + level) / 2)
        )

    def density(self, y: Tensor) -> Tensor:
        """Density at any point, smoothed from the weighted samples.

        A normal kernel with Silverman's bandwidth for ESS points in D dimensions and, so that a second mode far off
        does not blur the first, the smaller of standard deviation and interquartile range over 1.34 as the spread.

        Args:
            y: ``[..., P, D]`` points in the coordinates of the samples.

        Returns:
            ``[..., P]`` density per unit of the samples' coordinates.
        """
        d = self.samples.shape[-1]
        low, high = self.interval(0.5)
        deviation = self.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt()
        robust = (high - low) / 1.349
        spread = torch.where(robust > 0, torch.minimum(deviation, robust), deviation)
        factor = (4 / (d + 2) / self.ess) ** (1 / (d + 4))
        bandwidth = (spread * factor.unsqueeze(-1)).clamp_min(1e-6).unsqueeze(-2).unsqueeze(-2)
        z = (y.unsqueeze(-2) - self.samples.unsqueeze(-3)) / bandwidth
        kernel = -0.5 * z.square().sum(-1) - bandwidth.log().sum(-1) - 0.5 * d * math.log(2 * math.pi)
        return torch.logsumexp(self.log_weights.unsqueeze(-2) + kernel, -1).exp()

    def map(self, transform: Callable[[Tensor], Tensor]) -> Posterior:
        """The posterior of transformed samples: ``transform`` takes and gives ``[..., M, D]``.

        Weights stay: probability mass does not change with coordinates.
        """
        return replace(self, samples=transform(self.samples))

    def __getitem__(self, index: int | slice | Tensor) -> Posterior:
        """The posterior of some targets of a batch."""
        return Posterior(self.samples[index], self.log_weights[index], self.log_z[index], self.presence[index])

    def put(self, index: Tensor, other: Posterior) -> Posterior:
        """This batch with the targets in ``index`` ``[K]`` replaced by those of ``other``, a batch of K."""
        names = ("samples", "log_weights", "log_z", "presence")
        return Posterior(*(getattr(self, name).index_copy(0, index, getattr(other, name)) for name in names))

    def to(self, device: torch.device | str) -> Posterior:
        """The same on a device."""
        if self.samples.device == torch.device(device):
            return self
        return Posterior(*(getattr(self, f).to(device) for f in ("samples", "log_weights", "log_z", "presence")))


def _interpolate(values: Tensor, cumulative: Tensor, q: float) -> Tensor:
    """Value ``[...]`` at quantile ``q`` of sorted ``values`` ``[..., M]`` with mid-point ``cumulative`` masses."""
    target = torch.full((*cumulative.shape[:-1], 1), q, dtype=cumulative.dtype, device=cumulative.device)
    right = torch.searchsorted(cumulative.contiguous(), target).clamp(1, cumulative.shape[-1] - 1)
    left = right - 1
    c0, c1 = cumulative.gather(-1, left), cumulative.gather(-1, right)
    share = ((target - c0) / (c1 - c0).clamp_min(1e-12)).clamp(0, 1)
    return torch.lerp(values.gather(-1, left), values.gather(-1, right), share).squeeze(-1)
