"""Box geometry: every conversion between the coordinate frames that the project uses, in one place.

Three frames occur:

* *pixel boxes* ``(x, y, w, h)``: what users give and get. Float, 0-based, the left upper corner and the size in
  pixels of the frame; pixel ``i`` covers ``[i, i + 1)``.
* *centre boxes* ``(cx, cy, w, h)``: the same in pixels, by centre. Posteriors given to users are over these.
* *crop boxes* ``y = (cx, cy, log w, log h)``: what the networks see (docs/method.md, section 4). The unit is the
  side of a square crop and the origin is its centre, so that scale is additive and all densities are over these.

A *region* ``(cx, cy, side)`` in frame pixels is the square that a crop shows.
"""

from __future__ import annotations

import torch
from torch import Tensor


def xywh_to_cxcywh(boxes: Tensor) -> Tensor:
    """Pixel boxes ``[..., 4]`` (x, y, w, h) to centre boxes ``[..., 4]`` (cx, cy, w, h)."""
    return torch.cat((boxes[..., :2] + 0.5 * boxes[..., 2:], boxes[..., 2:]), dim=-1)


def cxcywh_to_xywh(boxes: Tensor) -> Tensor:
    """Centre boxes ``[..., 4]`` (cx, cy, w, h) to pixel boxes ``[..., 4]`` (x, y, w, h)."""
    return torch.cat((boxes[..., :2] - 0.5 * boxes[..., 2:], boxes[..., 2:]), dim=-1)


def frame_to_crop(boxes: Tensor, region: Tensor) -> Tensor:
    """Centre boxes in frame pixels to crop boxes.

    Args:
        boxes: ``[..., 4]`` (cx, cy, w, h) in frame pixels, sizes above zero.
        region: ``[..., 3]`` (cx, cy, side) in frame pixels, broadcast against ``boxes``.

    Returns:
        ``[..., 4]`` (cx, cy, log w, log h) in units of the crop's side, origin at its centre.
    """
    side = region[..., 2:3]
    centre = (boxes[..., :2] - region[..., :2]) / side
    return torch.cat((centre, torch.log(boxes[..., 2:] / side)), dim=-1)


def crop_to_frame(boxes: Tensor, region: Tensor) -> Tensor:
    """Crop boxes ``[..., 4]`` to centre boxes ``[..., 4]`` in frame pixels: the inverse of `frame_to_crop`."""
    side = region[..., 2:3]
    centre = boxes[..., :2] * side + region[..., :2]
    return torch.cat((centre, torch.exp(boxes[..., 2:]) * side), dim=-1)


def crop_to_corners(boxes: Tensor) -> Tensor:
    """Crop boxes ``[..., 4]`` to corners ``[..., 4]`` (x0, y0, x1, y1) in units of the crop, origin at its centre."""
    half = 0.5 * torch.exp(boxes[..., 2:])
    return torch.cat((boxes[..., :2] - half, boxes[..., :2] + half), dim=-1)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of centre boxes.

    Args:
        a: ``[..., 4]`` (cx, cy, w, h), any unit.
        b: ``[..., 4]`` in the same unit, broadcast against ``a``.

    Returns:
        ``[...]`` in [0, 1]; 0 where both boxes are empty.
    """
    low = torch.maximum(a[..., :2] - 0.5 * a[..., 2:], b[..., :2] - 0.5 * b[..., 2:])
    high = torch.minimum(a[..., :2] + 0.5 * a[..., 2:], b[..., :2] + 0.5 * b[..., 2:])
    intersection = (high - low).clamp_min(0).prod(dim=-1)
    union = a[..., 2:].prod(dim=-1) + b[..., 2:].prod(dim=-1) - intersection
    return intersection / union.clamp_min(torch.finfo(union.dtype).tiny)


def crop_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of crop boxes ``[..., 4]`` (cx, cy, log w, log h), giving ``[...]``."""
    return iou(torch.cat((a[..., :2], a[..., 2:].exp()), -1), torch.cat((b[..., :2], b[..., 2:].exp()), -1))


def region_around(boxes: Tensor, factor: Tensor | float) -> Tensor:
    """The square region whose side is ``factor`` times the geometric mean of a box's sides.

    Args:
        boxes: ``[..., 4]`` (cx, cy, w, h) in frame pixels.
        factor: ``[...]`` or a number.

    Returns:
        ``[..., 3]`` (cx, cy, side) in frame pixels.
    """
    side = factor * torch.sqrt(boxes[..., 2] * boxes[..., 3])
    return torch.stack((boxes[..., 0], boxes[..., 1], side), dim=-1)
