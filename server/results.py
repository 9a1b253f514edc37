"""A batch of posteriors in the plain numbers that the page draws."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from networks.boxes import cxcywh_to_xywh
from networks.posterior import Posterior
from tracker.drawing import LEVEL

MOST_SAMPLES = 64


def corner_regions(region: Tensor) -> list[tuple[float, float, float]]:
    """(x, y, side) by the left upper corner, of regions ``[N, 3]`` (cx, cy, side)."""
    corners = torch.cat((region[:, :2] - 0.5 * region[:, 2:], region[:, 2:]), 1)
    return [(x, y, side) for x, y, side in _rounded(corners)]


def describe(boxes: Tensor, posterior: Posterior, region: Tensor) -> list[dict[str, Any]]:
    """The fields of `server.protocol.TargetResult` that are estimated, a dictionary a target.

    Args:
        boxes: ``[N, 4]`` (cx, cy, w, h) in frame pixels.
        posterior: over the same, batch ``[N]``.
        region: ``[N, 3]`` (cx, cy, side) where the targets were looked for.
    """
    posterior = posterior.to("cpu")
    count = min(MOST_SAMPLES, posterior.samples.shape[1])
    weight, order = posterior.weights.topk(count, 1)
    heaviest = posterior.samples.gather(1, order.unsqueeze(-1).expand(-1, -1, 4))
    samples = torch.cat((cxcywh_to_xywh(heaviest), weight.unsqueeze(-1)), -1)
    spread = posterior.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt()
    low, high = posterior.interval(LEVEL)
    columns = zip(
        _rounded(cxcywh_to_xywh(boxes)),
        _rounded(posterior.presence),
        _rounded(spread),
        _rounded(low),
        _rounded(high),
        corner_regions(region),
        _rounded(samples),
        strict=True,
    )
    return [
        {"box": box, "presence": presence, "spread": deviation, "interval": ends, "region": place, "samples": cloud}
        for box, presence, deviation, *ends, place, cloud in columns
    ]


def _rounded(values: Tensor) -> Any:
    """As lists, to four digits after the point: finer is nothing that a picture shows."""
    return values.double().mul(1e4).round().div(1e4).tolist()
