"""The whole network: features, proposal and energy, for training and tracking alike."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from networks.backbone import Backbone, ConvNorm, mix
from networks.config import ModelConfig
from networks.distributions import BroadBoxes, DefensiveMixture, DenseMixture
from networks.energy import BoxScores, EnergyHead, EnergyScores, ProposalScore, ProposalScores
from networks.pooling import roi_pool
from networks.proposal import ProposalHead


class Template(NamedTuple):
    """What is kept of a target's first view; every tensor has the targets ``[N]`` in front."""

    kernel: Tensor
    """``[N, T, C]`` correlation filters of the proposal head."""
    pooled: Tensor
    """``[N, C]`` mean stride-16 features of the target."""
    modulation: Tensor
    """``[N, E, bins, bins]`` of the energy head; empty without one."""
    bias: Tensor
    """``[N, width]`` of the energy head; empty without one."""
    null: Tensor
    """``[N]`` log-mass b of the null hypothesis."""

    def select(self, index: Tensor) -> Template:
        """The templates of the targets in ``index``, which may repeat."""
        return Template(*(part.index_select(0, index) for part in self))

    def join(self, other: Template) -> Template:
        """The targets of this template, then those of the other."""
        return Template(*(torch.cat(parts) for parts in zip(self, other, strict=True)))


class SearchFeatures(NamedTuple):
    """Features of search crops."""

    stride8: Tensor
    """``[N, E, S/8, S/8]``, read by the energy head."""
    stride16: Tensor
    """``[N, C, S/16, S/16]``, read by the proposal head."""

    def select(self, index: Tensor) -> SearchFeatures:
        """The features of the crops in ``index``, which may repeat."""
        return SearchFeatures(*(part.index_select(0, index) for part in self))


class EnergyTracker(nn.Module):
    """A Siamese feature network with a proposal head q(y|x) and an energy head f(x, y)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        _, width8, width16 = config.backbone.widths
        self.backbone = Backbone(config.backbone)
        self.lateral16 = ConvNorm(width16, channels, 1)
        self.lateral8 = ConvNorm(width8, channels, 1, relu=False)
        energy_channels = config.energy_channels or channels
        self.smooth8 = mix(channels, energy_channels, config.separable)
        self.log_size = -math.log(config.search_factor)
        cells = (config.template_size // 16) ** 2
        self.proposal = ProposalHead(
            channels, cells, config.proposal_width, self.log_size, config.log_sigma_range, config.separable
        )
        self.energy = (
            EnergyHead(energy_channels, config.bins, config.energy_width)
            if config.score == "energy"
            else ProposalScore(energy_channels)
        )
        # Convolutions are fastest in this layout on the CPU and with half precision on a GPU.
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def features(self, crops: Tensor) -> SearchFeatures:
        """Features of crops ``[N, 3, S, S]``, BGR, 0 to 255, of any number type."""
        images = (crops.to(self.lateral16.conv.weight.dtype) - 114.0) / 58.0
        images = images.contiguous(memory_format=torch.channels_last)
        stride8, stride16 = self.backbone(images)
        stride16 = self.lateral16(stride16)
        up = nn.functional.interpolate(stride16, scale_factor=2.0, mode="nearest")
        return SearchFeatures(self.smooth8(torch.relu(self.lateral8(stride8) + up)), stride16)

    def encode_template(self, crops: Tensor, boxes: Tensor, shared: bool = True) -> Template:
        """What is kept of targets.

        Args:
            crops: ``[N, 3, template_size, template_size]``, BGR, 0 to 255.
            boxes: ``[N, 4]`` the targets in crop coordinates.
            shared: whether the proposal's gradient reaches the features.
        """
        found = self.features(crops)
        stride16 = found.stride16 if shared else found.stride16.detach()
        pooled = roi_pool(stride16, boxes.unsqueeze(1), 1)[:, 0, 0, 0]
        return Template(
            self.proposal.template_kernel(stride16),
            pooled,
            *self.energy.template_code(found.stride8, boxes),
        )

    def propose(self, template: Template, search: SearchFeatures, shared: bool = True) -> DenseMixture:
        """The proposal q of each crop: batch ``[N]``, events ``[4]`` in crop coordinates.

        Args:
            template: of ``N`` targets.
            search: features of their crops.
            shared: whether the proposal's gradient reaches them.
        """
        stride16 = search.stride16 if shared else search.stride16.detach()
        return self.proposal(template.kernel, template.pooled, stride16)

    def defend(self, proposal: DenseMixture) -> DefensiveMixture:
        """The sampler q' = (1 - a) q + a u of docs/method.md, section 5."""
        broad = BroadBoxes(tuple(proposal.batch_shape), self.log_size, self.config.defence_log_size_sigma)
        return DefensiveMixture(proposal, broad, self.config.defence)

    def scores(self, template: Template, search: SearchFeatures, proposal: DenseMixture | None = None) -> BoxScores:
        """What scores the boxes of some crops.

        Args:
            template: of ``N`` targets.
            search: features of their crops.
            proposal: that of `propose` for the same crops, where it is at hand; an energy head does not read it.
        """
        if isinstance(self.energy, ProposalScore):
            return ProposalScores(self.propose(template, search) if proposal is None else proposal)
        return EnergyScores(self.energy, template.modulation, template.bias, search.stride8)

    def score(
        self, template: Template, search: SearchFeatures, boxes: Tensor, proposal: DenseMixture | None = None
    ) -> Tensor:
        """Scores f ``[N, M]``, float32, of crop boxes ``[N, M, 4]``; the rest as for `scores`."""
        return self.scores(template, search, proposal)(boxes)

    def fuse(self) -> EnergyTracker:
        """Folds every batch norm into its convolution and switches to inference; cannot be undone."""
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fuse()
        return self.requires_grad_(False)
