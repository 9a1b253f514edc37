"""Drawing the first boxes with the mouse."""

from __future__ import annotations

import cv2

from tracker.display import KEY_ESCAPE, fitting, require_display
from tracker.drawing import COLOURS, Image

TITLE = "ebtrack: draw a box around each target"
HELP = "drag: box   Backspace: take back   Enter: track   Esc: give up"
SMALLEST = 3
"""Pixels of the window; smaller boxes are slips of the mouse."""
KEYS_DONE = (13, 10, ord(" "))
KEYS_BACK = (8, 127, ord("z"))

Box = tuple[float, float, float, float]


class BoxDrawing:
    """The boxes that mouse events draw, apart from any window.

    Args:
        picture: the frame; boxes are in its pixels.
        size: width and height at which it is shown.
    """

    def __init__(self, picture: Image, size: tuple[int, int]) -> None:
        self._shown = cv2.resize(
            picture, size, interpolation=cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_LINEAR
        )
        self._scale = (picture.shape[1] / size[0], picture.shape[0] / size[1])
        self._size = size
        self._begin: tuple[int, int] | None = None
        self._end = (0, 0)
        self.boxes: list[Box] = []

    def mouse(self, event: int, x: int, y: int, flags: int = 0, data: object = None) -> None:
        """One mouse event of OpenCV; ``flags`` and ``data`` are part of its signature."""
        del flags, data
        x, y = min(max(x, 0), self._size[0]), min(max(y, 0), self._size[1])
        if event == cv2.EVENT_LBUTTONDOWN:
            self._begin = self._end = (x, y)
        elif event == cv2.EVENT_MOUSEMOVE:
            self._end = (x, y)
        elif event == cv2.EVENT_LBUTTONUP and self._begin is not None:
            x0, x1 = sorted((self._begin[0], x))
            y0, y1 = sorted((self._begin[1], y))
            self._begin = None
            if x1 - x0 >= SMALLEST and y1 - y0 >= SMALLEST:
                sx, sy = self._scale
                self.boxes.append((x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy))

    def take_back(self) -> None:
        """Removes the last box."""
        if self.boxes:
            self.boxes.pop()

    def picture(self) -> Image:
        """The frame with the boxes so far."""
        canvas = self._shown.copy()
        sx, sy = self._scale
        corners = [(x / sx, y / sy, (x + w) / sx, (y + h) / sy) for x, y, w, h in self.boxes]
        if self._begin is not None:
            corners.append((*self._begin, *self._end))
        for number, (x0, y0, x1, y1) in enumerate(corners):
            colour = COLOURS[number % len(COLOURS)]
            for shade, thickness in (((0, 0, 0), 4), (colour, 2)):
                cv2.rectangle(canvas, (round(x0), round(y0)), (round(x1), round(y1)), shade, thickness)
        canvas[:24] = canvas[:24] // 3
        cv2.putText(canvas, HELP, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (240, 240, 240), 1, cv2.LINE_AA)
        return canvas  # type: ignore[return-value]


def select_boxes(picture: Image) -> list[Box]:
    """Lets the user draw boxes on a frame.

    Args:
        picture: H x W x 3 uint8 BGR.

    Returns:
        Boxes (x, y, w, h) in pixels of the frame; none where the user gave up.

    Raises:
        DisplayError: no window can be shown.
    """
    require_display("give the target with --box x,y,w,h")
    drawing = BoxDrawing(picture, fitting(picture, enlarge=4.0))
    cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
    try:
        cv2.setMouseCallback(TITLE, drawing.mouse)
        while True:
            cv2.imshow(TITLE, drawing.picture())
            key = cv2.waitKey(20) & 0xFF
            if key in KEYS_BACK:
                drawing.take_back()
            elif key in KEYS_DONE and drawing.boxes:
                return drawing.boxes
            elif key == KEY_ESCAPE or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
                return []
    finally:
        cv2.destroyAllWindows()
