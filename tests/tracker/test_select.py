"""Boxes drawn with the mouse, and displays that are not there."""

import cv2
import numpy as np
import pytest

from tracker.display import DisplayError, fitting, require_display
from tracker.select import BoxDrawing

FRAME = np.zeros((200, 400, 3), np.uint8)


def drag(drawing: BoxDrawing, begin: tuple[int, int], end: tuple[int, int]) -> None:
    drawing.mouse(cv2.EVENT_LBUTTONDOWN, *begin)
    drawing.mouse(cv2.EVENT_MOUSEMOVE, *end)
    drawing.mouse(cv2.EVENT_LBUTTONUP, *end)


def test_drag_in_any_direction_is_a_box_in_pixels_of_the_frame() -> None:
    drawing = BoxDrawing(FRAME, (800, 400))
    drag(drawing, (20, 40), (120, 100))
    drag(drawing, (120, 100), (20, 40))
    assert drawing.boxes == [(10.0, 20.0, 50.0, 30.0)] * 2


def test_box_ends_at_the_border_of_the_frame() -> None:
    drawing = BoxDrawing(FRAME, (400, 200))
    drag(drawing, (300, 100), (900, -50))
    assert drawing.boxes == [(300.0, 0.0, 100.0, 100.0)]


def test_clicks_draw_nothing_and_boxes_can_be_taken_back() -> None:
    drawing = BoxDrawing(FRAME, (400, 200))
    drag(drawing, (30, 30), (31, 30))
    drawing.take_back()
    assert drawing.boxes == []
    drag(drawing, (30, 30), (60, 60))
    drag(drawing, (90, 30), (120, 60))
    drawing.take_back()
    assert drawing.boxes == [(30.0, 30.0, 30.0, 30.0)]


def test_picture_shows_the_boxes_also_while_they_are_drawn() -> None:
    drawing = BoxDrawing(FRAME, (400, 200))
    empty = drawing.picture()
    drawing.mouse(cv2.EVENT_LBUTTONDOWN, 50, 50)
    drawing.mouse(cv2.EVENT_MOUSEMOVE, 150, 150)
    changed = np.argwhere((drawing.picture() != empty).any(2))
    assert changed.min(0).tolist() == pytest.approx([50, 50], abs=3)
    assert changed.max(0).tolist() == pytest.approx([150, 150], abs=3)


def test_pictures_fit_a_screen() -> None:
    assert fitting(np.zeros((2160, 3840, 3), np.uint8)) == (1280, 720)
    assert fitting(FRAME) == (400, 200)
    assert fitting(FRAME, enlarge=2.0) == (800, 400)


def test_display_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(DisplayError, match="no display here: do without"):
        require_display("do without")
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(DisplayError, match="do without"):
        require_display("do without")
