"""Several processes that train as one: ``torchrun`` starts them, on one machine or on many.

A step of W processes with B pairs each is the step of one process with W * B pairs: the gradients are averaged, and
the batch norms see the batches of all.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class World:
    """The processes that train together."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0

    def part(self, whole: Tensor, dimension: int = 0) -> Tensor:
        """This process's share of what is made for the batches of all, side by side along a dimension."""
        return whole.chunk(self.size, dimension)[self.rank]


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Joins the other processes where ``torchrun`` started this one, and leaves them again."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    # Of 1 x 1 convolutions, whose two layouts are the same.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    # Its successor is not in the oldest PyTorch that we take.
    warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
    if device.type == "cuda":
        # Or what names no device, pinned memory and barriers among it, is each process's on the first card.
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def local_device(device: torch.device) -> torch.device:
    """The card of this process: ``torchrun`` numbers the processes of a machine."""
    local = os.environ.get("LOCAL_RANK")
    return torch.device("cuda", int(local)) if device.type == "cuda" and local is not None else device


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        mean = value.clone()
        dist.all_reduce(mean)
        return mean / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total / dist.get_world_size()


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean over all processes of a tensor that each has; gradients flow to all of them."""
    if not dist.is_initialized():
        return value
    mean: Tensor = _Mean.apply(value)
    return mean


class SharedNorm(nn.BatchNorm2d):
    """Batch norm over the batches of all processes; torch's own works on CUDA only."""

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]``, normalised by the statistics of all processes while training."""
        if not self.training:
            return super().forward(x)
        y = x.float()
        mean = mean_over_processes(y.mean((0, 2, 3)))
        variance = mean_over_processes((y - mean[:, None, None]).square().mean((0, 2, 3)))
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        assert self.num_batches_tracked is not None
        with torch.no_grad():
            self.num_batches_tracked += 1
            count = y.numel() / y.shape[1] * dist.get_world_size()
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (y * scale[:, None, None] + shift[:, None, None]).to(x.dtype)


def share_norms(model: nn.Module) -> None:
    """Makes every batch norm of a model see the batches of all processes, in place."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedNorm
