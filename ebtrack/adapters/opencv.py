"""ebtrack behind OpenCV's tracker interface."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tracker.online import Tracker
from tracker.track import Track


class OpenCVAdapter:
    """A tracker that is called as ``cv2.TrackerMIL`` and its like are, in programs written for those.

    Args:
        tracker: as `ebtrack.load` gives it; it is the adapter's own from now on.
        threshold: P(present) from which `update` says that the target was located; the one by which the tracker
            itself counts a target as present when left out.

    Raises:
        ValueError: the threshold is not between 0 and 1.
    """

    def __init__(self, tracker: Tracker, threshold: float | None = None) -> None:
        self._tracker = tracker
        self.threshold = tracker.config.present_above if threshold is None else threshold
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability between 0 and 1, got {threshold}")
        self._begun = False
        self._track: Track | None = None

    def init(self, image: Any, boundingBox: ArrayLike) -> None:
        """Begins, or begins anew.

        Args:
            image: H x W x 3 uint8 BGR.
            boundingBox: (x, y, w, h) of one target, whole or broken 0-based pixels.

        Raises:
            ValueError: the image or the box cannot be used.
        """
        if np.shape(boundingBox) != (4,):
            raise ValueError(f"OpenCV's interface tracks one box x, y, w, h, got {boundingBox!r}")
        self._tracker.init(image, boundingBox)
        self._begun, self._track = True, None

    def update(self, image: Any) -> tuple[bool, tuple[int, int, int, int]]:
        """Whether the target was located in the next frame, and where.

        Returns:
            True where P(present) is at least the threshold; and (x, y, w, h) in whole pixels, as OpenCV gives it.
            Where the target was not located, the box is the best guess (OpenCV's own trackers give zeros).

        Raises:
            RuntimeError: `init` was not called.
            ValueError: the image cannot be used.
        """
        track = self._tracker.update(image)
        assert isinstance(track, Track)  # init was given one box
        self._track = track
        x, y, w, h = (round(value) for value in track.box)
        return track.presence >= self.threshold, (x, y, max(w, 1), max(h, 1))

    def getTrackingScore(self) -> float:
        """P(present) in the last frame: 1 after `init`.

        Raises:
            RuntimeError: `init` was not called.
        """
        if not self._begun:
            raise RuntimeError("call init(image, box) before getTrackingScore()")
        return 1.0 if self._track is None else self._track.presence

    @property
    def track(self) -> Track | None:
        """What OpenCV's interface has no room for: the last frame's box with fractions, and the posterior.

        None before the first `update`.
        """
        return self._track
