"""Photometric change of many crops at once on a device.

Sums run over whole numbers below 2^24, so float32 (and the factors, below 2^11, so TF32) holds them exactly: a pixel
depends neither on the order of summation nor on the batch.
"""

from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ltr_train.data.atlas import Atlas
from ltr_train.data.packing import WHOLE

# Breaks ties of sums that are multiples of 1 / 2048, so that no error of a fast convolution can.
_TIE = 1.0 / (2 * WHOLE)
# Of the luminance and the chrominance tables of the JPEG standard, annex K.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_COSINES = 1024


def changed(atlas: Atlas, crops: Tensor, numbers: Tensor, factors: Tensor, tables: Tensor, kernels: Tensor) -> Tensor:
    """Crops after their photometric changes.

    Args:
        atlas: Has the noise.
        crops: [N, S, S, 3] uint8 BGR.
        numbers: [N, 9], ``view_numbers`` of ``pack``, on the CPU, where it decides which crops take a step.
        factors: [N, 5], ``view_factors`` of ``pack``; this and the rest on the device.
        tables: [N, 256, 3] uint8.
        kernels: [B, K, K] int16 for all views of the batch.

    Returns:
        [N, S, S, 3] uint8 BGR.
    """
    device = crops.device
    on_device = numbers.to(device, non_blocking=True)
    crops = crops.clone()
    blur, resize, noise, quality = (
        rows.nonzero().squeeze(1)
        for rows in (numbers[:, 0] >= 0, numbers[:, 1] > 0, numbers[:, 4] >= 0, numbers[:, 7] > 0)
    )
    if len(blur):
        rows = blur.to(device, non_blocking=True)
        crops[rows] = _blurred(crops[rows], kernels.index_select(0, on_device[rows, 0]))
    if len(resize):
        rows = resize.to(device, non_blocking=True)
        matrices = [_resizing(crops.shape[1], *how, device) for how in numbers[resize, 1:4].tolist()]
        crops[rows] = _resized(crops[rows], torch.stack(matrices).float())
    crops = _relit(crops, factors[:, 3], tables)
    if len(noise):
        rows = noise.to(device, non_blocking=True)
        crops[rows] = _noisy(crops[rows], atlas.noise, on_device[rows, 4:7].long(), factors[rows, 4])
    if len(quality):
        rows = quality.to(device, non_blocking=True)
        crops[rows] = _compressed(crops[rows], on_device[rows, 7])
    return torch.where(on_device[:, 8].bool().view(-1, 1, 1, 1), crops.flip(2), crops)


def _levels(values: Tensor) -> Tensor:
    return values.round().clamp(0.0, 255.0).to(torch.uint8)


def _blurred(crops: Tensor, kernels: Tensor) -> Tensor:
    """Crops [n, S, S, 3] convolved with kernels [n, K, K] of whole numbers."""
    n, side, reach = len(crops), crops.shape[1], kernels.shape[1] // 2
    planes = functional.pad(crops.permute(0, 3, 1, 2).float(), (reach,) * 4, mode="reflect")
    weights = kernels.float().repeat_interleave(3, 0).unsqueeze(1)
    sums = functional.conv2d(planes.reshape(1, 3 * n, *planes.shape[2:]), weights, groups=3 * n)
    return _levels(sums.view(n, 3, side, side).permute(0, 2, 3, 1) / WHOLE + _TIE)


@cache
def _resizing(side: int, small: int, area: int, cubic: int, device: torch.device) -> Tensor:
    """Loss of resolution along one axis: [side, side] int16, rows of sum ``WHOLE``."""
    down = cv2.resize(
        np.eye(side, dtype=np.float32), (side, small), interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR
    )
    both = cv2.resize(down, (side, side), interpolation=cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR)
    whole = np.rint(both * WHOLE)
    whole[np.arange(side), whole.argmax(axis=1)] += WHOLE - whole.sum(axis=1)
    return torch.from_numpy(whole.astype(np.int16)).to(device)


def _resized(crops: Tensor, matrices: Tensor) -> Tensor:
    """Crops [n, S, S, 3] after matrices [n, S, S] along both axes."""
    n, side = crops.shape[:2]
    # Three bits more than a grey level are kept between the axes.
    lines = (matrices @ crops.float().view(n, side, -1) * (8.0 / WHOLE)).round().clamp(0.0, 2047.0)
    columns = lines.view(n, side, side, 3).transpose(1, 2).reshape(n, side, -1)
    return _levels(matrices @ columns * (0.125 / WHOLE)).view(n, side, side, 3).transpose(1, 2)


