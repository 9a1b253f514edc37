"""Precise RoI pooling as two matrix products: exact, differentiable in the box and in the features, on every device.

Jiang et al., *Acquisition of Localization Confidence for Accurate Object Detection* (ECCV 2018) pool the integral of
the bilinearly interpolated feature map over each bin. That integral is separable over an axis-aligned bin, so
``pooled = Wy F Wx^T``: no compiled operator is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from networks.boxes import crop_to_corners

SMALLEST_BIN = 1e-3
"""Cells; keeps the division by a bin's length finite for boxes that have collapsed."""


def _hat_antiderivative(t: Tensor) -> Tensor:
    """Integral from minus infinity to ``t`` of the hat function ``max(0, 1 - |t|)``."""
    t = t.clamp(-1.0, 1.0)
    return torch.where(t < 0, 0.5 * (t + 1) ** 2, 1 - 0.5 * (1 - t) ** 2)


def bin_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Weight of every cell in the mean of every bin along one axis.

    Args:
        low: ``[...]`` start of the box in cells; cell ``i`` has its centre at ``i``.
        high: ``[...]`` end of the box in cells.
        bins: number of equal bins between ``low`` and ``high``.
        cells: number of cells of the map along this axis; outside it the map is zero.

    Returns:
        ``[..., bins, cells]``.
    """
    length = (high - low).clamp_min(bins * SMALLEST_BIN) / bins
    index = torch.arange(bins + 1, device=low.device, dtype=low.dtype)
    edges = low.unsqueeze(-1) + index * length.unsqueeze(-1)
    centres = torch.arange(cells, device=low.device, dtype=low.dtype)
    integral = _hat_antiderivative(edges.unsqueeze(-1) - centres)
    return (integral[..., 1:, :] - integral[..., :-1, :]) / length[..., None, None]


def roi_pool(features: Tensor, boxes: Tensor, bins: int) -> Tensor:
    """Mean of the bilinearly interpolated features over each bin of each box.

    Args:
        features: ``[N, C, H, W]`` map that covers one crop each; zero outside.
        boxes: ``[N, M, 4]`` crop boxes (cx, cy, log w, log h), unit the crop's side, origin at its centre.
        bins: bins along each axis.

    Returns:
        ``[N, M, C, bins, bins]``, rows first.
    """
    height, width = features.shape[-2:]
    x0, y0, x1, y1 = crop_to_corners(boxes).unbind(-1)
    # A crop's unit square spans the map's cells from -1/2 to W - 1/2, cell centres being integers.
    along_x = bin_weights((x0 + 0.5) * width - 0.5, (x1 + 0.5) * width - 0.5, bins, width)
    along_y = bin_weights((y0 + 0.5) * height - 0.5, (y1 + 0.5) * height - 0.5, bins, height)
    n, m = boxes.shape[:2]
    channels = features.shape[1]
    rows = along_y.reshape(n, m * bins, height).to(features.dtype)
    # [N, M*bins, H] @ [N, H, W*C] -> [N, M, bins, W, C]
    flat = features.permute(0, 2, 3, 1).reshape(n, height, width * channels)
    pooled = torch.bmm(rows, flat).reshape(n * m, 1, bins, width, channels)
    columns = along_x.reshape(n * m, 1, bins, width).to(features.dtype)
    out = torch.matmul(columns.expand(-1, bins, -1, -1), pooled.squeeze(1))
    # out: [N*M, bins(y), bins(x), C]
    return out.reshape(n, m, bins, bins, channels).permute(0, 1, 4, 2, 3)
