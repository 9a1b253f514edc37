"""The feature network: plain residual convolutions giving features at strides 8 and 16."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from networks.config import BackboneConfig


class ConvNorm(nn.Module):
    """Convolution, batch norm and, unless ``relu`` is false, ReLU. `fuse` folds the norm into the convolution."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, relu: bool = True, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, groups=groups)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """``[N, inputs, H, W]`` to ``[N, outputs, H / stride, W / stride]``."""
        norm = self.norm
        if isinstance(norm, nn.BatchNorm2d) and not norm.training:
            # With fixed statistics the norm is part of the convolution: a quarter less work for a training step.
            parts = norm.weight, norm.bias, norm.running_mean, norm.running_var
            weight, bias, mean, variance = cast("tuple[Tensor, Tensor, Tensor, Tensor]", parts)
            gain = weight * torch.rsqrt(variance + norm.eps)
            conv = self.conv
            kernel, offset = conv.weight * gain[:, None, None, None], bias - mean * gain
            x = nn.functional.conv2d(x, kernel, offset, conv.stride, conv.padding, groups=conv.groups)
        else:
            x = norm(self.conv(x))
        return torch.relu(x) if self.relu else x

    def fuse(self) -> None:
        """Folds the batch norm's running statistics into the convolution; for inference only."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


def mix(inputs: int, outputs: int, separable: bool) -> nn.Module:
    """A 3 x 3 convolution, or in its stead a 5 x 5 depthwise and a 1 x 1 one."""
    if not separable:
        return ConvNorm(inputs, outputs)
    return nn.Sequential(ConvNorm(inputs, inputs, 5, relu=False, groups=inputs), ConvNorm(inputs, outputs, 1))


class Residual(nn.Module):
    """A residual block: two 3 x 3 convolutions, or a bottleneck of 1 x 1, 3 x 3, 1 x 1 (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        if bottleneck:
            middle = outputs // 4
            self.body = nn.Sequential(
                ConvNorm(inputs, middle, 1),
                ConvNorm(middle, middle, 3, stride),
                ConvNorm(middle, outputs, 1, relu=False),
            )
        else:
            self.body = nn.Sequential(ConvNorm(inputs, outputs, 3, stride), ConvNorm(outputs, outputs, 3, relu=False))
        changes_shape = stride != 1 or inputs != outputs
        self.shortcut = ConvNorm(inputs, outputs, 1, stride, relu=False) if changes_shape else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``[N, inputs, H, W]`` to ``[N, outputs, H / stride, W / stride]``."""
        return torch.relu(self.shortcut(x) + self.body(x))


def _stage(inputs: int, outputs: int, depth: int, stride: int, bottleneck: bool) -> nn.Sequential:
    blocks = [Residual(inputs, outputs, stride, bottleneck)]
    blocks += [Residual(outputs, outputs, 1, bottleneck) for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


class Backbone(nn.Module):
    """Stem and three residual stages."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        bottleneck = config.block == "bottleneck"
        self.stem = ConvNorm(3, config.stem_width, config.stem_kernel, 2)
        self.pool: nn.Module = nn.MaxPool2d(3, 2, 1) if config.stem_pool else nn.Identity()
        first, second, third = config.widths
        depths = config.depths
        stride = 1 if config.stem_pool else 2
        self.stage4 = _stage(config.stem_width, first, depths[0], stride, bottleneck)
        self.stage8 = _stage(first, second, depths[1], 2, bottleneck)
        self.stage16 = _stage(second, third, depths[2], 2, bottleneck)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of normalised images.

        Args:
            images: ``[N, 3, S, S]`` BGR, mean 0 and deviation 1, ``S`` a multiple of 16.

        Returns:
            ``[N, widths[1], S/8, S/8]`` and ``[N, widths[2], S/16, S/16]``.
        """
        stride8 = self.stage8(self.stage4(self.pool(self.stem(images))))
        return stride8, self.stage16(stride8)


def start_from_timm(backbone: Backbone, name: str) -> None:
    """Copies the ImageNet weights of a timm ResNet with the same shape into the backbone.

    Args:
        backbone: built from a configuration with bottleneck blocks, ``stem_kernel: 7`` and ``stem_pool: true``.
        name: a timm model name, for example ``resnet50.a1_in1k``.

    Raises:
        ImportError: timm is not installed.
        ValueError: the model's tensors do not fit the backbone.
    """
    try:
        import timm
    except ImportError as error:
        raise ImportError("timm_start needs the timm extra: pip install 'ebtrack[timm]'") from error
    source = timm.create_model(name, pretrained=True).state_dict()
    convolutions = {"stem": ("conv1", "bn1")}
    for stage, layer in (("stage4", "layer1"), ("stage8", "layer2"), ("stage16", "layer3")):
        for block in range(len(getattr(backbone, stage))):
            for i in range(3):
                convolutions[f"{stage}.{block}.body.{i}"] = (
                    f"{layer}.{block}.conv{i + 1}",
                    f"{layer}.{block}.bn{i + 1}",
                )
        convolutions[f"{stage}.0.shortcut"] = (f"{layer}.0.downsample.0", f"{layer}.0.downsample.1")
    own = backbone.state_dict()
    renamed: dict[str, Tensor] = {}
    for ours, (conv, norm) in convolutions.items():
        renamed |= {f"{ours}.conv.weight": source.get(f"{conv}.weight")}
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            renamed[f"{ours}.norm.{part}"] = source.get(f"{norm}.{part}")
    renamed = {key: value for key, value in renamed.items() if key in own}
    misfits = [key for key, value in own.items() if renamed.get(key) is None or renamed[key].shape != value.shape]
    if misfits:
        raise ValueError(
            f"timm model {name!r} does not fit this backbone: {len(misfits)} of {len(own)} tensors differ, "
            f"the first is {misfits[0]}; a ResNet-50 needs block: bottleneck, stem_kernel: 7, stem_pool: true, "
            "stem_width: 64, widths: [256, 512, 1024], depths: [3, 4, 6]"
        )
    # timm's images are RGB, ours BGR.
    renamed["stem.conv.weight"] = renamed["stem.conv.weight"].flip(1)
    backbone.load_state_dict(renamed)
