"""The state of targets between frames: tensors of constant size, targets in front."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from networks.boxes import region_around
from networks.model import Template

SMALLEST_SIDE = 4.0
"""Pixels; a target does not shrink below."""
GRID = 8
"""Parts of a pixel to which boxes are kept: far finer than they are known, and far coarser than float32 rounds, so that
engines, batches and machines, which differ by that rounding, do not drift apart."""


class State(NamedTuple):
    """Everything that is carried from frame to frame."""

    first: Template
    """Of the first view; stays as it is."""
    template: Template
    """In use: the first one, or its blend with a recent view."""
    box: Tensor
    """``[N, 4]`` (cx, cy, w, h) in frame pixels, the smoothed estimate."""
    steady_size: Tensor
    """``[N, 2]`` (w, h) in pixels, the size followed slowly: what a target that is lost goes back to."""
    frame_size: Tensor
    """``[N, 2]`` (width, height) of the frame in pixels."""
    factor: Tensor
    """``[N]`` side of the search region over the geometric mean of the target's sides."""
    presence: Tensor
    """``[N]`` P(present) in the last frame."""
    lost: Tensor
    """``[N]`` int64, frames in a row in which the target was thought lost."""
    seed: Tensor
    """``[N]`` int64; with `frame` the state of the target's own random generator."""
    frame: Tensor
    """``[N]`` int64, frames seen."""

    @property
    def region(self) -> Tensor:
        """``[N, 3]`` (cx, cy, side) the search region of the next frame, in frame pixels."""
        return region_around(self.box, self.factor)

    def select(self, index: Tensor) -> State:
        """The states of the targets in ``index``, which may repeat."""
        rest = (part.index_select(0, index) for part in self[2:])
        return State(self.first.select(index), self.template.select(index), *rest)

    def put(self, index: Tensor, other: State) -> State:
        """This state with the targets in ``index`` replaced by those of ``other``; templates stay."""
        rest = (mine.index_copy(0, index, theirs) for mine, theirs in zip(self[2:], other[2:], strict=True))
        return State(self.first, self.template, *rest)

    def join(self, other: State) -> State:
        """The targets of this state, then those of the other."""
        rest = (torch.cat(parts) for parts in zip(self[2:], other[2:], strict=True))
        return State(self.first.join(other.first), self.template.join(other.template), *rest)

    def resized(self, frame_size: Tensor) -> State:
        """The state when frames come in the sizes ``[N, 2]`` (width, height): boxes keep their place in the picture."""
        if frame_size is self.frame_size:
            return self
        ratio = frame_size / self.frame_size
        return self._replace(
            box=self.box * ratio.repeat(1, 2), steady_size=self.steady_size * ratio, frame_size=frame_size
        )


def keep_sane(box: Tensor, frame_size: Tensor) -> Tensor:
    """Centre boxes ``[N, 4]`` on `GRID`, their centre in the frame and sides from `SMALLEST_SIDE` to the frame's."""
    centre = torch.minimum(box[:, :2].clamp_min(0), frame_size)
    size = torch.minimum(box[:, 2:].clamp_min(SMALLEST_SIDE), frame_size.clamp_min(SMALLEST_SIDE))
    return torch.round(torch.cat((centre, size), 1) * GRID) / GRID
