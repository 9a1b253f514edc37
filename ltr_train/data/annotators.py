"""How people draw boxes: never twice alike, and not always about the whole of an object."""

import math

import numpy as np

from ltr_train.data.config import PairConfig
from ltr_train.data.geometry import Box, FloatArray, bounds, superellipse


def drawn(box: Box, rng: np.random.Generator, centre: float, log_size: float) -> Box:
    """A box (x, y, w, h) as somebody would draw it: with deviations of the centre, in sides, and of the log sides."""
    x, y, w, h = box
    dx, dy, dw, dh = rng.normal(0.0, 1.0, 4) * (centre, centre, log_size, log_size)
    cx, cy = x + 0.5 * w + dx * w, y + 0.5 * h + dy * h
    w, h = w * np.exp(dw), h * np.exp(dh)
    return cx - 0.5 * w, cy - 0.5 * h, w, h


def boxed(
    config: PairConfig, rng: np.random.Generator, template: FloatArray, search: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Outlines [N, 2] of what is boxed of an object in two views: mostly all of it.

    Else, ``config.redrawn`` of the time, the same part of it in both, or it with a margin: one annotator boxes a person
    with the arms that swing, another without, and only the first box tells which it is.

    Args:
        config: Recipe.
        rng: Source of randomness.
        template: [N, 2] outline of the whole object in one view.
        search: [M, 2] in the other.
    """
    if rng.random() >= config.redrawn:
        return template, search
    axes = rng.choice(3, p=[0.5, 0.25, 0.25])
    share, start = np.ones(2), np.zeros(2)
    for axis in (0, 1):
        if axes in (axis, 2):
            share[axis] = math.exp(rng.uniform(math.log(0.5), math.log(1.2)))
            start[axis] = (1.0 - share[axis]) * rng.random()
    first, second = (
        superellipse((x + start[0] * w, y + start[1] * h, share[0] * w, share[1] * h))
        for x, y, w, h in map(bounds, (template, search))
    )
    return first, second
