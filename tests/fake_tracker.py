"""A tracker without networks, for tests of what surrounds the tracker."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from networks.config import ModelConfig
from networks.posterior import Posterior
from networks.weights import WeightsInfo
from tracker.config import TrackerConfig
from tracker.track import Track

Box = tuple[float, float, float, float]


def track_of(box: Box, presence: float = 1.0, spread: float = 2.0, samples: int = 64, seed: int = 0) -> Track:
    """A track whose posterior is normal about a box, with unequal weights."""
    x, y, w, h = box
    generator = torch.Generator().manual_seed(seed)
    boxes = torch.tensor([x + w / 2, y + h / 2, w, h]) + spread * torch.randn(samples, 4, generator=generator)
    weights = torch.log_softmax(torch.randn(samples, generator=generator), 0)
    return Track(box, presence, Posterior(boxes, weights, torch.zeros(()), torch.tensor(presence)))


class FakeTracker:
    """Moves every box one pixel to the right each frame; presence falls from 0.9 to 0.2 and comes back."""

    def __init__(self) -> None:
        self.weights_info = WeightsInfo(Path("none"), "0", "abc", 1, ModelConfig(), {})
        self.device = torch.device("cpu")
        self.seed = 7
        self.config = TrackerConfig()
        self.shapes: list[tuple[int, ...]] = []
        self._boxes: list[Box] = []

    def init(self, frame: NDArray[np.uint8], box: list[Box]) -> None:
        """Begins with the targets' boxes."""
        self._boxes = list(box)
        self.shapes = [frame.shape]

    def update(self, frame: NDArray[np.uint8]) -> list[Track]:
        """A track a target."""
        number = len(self.shapes)
        self.shapes.append(frame.shape)
        presence = 0.2 if number % 10 == 5 else 0.9
        return [
            track_of((x + number, y, w, h), presence, seed=100 * number + target)
            for target, (x, y, w, h) in enumerate(self._boxes)
        ]
