"""The tracker as the got10k toolkit calls one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from got10k.trackers import Tracker
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from tracker.config import TrackerConfig


class Got10kTracker(Tracker):
    """Runs inside got10k's own experiments: ``ExperimentGOT10k(root, "val").run(Got10kTracker())``.

    got10k hands over a benchmark's boxes as its files have them, and writes the answers as they come, so that the
    tracker itself goes between the file's origin and its own 0-based pixels.

    Args:
        weights: ``default`` for the weights that ship with ebtrack, or the path of a weights file.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; the best at hand when left out.
        seed: of the sampler; every sequence begins with it, so that a sequence's boxes depend on nothing before it.
        config: how to track, where it should differ from the default.
        name: of the folder that got10k writes the results into.
        origin: what the benchmark's box files call the first pixel: 1 for GOT-10k, `evaluation.datasets.native_origin`
            for any other.

    Raises:
        WeightsError: the weights file cannot be used; the message says why.
        ValueError: the device does not exist here.
    """

    def __init__(
        self,
        weights: str | Path = "default",
        device: str | torch.device | None = None,
        seed: int = 0,
        config: TrackerConfig | None = None,
        name: str = "ebtrack",
        origin: float = 1.0,
    ) -> None:
        from ebtrack.api import load

        super().__init__(name, is_deterministic=True)
        self._tracker = load(weights, device, seed, config)
        self._shift = np.array([origin, origin, 0.0, 0.0])

    def init(self, image: Image.Image, box: ArrayLike) -> None:
        """Begins a sequence.

        Args:
            image: the first frame, RGB.
            box: (x, y, w, h) in pixels, counted from the origin.

        Raises:
            ValueError: the box cannot be used; the message names it, 0-based, and the frame's size.
        """
        self._tracker.init(np.asarray(image), np.asarray(box, np.float64) - self._shift, rgb=True)

    def update(self, image: Image.Image) -> NDArray[np.float64]:
        """The box (x, y, w, h) in the next frame, RGB, in pixels counted from the origin."""
        track = self._tracker.update(np.asarray(image), rgb=True)
        assert not isinstance(track, list)  # init was given one box
        return np.array(track.box) + self._shift
