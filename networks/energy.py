"""The energy head: scores any box of the search region against the template.

One sign everywhere: ``f`` is the *score*, high where the box is likely, so the energy proper is ``-f``
(Gustafsson et al., AISTATS 2022; docs/method.md, section 1: p(y|x) = exp f(x, y) / Z(x)).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from networks.distributions import DenseMixture
from networks.pooling import roi_pool


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
        pooled = roi_pool(features, boxes.unsqueeze(1), self.bins).squeeze(1)
        described = self.describe(torch.cat((pooled.flatten(1), boxes[:, 2:].to(pooled.dtype)), 1))
        return self.match(pooled), self.bias(described), self.null(described).squeeze(1).float()

    def forward(self, modulation: Tensor, bias: Tensor, search: Tensor, boxes: Tensor) -> Tensor:
        """Scores of boxes.

        Args:
            modulation: ``[N, C, bins, bins]``; bias: ``[N, width]``; both from `template_code`.
            search: ``[N, C, H, W]`` stride-8 search features.
            boxes: ``[N, M, 4]`` crop boxes.

        Returns:
            ``f`` of shape ``[N, M]``, float32.
        """
        pooled = roi_pool(search, boxes, self.bins)
        both = torch.cat(((pooled * modulation.unsqueeze(1)).flatten(2), pooled.flatten(2)), -1)
        hidden = (self.hidden(both) + bias.unsqueeze(1)).float()
        # In float32 also under autocast: bfloat16 would round scores to steps of a few hundredths.
        with torch.autocast(hidden.device.type, enabled=False):
            score: Tensor = self.out(hidden)
        return score.squeeze(-1)


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

    def forward(self, proposal: DenseMixture, boxes: Tensor) -> Tensor:
        """Scores f ``[N, M]`` of crop boxes ``[N, M, 4]``, float32."""
        return (proposal.log_prob(boxes.transpose(0, 1)) + proposal.log_mass).T
