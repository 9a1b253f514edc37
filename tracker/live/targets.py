"""The targets of a live picture: they come and go while the tracker runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.posterior import Posterior
from networks.weights import WeightsInfo
from tracker.config import TrackerConfig
from tracker.frames import Box, check_box
from tracker.online import as_tracks
from tracker.state import State
from tracker.track import Track


class LiveTracker(Protocol):
    """What live tracking needs of a tracker; `tracker.Tracker` is one."""

    weights_info: WeightsInfo
    seed: int
    config: TrackerConfig

    def start(self, images: Sequence[NDArray[np.uint8]], boxes: Sequence[Box]) -> State:
        """The state of new targets, one image and box each."""

    def advance(self, state: State, images: Sequence[NDArray[np.uint8]]) -> tuple[State, Tensor, Posterior]:
        """One frame of every target."""


def search_at_once(state: State, config: TrackerConfig) -> State:
    """The state where nobody knows what happened since the last frame: after a cut connection or a pause.

    Presence is even odds. Who is not seen in the next frame's search region is looked for in all of that frame, and not
    only after the usual number of lost frames.

    Args:
        state: of ``N`` targets.
        config: of the tracker.
    """
    return state._replace(
        presence=state.presence.clamp_max(0.5), lost=torch.full_like(state.lost, config.search_after - 1)
    )


class Targets:
    """The targets of one picture that changes with time.

    Args:
        tracker: advances all of them in one batch.
    """

    def __init__(self, tracker: LiveTracker) -> None:
        self._tracker = tracker
        self._state: State | None = None
        self._given = 0
        self.ids: list[int] = []
        """Of the targets in order, from 1; none is given twice."""
        self.tracks: list[Track] = []
        """Of the last frame, in the order of the targets."""

    def add(self, image: NDArray[np.uint8], box: Box) -> None:
        """One more target; its track is what the tracker says of this very frame.

        Args:
            image: H x W x 3 uint8 BGR, in which the box was drawn.
            box: (x, y, w, h) in 0-based pixels.

        Raises:
            ValueError: the box cannot be used.
        """
        height, width = image.shape[:2]
        new = self._tracker.start([image], [check_box(box, width, height)])
        _, boxes, posterior = self._tracker.advance(new, [image])
        # The frame that is tracked next may be much later than the one that was drawn in.
        new = search_at_once(new, self._tracker.config)
        self._state = new if self._state is None else self._state.join(new)
        self.tracks = [*self.tracks, *as_tracks(boxes, posterior)]
        self._given += 1
        self.ids.append(self._given)

    def remove(self, target: int) -> None:
        """One target less.

        Args:
            target: one of `ids`.
        """
        at = self.ids.index(target)
        keep = [i for i in range(len(self.ids)) if i != at]
        if self._state is not None:
            self._state = self._state.select(torch.tensor(keep, device=self._state.box.device)) if keep else None
        self.ids = [self.ids[i] for i in keep]
        self.tracks = [self.tracks[i] for i in keep]

    def reset(self) -> None:
        """No targets."""
        self._state, self.ids, self.tracks = None, [], []

    def search(self) -> None:
        """Targets that are not where they were are looked for everywhere in the next frame."""
        if self._state is not None:
            self._state = search_at_once(self._state, self._tracker.config)

    def update(self, image: NDArray[np.uint8]) -> list[Track]:
        """Tracks all targets through the next frame.

        Args:
            image: H x W x 3 uint8 BGR.
        """
        if self._state is not None:
            self._state, boxes, posterior = self._tracker.advance(self._state, [image] * len(self.ids))
            self.tracks = as_tracks(boxes, posterior)
        return self.tracks
