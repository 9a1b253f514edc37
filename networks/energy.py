"""The energy head: scores any box of the search region against the template.

One sign everywhere: ``f`` is the *score*, high where the box is likely, so the energy proper is ``-f``
(Gustafsson et al., AISTATS 2022; docs/method.md, section 1: p(y|x) = exp f(x, y) / Z(x)).
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from networks.distributions import DenseMixture
from networks.pooling import roi_pool, roi_pool_and_slopes


class BoxScores(Protocol):
    """The score f of boxes in some crops whose targets and features are given."""

    def __call__(self, boxes: Tensor) -> Tensor:
        """f ``[N, M]`` of crop boxes ``[N, M, 4]``, float32."""

    def with_gradient(self, boxes: Tensor) -> Tensor:
        """f of crop boxes ``[N, K, 4]`` and its derivatives by them, ``[N, K, 5]``."""


class EnergyScores:
    """Scores by the energy head.

    The hidden layer sees the pooled features twice, as they are and multiplied with the target's modulation. Both are
    linear in them, so that a target has one matrix of its own in which the two are added up.

    Args:
        head: the energy head.
        modulation: ``[N, C, bins, bins]``; bias: ``[N, width]``; both from `EnergyHead.template_code`.
        search: ``[N, C, H, W]`` stride-8 search features.
    """

    def __init__(self, head: EnergyHead, modulation: Tensor, bias: Tensor, search: Tensor) -> None:
        self._head, self._search = head, search
        matched, plain = head.hidden.weight.T.reshape(2, *modulation.shape[1:], -1).permute(0, 2, 3, 1, 4)
        weight = matched * modulation.permute(0, 2, 3, 1).unsqueeze(-1) + plain
        self._weight = weight.flatten(1, 3)
        self._bias = (head.hidden.bias + bias).unsqueeze(1)

    def __call__(self, boxes: Tensor) -> Tensor:
        """f ``[N, M]`` of crop boxes ``[N, M, 4]``, float32."""
        pooled = roi_pool(self._search, boxes, self._head.bins).flatten(2)
        hidden = (torch.matmul(pooled, self._weight) + self._bias).to(self._head.hidden.weight.dtype)
        # In float32 also under autocast: bfloat16 would round scores to steps of a few hundredths.
        with torch.autocast(hidden.device.type, enabled=False):
            score: Tensor = self._head.out(hidden)
        return score.squeeze(-1)

    def with_gradient(self, boxes: Tensor) -> Tensor:
        """f of crop boxes ``[N, K, 4]`` and its derivatives by them, ``[N, K, 5]``.

        Value and derivatives go forward through the layers together: these are linear but for ReLU, which lets a
        derivative through where it lets the value through, and biases are of the value only.
        """
        k, (inputs, width) = boxes.shape[1], self._weight.shape[1:]
        pooled = roi_pool_and_slopes(self._search, boxes, self._head.bins).reshape(-1, 5 * k, inputs)
        of_value = torch.eye(5, 1, dtype=pooled.dtype, device=pooled.device)
        x = torch.matmul(pooled, self._weight).reshape(-1, k, 5, width) + self._bias.unsqueeze(1) * of_value
        for layer in cast("tuple[nn.Linear, nn.Linear]", (self._head.out[1], self._head.out[3])):
            x = (x * (x[:, :, :1] > 0)) @ layer.weight.T + layer.bias * of_value
        return x.reshape(-1, k, 5)


class EnergyHead(nn.Module):
    """Pools the features under a box, multiplies them with the template's, and maps to one number.

    Args:
        channels: channels ``C`` of the stride-8 features.
        bins: RoI bins along each axis.
        width: hidden units.
    """

    def __init__(self, channels: int, bins: int, width: int) -> None:
        super().__init__()
        self.bins = bins
        pooled = channels * bins * bins
        self.match = nn.Conv2d(channels, channels, 1)
        # The target's own shape (log w, log h in its crop) tells which aspect to expect.
        self.describe = nn.Sequential(nn.Linear(pooled + 2, width), nn.ReLU())
        self.bias = nn.Linear(width, width)
        self.null = nn.Linear(width, 1)
        self.hidden = nn.Linear(2 * pooled, width)
        self.out = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def template_code(self, features: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the head keeps of a template.

        Args:
            features: ``[N, C, t, t]`` stride-8 features of the template crop.
            boxes: ``[N, 4]`` the target in the template crop's coordinates.

        Returns:
            The modulation ``[N, C, bins, bins]``, the hidden layer's bias ``[N, width]``, and the log-mass ``[N]``
            of the null hypothesis "not here" (docs/method.md, section 5).
        """
        pooled = roi_pool(features, boxes.unsqueeze(1), self.bins).squeeze(1).permute(0, 3, 1, 2)
        described = self.describe(torch.cat((pooled.flatten(1), boxes[:, 2:].to(pooled.dtype)), 1))
        return self.match(pooled), self.bias(described), self.null(described).squeeze(1).float()


class ProposalScores:
    """Scores by the proposal's own unnormalised density.

    Args:
        proposal: of the same crops.
    """

    def __init__(self, proposal: DenseMixture) -> None:
        self._proposal = proposal

    def __call__(self, boxes: Tensor) -> Tensor:
        """f ``[N, M]`` of crop boxes ``[N, M, 4]``, float32."""
        return (self._proposal.log_prob(boxes.transpose(0, 1)) + self._proposal.log_mass).T

    def with_gradient(self, boxes: Tensor) -> Tensor:
        """f of crop boxes ``[N, K, 4]`` and its derivatives by them, ``[N, K, 5]``."""
        value, gradient = self._proposal.log_prob_with_gradient(boxes.transpose(0, 1))
        return torch.cat(((value + self._proposal.log_mass).unsqueeze(-1), gradient), -1).transpose(0, 1)


class ProposalScore(nn.Module):
    """Stands for the energy head in a network that has none: f is the proposal's own unnormalised density.

    f = log q + log(sum of the mixture's weights before normalising), so log Z is that sum, and a null hypothesis beside
    it makes presence a probability as with an energy head.

    Args:
        channels: channels ``C`` of the stride-8 features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.null = nn.Linear(channels, 1)

    def template_code(self, features: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `EnergyHead.template_code`, with an empty modulation and bias."""
        pooled = roi_pool(features, boxes.unsqueeze(1), 1).flatten(1)
        empty = pooled.new_zeros(len(pooled), 0)
        return empty, empty, self.null(pooled).squeeze(1).float()
