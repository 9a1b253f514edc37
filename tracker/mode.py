"""The strongest mode of a posterior: its best samples climb, and the peak with the most mass about it wins."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from networks.energy import BoxScores
from networks.posterior import Posterior

NEAR = 0.5
"""IoU with a box from which a sample belongs to it."""
LENGTHS = (0.0, 0.1, 0.3, 0.7, 1.5)
"""Of the steps that are tried: 1 leads to the peak of a normal mode."""


def strongest_mode(target: BoxScores, posterior: Posterior, at_samples: Tensor, count: int, steps: int) -> Tensor:
    """The strongest mode ``[N, 4]``: half way between its refined peak and the weighted mean of its samples.

    Args:
        target: what refinement climbs.
        posterior: over crop boxes, batch ``[N]``.
        at_samples: ``[N, M]`` the target at the posterior's samples.
        count: best samples that are refined.
        steps: of refinement.
    """
    samples, weights = posterior.samples, posterior.weights.unsqueeze(1)
    best = at_samples.topk(min(count, samples.shape[1]), 1).indices
    boxes = samples.gather(1, best.unsqueeze(-1).expand(-1, -1, 4))
    extent = Extent.of(samples)
    mass = torch.where(near(boxes, extent), weights, 0.0)
    total = mass.sum(-1, keepdim=True).clamp_min(1e-12)
    # The mode's own variance is the natural length of a step: for a normal mode it leads to the peak.
    local = mass / total
    offset = samples.transpose(1, 2).unsqueeze(1) - (local @ samples).unsqueeze(-1)
    variance = (offset.square() @ local.unsqueeze(-1)).squeeze(-1)
    refined = ascend(target, boxes, variance, steps)
    chosen = (refined.value + total.squeeze(-1).log()).argmax(1)
    peak = refined.boxes.gather(1, chosen[:, None, None].expand(-1, 1, 4))
    mass = torch.where(near(peak, extent), weights, 0.0)
    total = mass.sum(-1, keepdim=True)
    mean = (mass @ samples) / total.clamp_min(1e-12)
    # A peak that no sample supports stands for itself.
    return torch.where(total > 1e-6, 0.5 * (mean + peak), peak).squeeze(1)


class Extent(NamedTuple):
    """Where crop boxes lie, with the boxes in the last dimension."""

    low: Tensor
    """``[N, 2, M]``."""
    high: Tensor
    """``[N, 2, M]``."""
    area: Tensor
    """``[N, 1, M]``."""

    @classmethod
    def of(cls, boxes: Tensor) -> Extent:
        """Of crop boxes ``[N, M, 4]``."""
        centre, log_side = boxes.transpose(1, 2).split(2, 1)
        side = log_side.exp()
        return cls(centre - 0.5 * side, centre + 0.5 * side, side[:, :1] * side[:, 1:])


def near(boxes: Tensor, others: Extent) -> Tensor:
    """Which of the others lie within `NEAR` of crop boxes ``[N, K, 4]``, ``[N, K, M]`` bool."""
    own = Extent.of(boxes)
    high = torch.minimum(own.high.unsqueeze(-1), others.high.unsqueeze(2))
    common = (high - torch.maximum(own.low.unsqueeze(-1), others.low.unsqueeze(2))).clamp_min(0)
    # IoU > t, without a division: the union is the areas' sum less the intersection.
    return (1 + NEAR) / NEAR * (common[:, 0] * common[:, 1]) > own.area.transpose(1, 2) + others.area


class Ascent(NamedTuple):
    """Where gradient ascent ended."""

    boxes: Tensor
    """``[N, K, 4]``."""
    value: Tensor
    """``[N, K]``, nowhere below the start's."""


def ascend(target: BoxScores, boxes: Tensor, variance: Tensor, steps: int) -> Ascent:
    """Gradient ascent: along the gradient to the best of several places, of which the start is one.

    Args:
        target: what is climbed.
        boxes: ``[N, K, 4]`` where to start.
        variance: ``[N, K, 4]`` scales the steps.
        steps: how many.
    """
    if not steps:
        return Ascent(boxes, target(boxes))
    lengths = torch.tensor(LENGTHS, dtype=boxes.dtype, device=boxes.device).unsqueeze(-1)
    limit = (variance.sqrt() * 2 + 1e-3).unsqueeze(2)
    k = boxes.shape[1]
    for _ in range(steps):
        move = (variance * target.with_gradient(boxes)[..., 1:]).unsqueeze(2)
        tried = boxes.unsqueeze(2) + torch.minimum(torch.maximum(lengths * move, -limit), limit)
        value, best = target(tried.reshape(-1, k * len(LENGTHS), 4)).reshape(-1, k, len(LENGTHS)).max(2, keepdim=True)
        boxes = tried.gather(2, best.unsqueeze(-1).expand(-1, -1, -1, 4)).reshape(-1, k, 4)
    return Ascent(boxes, value.reshape(-1, k))
