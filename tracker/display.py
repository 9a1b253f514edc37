"""Windows on a screen, and finding out whether there is one."""

from __future__ import annotations

import os
import subprocess
import sys

import cv2

from tracker.drawing import Image

KEY_ESCAPE = 27
SCREEN = (1280, 720)
# OpenCV built on Qt ends the whole process where it finds no display, so a child process tries first.
PROBE = "import cv2; cv2.namedWindow('ebtrack', cv2.WINDOW_NORMAL); cv2.destroyAllWindows()"


class DisplayError(Exception):
    """No window can be shown; the message is one line and says how to mend it."""


def require_display(instead: str) -> None:
    """Makes sure that windows can be shown.

    Args:
        instead: what the user can do without a window, for the message.

    Raises:
        DisplayError: there is no screen, or OpenCV was built without windows.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise DisplayError(f"there is no display here: {instead}")
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, timeout=60, check=False)
    if probe.returncode == 0:
        _give_qt_fonts()
        return
    if b"not implemented" in probe.stderr:
        raise DisplayError(
            f"this OpenCV is built without windows: {instead}, or replace opencv-python-headless by opencv-python"
        )
    raise DisplayError(f"the display {os.environ.get('DISPLAY', '')} cannot be used: {instead}")


def _give_qt_fonts() -> None:
    """Points OpenCV's Qt, which brings no fonts and warns of it many times over, to those of matplotlib."""
    if not os.path.isdir(os.environ.get("QT_QPA_FONTDIR", "")):
        import matplotlib

        os.environ["QT_QPA_FONTDIR"] = os.path.join(matplotlib.get_data_path(), "fonts", "ttf")


class Window:
    """Shows the frames of a run. Space pauses, q or Esc or closing the window ends the run.

    Raises:
        DisplayError: no window can be shown.
    """

    def __init__(self, title: str) -> None:
        require_display("leave out --show; annotated.mp4 has the same pictures")
        self._title = title
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        self._sized = False

    def show(self, picture: Image) -> bool:
        """Shows a picture.

        Returns:
            Whether to go on.
        """
        if not self._sized:
            cv2.resizeWindow(self._title, *fitting(picture))
            self._sized = True
        cv2.imshow(self._title, picture)
        key = cv2.waitKey(1) & 0xFF
        while key == ord(" "):
            # Paused until the next key. A second space goes on; another key has its own meaning.
            key = 255
            while key == 255 and self._open():
                key = cv2.waitKey(50) & 0xFF
            if key == ord(" "):
                break
        return self._open() and key not in (ord("q"), KEY_ESCAPE)

    def _open(self) -> bool:
        return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Takes the window away."""
        if self._open():
            cv2.destroyWindow(self._title)


def fitting(picture: Image, enlarge: float = 1.0) -> tuple[int, int]:
    """Width and height of a picture scaled to fit a usual screen, at most ``enlarge`` times as large."""
    scale = min(enlarge, SCREEN[0] / picture.shape[1], SCREEN[1] / picture.shape[0])
    return max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
