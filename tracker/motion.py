"""How a target moves between frames, as a log term of the filter's weights (docs/method.md, section 5)."""

from __future__ import annotations

import torch
from torch import Tensor

DEGREES_OF_FREEDOM = 3.0
EXPONENT = 0.5 * (DEGREES_OF_FREEDOM + 2)
"""Of the density of a pair of coordinates, which is one bivariate t."""


def log_motion(boxes: Tensor, last: Tensor, scale: Tensor) -> Tensor:
    """log p_motion(y | last) - log p_train(y) up to a constant.

    exp f already holds part of the spread of targets that training drew, which is itself centred on the last box and
    heavy-tailed. How much of it f holds is not known, so the ratio is modelled as one factor whose scales are chosen
    by validation: independent Student's t of three degrees of freedom in displacement and change of log size.

    Args:
        boxes: ``[N, M, 4]`` crop boxes.
        last: ``[N, 4]`` the last box in the same crop's coordinates.
        scale: ``[N, 2]`` of the displacement of the centre and of the change of the log sides; infinity for a target
            of which nothing is known.

    Returns:
        ``[N, M]``, 0 at the last box.
    """
    return _log_density(_spread(_offset(boxes, last, scale))).squeeze(-1)


def log_motion_with_gradient(boxes: Tensor, last: Tensor, scale: Tensor) -> Tensor:
    """`log_motion` of boxes ``[N, K, 4]`` and its derivatives by them, ``[N, K, 5]``."""
    offset = _offset(boxes, last, scale)
    spread = _spread(offset)
    slope = -2 * EXPONENT / DEGREES_OF_FREEDOM / _of_coordinates(scale)
    return torch.cat((_log_density(spread), offset / spread * slope), -1)


def _of_coordinates(scale: Tensor) -> Tensor:
    """``[N, 1, 4]`` the scale of each coordinate."""
    return scale.reshape(-1, 1, 2, 1).expand(-1, -1, -1, 2).flatten(2)


def _offset(boxes: Tensor, last: Tensor, scale: Tensor) -> Tensor:
    """``[N, M, 4]`` from the last box, in units of the scales."""
    return (boxes - last.unsqueeze(1)) / _of_coordinates(scale)


def _spread(offset: Tensor) -> Tensor:
    """``[N, M, 4]`` for each coordinate that of its pair, 1 at the last box."""
    same_pair = torch.eye(2, dtype=offset.dtype, device=offset.device).repeat_interleave(2, 0).repeat_interleave(2, 1)
    return 1 + offset.square() @ (same_pair / DEGREES_OF_FREEDOM)


def _log_density(spread: Tensor) -> Tensor:
    """``[N, M, 1]``; each pair counts for both of its coordinates."""
    return -0.5 * EXPONENT * spread.log().sum(-1, keepdim=True)