def _relit(crops: Tensor, saturation: Tensor, tables: Tensor) -> Tensor:
    """Crops [n, S, S, 3] with their distance from grey times saturation [n], then looked up in tables."""
    colours = crops.float()
    grey = (colours[..., 0] * 0.114 + colours[..., 1] * 0.587 + colours[..., 2] * 0.299).round()
    share = (saturation * 256.0).round().view(-1, 1, 1, 1) * (1.0 / 256.0)
    found = torch.lerp(grey.unsqueeze(3), colours, share).round_().clamp_(0.0, 255.0)
    return tables.gather(1, found.view(len(crops), -1, 3).long()).view_as(crops)


def _noisy(crops: Tensor, noise: Tensor, where: Tensor, factor: Tensor) -> Tensor:
    """Crops [n, S, S, 3] with pieces of the noise [2, 512, 512, 3] at where [n, 3] (coloured, x, y) times factor."""
    steps = torch.arange(crops.shape[1], device=crops.device)
    columns, rows = where[:, 1:2] + steps, where[:, 2:3] + steps
    pieces = noise[where[:, 0].view(-1, 1, 1), rows.unsqueeze(2), columns.unsqueeze(1)]
    return _levels(crops + pieces * factor.view(-1, 1, 1, 1))


def _compressed(crops: Tensor, quality: Tensor) -> Tensor:
    """Crops [n, S, S, 3], S a multiple of 16, after JPEG of quality [n], chrominance at half resolution as is usual."""
    blue, green, red = crops.float().unbind(3)
    luminance = (0.299 * red + 0.587 * green + 0.114 * blue).round()
    chrominance = torch.stack(
        [
            -0.168736 * red - 0.331264 * green + 0.5 * blue,
            0.5 * red - 0.418688 * green - 0.081312 * blue,
        ],
        dim=1,
    )
    halved = functional.avg_pool2d(chrominance.round(), 2).round()
    share = torch.where(quality < 50, 5000 // quality.clamp_min(1), 200 - 2 * quality).view(-1, 1, 1)
    fine, coarse = (((base * share + 50) // 100).clamp(1, 255).float() for base in _tables(crops.device))
    luminance = _quantised((luminance - 128.0).unsqueeze(1), fine).squeeze(1) + 128.0
    halved = _quantised(halved, coarse)
    cb, cr = functional.interpolate(halved, scale_factor=2, mode="bilinear", align_corners=False).round().unbind(1)
    colours = torch.stack(
        [luminance + 1.772 * cb, luminance - 0.344136 * cb - 0.714136 * cr, luminance + 1.402 * cr], dim=3
    )
    return _levels(colours)


def _quantised(planes: Tensor, tables: Tensor) -> Tensor:
    """Planes [n, C, H, W] of whole numbers whose cosine transforms were rounded to multiples of tables [n, 8, 8]."""
    n, channels, height, width = planes.shape
    step = tables.view(n, 1, 1, 1, 8, 8)
    blocks = planes.view(n, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    cosines = _cosines(planes.device)
    # Two bits more than a grey level are kept between the axes.
    once = (blocks @ cosines.T).transpose(4, 5).mul(4.0 / _COSINES).round()
    numbers = ((once @ cosines.T).transpose(4, 5) * (0.25 / _COSINES) / step).round() * step
    once = (numbers @ cosines).transpose(4, 5).mul(4.0 / _COSINES).round()
    restored = (once @ cosines).transpose(4, 5).mul(0.25 / _COSINES).round()
    return restored.transpose(3, 4).reshape(planes.shape)


@cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """Of the luminance and of the chrominance, [8, 8]."""
    return torch.tensor(_LUMINANCE, device=device), torch.tensor(_CHROMINANCE, device=device)


@cache
def _cosines(device: torch.device) -> Tensor:
    """Orthonormal cosine transform of 8 values, [8, 8], in whole numbers of which 1024 make one."""
    order = np.arange(8)
    matrix = np.cos((order[None] + 0.5) * order[:, None] * np.pi / 8) * np.where(order[:, None] == 0, 1.0, np.sqrt(2.0))
    return torch.from_numpy(np.rint(matrix / np.sqrt(8.0) * _COSINES).astype(np.float32)).to(device)
