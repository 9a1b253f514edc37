"""The shape of a network, as it stands in a YAML file and inside a weights file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class StrictModel(BaseModel):
    """A configuration in which a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BackboneConfig(StrictModel):
    """Residual stages at strides 4, 8 and 16.

    ``stem_kernel: 7`` with ``stem_pool: true`` and bottleneck blocks is a ResNet without its last stage.
    """

    block: Literal["basic", "bottleneck"] = "basic"
    stem_width: int = Field(16, ge=1)
    stem_kernel: Literal[3, 7] = 3
    stem_pool: bool = False
    widths: tuple[int, int, int] = (32, 64, 128)
    depths: tuple[int, int, int] = (1, 2, 2)
    timm_start: str | None = None
    """Name of a timm model whose ImageNet weights training starts from, for example ``resnet50.a1_in1k``."""


class ModelConfig(StrictModel):
    """Everything that decides the network's tensors; saved with the weights."""

    backbone: BackboneConfig = BackboneConfig()
    score: Literal["energy", "proposal"] = "energy"
    """What scores a box: the energy head, or, in a network without one, the proposal's own unnormalised density."""
    channels: int = Field(64, ge=1)
    """Channels of the features that the heads read."""
    energy_channels: int | None = Field(None, ge=1)
    """Channels of the stride-8 features that the energy head reads; as many as the others when left out."""
    separable: bool = False
    """Whether the 3 x 3 convolutions outside the backbone are a 5 x 5 depthwise and a 1 x 1 one: far fewer products."""
    proposal_width: int = Field(96, ge=1)
    energy_width: int = Field(128, ge=1)
    bins: int = Field(4, ge=1)
    """RoI bins along each axis of a box."""
    template_size: int = Field(128, ge=32, multiple_of=16)
    template_factor: float = Field(2.0, gt=1)
    """Side of the template crop over the geometric mean of the target's sides."""
    search_size: int = Field(256, ge=32, multiple_of=16)
    search_factor: float = Field(4.0, gt=1)
    """Side of the search region over the geometric mean of the target's sides."""
    log_sigma_range: tuple[float, float] = (-5.0, 0.5)
    """Bounds of the proposal's log standard deviations, in crop coordinates."""
    defence: float = Field(0.1, gt=0, lt=1)
    """Weight ``a`` of the broad component in q' = (1 - a) q + a u (docs/method.md, section 5)."""
    trained_presence: float = Field(0.85, gt=0, lt=1)
    """Share of training crops that show the target: the prior that P(present) was trained with. The trainer sets it."""
    defence_log_size_sigma: float = Field(0.6, gt=0)
    """Spread of the broad component's log sizes about those of a box of ``1 / search_factor`` of the crop."""
