"""Precise RoI pooling as two matrix products: exact, differentiable in the box and in the features, on every device.

Jiang et al., *Acquisition of Localization Confidence for Accurate Object Detection* (ECCV 2018) pool the integral of
the bilinearly interpolated feature map over each bin. That integral is separable over an axis-aligned bin, so
``pooled = Wy F Wx^T``: no compiled operator is needed, and the derivatives by the box are products of the same kind.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

SMALLEST_BIN = 1e-3
"""Cells; keeps the division by a bin's length finite for boxes that have collapsed."""


def _edges(boxes: Tensor, bins: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where the edges of the bins lie among the cells, for both axes, x first.

    Returns:
        ``[N, M, 2, bins + 1, cells]`` offset of every edge from every cell's centre, -1 and 1 standing for all beyond,
        for the cells of the map's longer side; and ``[N, M, 2, 1, 1]`` bins in a cell.
    """
    m, cells = boxes.shape[1], max(height, width)
    centre, log_side = boxes.split(2, -1)
    side = log_side.exp().clamp_min(bins * SMALLEST_BIN / cells)
    by_place, constant = _offsets_by_place(bins, height, width, boxes.dtype, boxes.device)
    with torch.autocast(boxes.device.type, enabled=False):
        offset = (torch.cat((centre, side), -1) @ by_place + constant).clamp(-1.0, 1.0)
    spans = torch.linspace(width, height, 2, dtype=boxes.dtype, device=boxes.device)
    return offset.reshape(-1, m, 2, bins + 1, cells), (bins / spans / side).reshape(-1, m, 2, 1, 1)


@cache
def _offsets_by_place(
    bins: int, height: int, width: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The offsets are linear in (cx, cy, w, h): ``[4, 2 * (bins + 1) * cells]`` and the constant part."""
    number, cells = np.linspace(-0.5, 0.5, bins + 1)[:, None], np.arange(max(height, width))
    by_place = np.zeros((4, 2, bins + 1, max(height, width)))
    constant = np.zeros(by_place.shape[1:])
    # A crop's unit square spans the map's cells from -1/2 to W - 1/2, cell centres being integers.
    for axis, span in enumerate((width, height)):
        by_place[axis, axis], by_place[2 + axis, axis] = span, span * number
        constant[axis] = 0.5 * span - 0.5 - cells
    parts = by_place.reshape(4, -1), constant.reshape(-1)
    return torch.tensor(parts[0], dtype=dtype, device=device), torch.tensor(parts[1], dtype=dtype, device=device)


def _twice_the_integral(offset: Tensor) -> Tensor:
    """Of the hat function max(0, 1 - |t|) up to each edge, less a constant."""
    return offset * (2 - offset.abs())


def bin_weights(boxes: Tensor, bins: int, height: int, width: int) -> Tensor:
    """Weight of every cell in the mean of every bin along each axis.

    Args:
        boxes: ``[N, M, 4]`` crop boxes; a bin counts as no shorter than `SMALLEST_BIN`.
        bins: bins along each axis.
        height: cells of the map; outside it the map is zero.
        width: likewise.

    Returns:
        ``[N, M, 2, bins, cells]``, x before y, for the cells of the map's longer side.
    """
    offset, density = _edges(boxes, bins, height, width)
    integral = _twice_the_integral(offset)
    return (integral[..., 1:, :] - integral[..., :-1, :]) * (0.5 * density)


def bin_weights_and_slopes(boxes: Tensor, bins: int, height: int, width: int) -> Tensor:
    """The weights of `bin_weights` with their derivatives.

    Returns:
        ``[N, M, 2, 3 * bins, cells]``: for each axis the weights, their derivatives by the box's centre, and by its log
        side.
    """
    offset, density = _edges(boxes, bins, height, width)
    # Where an edge moves, the integral up to it changes by the hat function there.
    hat = 1 - offset.abs()
    at_edges = torch.cat((_twice_the_integral(offset) * density, hat * density, hat), -2)
    return _slopes_of_edges(bins, height, width, boxes.dtype, boxes.device) @ at_edges


@cache
def _slopes_of_edges(bins: int, height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """``[2, 3 * bins, 3 * (bins + 1)]`` what takes `at_edges` to the weights and their derivatives."""
    step = np.diff(np.eye(bins + 1), axis=0)
    # With the side the edges move in proportion to their distance from the centre, which is this many bins.
    distance = np.arange(bins + 1) - 0.5 * bins
    half, none = 0.5 * step, np.zeros_like(step)
    axes = [
        np.block([[half, none, none], [none, span * step, none], [-half, none, step * distance]])
        for span in (width, height)
    ]
    return torch.tensor(np.array(axes), dtype=dtype, device=device)


@cache
def _along_one_axis(device: torch.device) -> Tensor:
    """Which of the nine products of (weights, by centre, by log side) along y with those along x make up the gradient.

    A derivative along one axis goes with the weights along the other: the value, by cx, cy, log w and log h.
    """
    return torch.tensor([0, 1, 3, 2, 6], device=device)


def roi_pool(features: Tensor, boxes: Tensor, bins: int) -> Tensor:
    """Mean of the bilinearly interpolated features over each bin of each box.

    Args:
        features: ``[N, C, H, W]`` map that covers one crop each; zero outside.
        boxes: ``[N, M, 4]`` crop boxes (cx, cy, log w, log h), unit the crop's side, origin at its centre.
        bins: bins along each axis.

    Returns:
        ``[N, M, bins, bins, C]``, rows first.
    """
    height, width = map(int, features.shape[-2:])
    return _pool(features, bin_weights(boxes, bins, height, width))


def roi_pool_and_slopes(features: Tensor, boxes: Tensor, bins: int) -> Tensor:
    """`roi_pool` with its derivatives by the box.

    Returns:
        ``[N, M, 5, bins, bins, C]``: the pooled features, and their derivatives by cx, cy, log w and log h.
    """
    height, width = map(int, features.shape[-2:])
    crossed = _pool(features, bin_weights_and_slopes(boxes, bins, height, width))
    crossed = crossed.reshape(-1, boxes.shape[1], 3, bins, 3, bins, features.shape[1])
    return crossed.transpose(3, 4).flatten(2, 3).index_select(2, _along_one_axis(boxes.device))


def _pool(features: Tensor, weights: Tensor) -> Tensor:
    """``Wy F Wx^T``.

    Args:
        features: ``[N, C, H, W]``.
        weights: ``[N, M, 2, R, cells]`` Wx and Wy, for the cells of the map's longer side.

    Returns:
        ``[N, M, R, R, C]``.
    """
    channels, height, width = map(int, features.shape[1:])
    m, rows = weights.shape[1], weights.shape[3]
    along_x, along_y = weights.to(features.dtype).split(1, 2)
    if height != width:
        along_x, along_y = along_x[..., :width], along_y[..., :height]
    # [N, M*R, H] @ [N, H, W*C] -> [N, M, R, W, C]
    flat = features.permute(0, 2, 3, 1).reshape(-1, height, width * channels)
    pooled = torch.bmm(along_y.reshape(-1, m * rows, height), flat)
    return torch.matmul(along_x, pooled.reshape(-1, m, rows, width, channels))
