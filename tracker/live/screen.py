"""The window of live tracking, behind an interface that tests can stand in for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2

from tracker.display import require_display
from tracker.drawing import Image

NO_KEY = 255
INSTEAD = "track in a browser with `ebtrack serve`"


class Screen(Protocol):
    """Shows pictures and hears of mouse and keys."""

    def listen(self, mouse: Callable[..., None]) -> None:
        """Calls ``mouse`` with OpenCV's mouse events (event, x, y, flags, data), from within `key`."""

    def show(self, picture: Image) -> None:
        """Shows a picture in its own size."""

    def key(self, milliseconds: int) -> int:
        """Handles events for so long and returns the key that was pressed, `NO_KEY` for none."""

    def is_open(self) -> bool:
        """Whether the user has not closed the window."""

    def close(self) -> None:
        """Takes the window away."""


def character(code: int) -> int:
    """What a key writes, of OpenCV's full code for it; `NO_KEY` for keys that write nothing.

    The low byte alone will not do: that of Num Lock, 0xFF7F, is the one of Backspace on a Mac.
    """
    code &= 0xFFFF  # GTK has Shift and its like above
    if 0xFF00 <= code < 0xFF20:  # X's Backspace, Return and Escape
        code &= 0xFF
    return code if code < 0x80 else NO_KEY


class OpenCVScreen:
    """A window of OpenCV.

    Args:
        title: of the window.

    Raises:
        DisplayError: no window can be shown; the message names the browser page instead.
    """

    def __init__(self, title: str) -> None:
        require_display(INSTEAD)
        self._title = title
        cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)

    def listen(self, mouse: Callable[..., None]) -> None:
        """Calls ``mouse`` with mouse events, from within `key`."""
        cv2.setMouseCallback(self._title, mouse)

    def show(self, picture: Image) -> None:
        """Shows a picture in its own size."""
        cv2.imshow(self._title, picture)

    def key(self, milliseconds: int) -> int:
        """Handles events for so long and returns the key that was pressed, `NO_KEY` for none."""
        return character(cv2.waitKeyEx(milliseconds))

    def is_open(self) -> bool:
        """Whether the user has not closed the window."""
        return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Takes the window away."""
        if self.is_open():
            cv2.destroyWindow(self._title)
