"""How a target moves between frames, as a log term of the filter's weights (docs/method.md, section 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from tracker.config import TrackerConfig

DEGREES_OF_FREEDOM = 3.0


def log_motion(boxes: Tensor, last: Tensor, config: TrackerConfig) -> Tensor:
    """log p_motion(y | last) - log p_train(y) up to a constant.

    exp f already holds part of the spread of targets that training drew, which is itself centred on the last box and
    heavy-tailed. How much of it f holds is not known, so the ratio is modelled as one factor whose scales are chosen
    by validation: independent Student's t of three degrees of freedom in displacement and change of log size.

    Args:
        boxes: ``[N, M, 4]`` crop boxes.
        last: ``[N, 4]`` the last box in the same crop's coordinates.
        config: the scales.

    Returns:
        ``[N, M]``, 0 at the last box.
    """
    scale = boxes.new_tensor([config.motion_scale] * 2 + [config.motion_log_size] * 2)
    z = (boxes - last.unsqueeze(1)) / scale
    centre, size = z[..., :2].square().sum(-1), z[..., 2:].square().sum(-1)
    # A pair of coordinates is one bivariate t: its exponent is (degrees + 2) / 2.
    power = 0.5 * (DEGREES_OF_FREEDOM + 2)
    return -power * (torch.log1p(centre / DEGREES_OF_FREEDOM) + torch.log1p(size / DEGREES_OF_FREEDOM))
