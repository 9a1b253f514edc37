"""What the mouse does in the live picture: a drag is a box, a click chooses a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2

from tracker.frames import Box

SMALLEST = 4
"""Pixels of the window; shorter drags are clicks."""


class Mouse:
    """Mouse events of a window, as gestures.

    Args:
        pressed: called when a drag or click begins.
        drawn: called with each box (x, y, w, h), in pixels of the frame.
        clicked: called with the point (x, y) of each click, in pixels of the frame.
    """

    def __init__(
        self,
        pressed: Callable[[], None],
        drawn: Callable[[Box], None],
        clicked: Callable[[tuple[float, float]], None],
    ) -> None:
        self._pressed = pressed
        self._drawn = drawn
        self._clicked = clicked
        self._begin: tuple[int, int] | None = None
        self._end = (0, 0)
        self._size = (1, 1)
        self._scale = 1.0

    def resize(self, size: tuple[int, int], scale: float) -> None:
        """Takes note of the width and height of the shown picture, and its pixels per pixel of the frame."""
        self._size, self._scale = size, scale

    def event(self, event: int, x: int, y: int, flags: int = 0, data: object = None) -> None:
        """One mouse event of OpenCV; ``flags`` and ``data`` are part of its signature."""
        del flags, data
        x, y = min(max(x, 0), self._size[0]), min(max(y, 0), self._size[1])
        if event == cv2.EVENT_LBUTTONDOWN:
            self._begin = self._end = (x, y)
            self._pressed()
        elif event == cv2.EVENT_MOUSEMOVE:
            self._end = (x, y)
        elif event == cv2.EVENT_LBUTTONUP and self._begin is not None:
            self._end = (x, y)
            x0, y0, x1, y1 = (value / self._scale for value in self._corners())
            wide = min(abs(x - self._begin[0]), abs(y - self._begin[1])) >= SMALLEST
            self._begin = None
            if wide:
                self._drawn((x0, y0, x1 - x0, y1 - y0))
            else:
                self._clicked((x0, y0))

    @property
    def drag(self) -> tuple[int, int, int, int] | None:
        """Corners (x0, y0, x1, y1) of the box that is being drawn, in pixels of the window."""
        return self._corners() if self._begin is not None else None

    def _corners(self) -> tuple[int, int, int, int]:
        assert self._begin is not None
        x0, x1 = sorted((self._begin[0], self._end[0]))
        y0, y1 = sorted((self._begin[1], self._end[1]))
        return x0, y0, x1, y1


def box_at(point: tuple[float, float], boxes: Sequence[Box]) -> int | None:
    """Index of the smallest box that holds a point, all in pixels of the frame; None where none does."""
    x, y = point
    holding = [i for i, box in enumerate(boxes) if box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]]
    return min(holding, key=lambda i: boxes[i][2] * boxes[i][3], default=None)
