"""The proposal head: a mixture density over boxes, dense over the response map."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from networks.backbone import mix
from networks.distributions import DenseMixture


class ProposalHead(nn.Module):
    """Correlates the template with the search features and reads one mixture component off every cell.

    Args:
        channels: channels ``C`` of the stride-16 features.
        template_cells: cells ``T`` of the stride-16 template map.
        width: channels of the hidden layers.
        log_size: log side, in units of the crop, that a component's mean is relative to.
        log_sigma_range: bounds of the log standard deviations.
        separable: whether its convolutions are depthwise and 1 x 1 ones.
    """

    def __init__(
        self,
        channels: int,
        template_cells: int,
        width: int,
        log_size: float,
        log_sigma_range: tuple[float, float],
        separable: bool,
    ) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(channels, channels, 1)
        self.body = nn.Sequential(mix(template_cells + 2 * channels, width, separable), mix(width, width, separable))
        self.out = nn.Conv2d(width, 9, 3, padding=1)
        nn.init.normal_(self.out.weight, std=0.01)
        self.out.bias = nn.Parameter(torch.zeros(9))
        self.log_size = log_size
        self.log_sigma_range = log_sigma_range

    def template_kernel(self, features: Tensor) -> Tensor:
        """Correlation filters ``[N, T, C]`` from the template's stride-16 features ``[N, C, t, t]``."""
        kernel: Tensor = self.kernel(features)
        return kernel.flatten(2).transpose(1, 2) / math.sqrt(features.shape[1])

    def forward(self, kernel: Tensor, modulation: Tensor, search: Tensor) -> DenseMixture:
        """The proposal of each crop.

        Args:
            kernel: ``[N, T, C]`` from `template_kernel`.
            modulation: ``[N, C]`` the target's pooled features.
            search: ``[N, C, H, W]`` stride-16 search features.

        Returns:
            A distribution with batch ``[N]`` over crop boxes ``[4]``, of ``H * W`` components, float32.
        """
        n, channels, height, width = search.shape
        correlation = torch.bmm(kernel, search.reshape(n, channels, height * width)).reshape(n, -1, height, width)
        matched = search * modulation[:, :, None, None]
        out = self.out(self.body(torch.cat((correlation, matched, search), 1))).to(self.out.weight.dtype)
        cells = out.flatten(2).transpose(1, 2)
        y, x = torch.meshgrid(
            (torch.arange(height, device=out.device) + 0.5) / height - 0.5,
            (torch.arange(width, device=out.device) + 0.5) / width - 0.5,
            indexing="ij",
        )
        grid = torch.stack((x.flatten(), y.flatten()), -1)
        # Offsets of the centre count in units of two cells: a neighbour's object is within reach of one unit.
        centre = grid + cells[..., 1:3] * (2.0 / width)
        size = self.log_size + cells[..., 3:5]
        low, high = self.log_sigma_range
        log_sigma = low + (high - low) * torch.sigmoid(cells[..., 5:9])
        return DenseMixture(cells[..., 0], torch.cat((centre, size), -1), log_sigma.exp())
