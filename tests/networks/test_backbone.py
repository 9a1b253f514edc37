"""Convolution and norm as one: the same function and the same gradients."""

import torch
from torch import nn

from networks.backbone import ConvNorm


def a_trained_layer(groups: int) -> ConvNorm:
    torch.manual_seed(0)
    layer = ConvNorm(8, 8, 3, 2, groups=groups).double()
    assert isinstance(layer.norm, nn.BatchNorm2d)
    assert layer.norm.running_var is not None
    assert layer.norm.running_mean is not None
    for values, low in ((layer.norm.weight, 0.5), (layer.norm.running_var, 0.5), (layer.norm.running_mean, -0.5)):
        nn.init.uniform_(values, low, low + 1.0)
    nn.init.normal_(layer.norm.bias)
    return layer.eval()


def test_a_fixed_norm_within_the_convolution_is_the_norm_after_it() -> None:
    for groups in (1, 8):
        layer = a_trained_layer(groups)
        x = torch.randn(2, 8, 9, 9, dtype=torch.float64, requires_grad=True)
        wanted = [x, *layer.parameters()]
        pull = torch.randn(2, 8, 5, 5, dtype=torch.float64)
        together = layer(x)
        apart = torch.relu(layer.norm(layer.conv(x)))
        torch.testing.assert_close(together, apart)
        mine = torch.autograd.grad((together * pull).sum(), wanted)
        theirs = torch.autograd.grad((apart * pull).sum(), wanted)
        torch.testing.assert_close(mine, theirs)
        layer.fuse()
        torch.testing.assert_close(layer(x), apart)


def test_a_norm_in_training_uses_the_batch() -> None:
    layer = a_trained_layer(1).train()
    layer.relu = False
    out = layer(torch.randn(4, 8, 9, 9, dtype=torch.float64))
    assert isinstance(layer.norm, nn.BatchNorm2d)
    torch.testing.assert_close(out.mean((0, 2, 3)), layer.norm.bias)
