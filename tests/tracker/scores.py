"""Scores of boxes by any function, with the gradient that autograd gives."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class FunctionScores(NamedTuple):
    """A `networks.energy.BoxScores` whose score is a plain function of boxes ``[N, M, 4]``."""

    score: Callable[[Tensor], Tensor]

    def __call__(self, boxes: Tensor) -> Tensor:
        return self.score(boxes)

    def with_gradient(self, boxes: Tensor) -> Tensor:
        with torch.enable_grad():
            boxes = boxes.detach().requires_grad_()
            value = self.score(boxes)
            (gradient,) = torch.autograd.grad(value.sum(), boxes)
        return torch.cat((value.detach().unsqueeze(-1), gradient), -1)
