"""Frames and boxes as users hand them in."""

import math
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.frames import check_box, to_bgr

BGR = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


def test_every_plain_kind_of_frame_becomes_the_same_bgr() -> None:
    assert np.array_equal(to_bgr(BGR), BGR)
    assert np.array_equal(to_bgr(cv2.cvtColor(BGR, cv2.COLOR_BGR2RGB), rgb=True), BGR)
    assert np.array_equal(to_bgr(cv2.cvtColor(BGR, cv2.COLOR_BGR2BGRA)), BGR)
    assert np.array_equal(to_bgr(cv2.cvtColor(BGR, cv2.COLOR_BGR2RGBA), rgb=True), BGR)
    assert np.array_equal(to_bgr(BGR.astype(np.uint16) * 257), BGR)
    assert np.array_equal(to_bgr(BGR.astype(np.float32) / 255), BGR)
    assert np.array_equal(to_bgr(BGR.astype(np.float64) / 255), BGR)
    grey = BGR[..., 0]
    for shape in (grey, grey[..., None]):
        assert np.array_equal(to_bgr(shape), np.stack([grey] * 3, -1))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.zeros((0, 4, 3), np.uint8), "not empty"),
        (np.zeros((4, 4, 2), np.uint8), "H x W"),
        (np.zeros(7, np.uint8), "H x W"),
        (BGR.astype(np.float32), "values from 0 to 1"),
        (np.full((4, 4, 3), np.nan), "values from 0 to 1"),
        (BGR.astype(np.int32), "int32"),
    ],
)
def test_a_frame_without_plain_meaning_is_an_error(frame: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_bgr(frame)


@pytest.mark.parametrize(
    "box",
    [
        (math.nan, 1, 2, 3),
        (1, math.inf, 2, 3),
        (10, 10, 0, 5),
        (10, 10, 5, -1),
        (640, 10, 5, 5),
        (-20, 10, 20, 5),
        (10, 10, 1e-30, 1e-30),
        (639.9999, 10, 50, 50),
        (1, 2, 3),
        ("a", 2, 3, 4),
        None,
    ],
)
def test_a_box_that_cannot_be_meant_is_an_error_naming_box_and_frame(box: object) -> None:
    with pytest.raises(ValueError, match="640 x 480"):
        check_box(box, 640, 480)  # type: ignore[arg-type]


def test_a_box_partly_outside_is_clipped_and_said_once() -> None:
    with pytest.warns(UserWarning, match="clipped") as said:
        assert check_box((-10, 470, 30, 30), 640, 480) == (0, 470, 20, 10)
    assert len(said) == 1


@given(
    st.tuples(st.floats(-700, 700), st.floats(-700, 700), st.floats(0.01, 900), st.floats(0.01, 900)),
)
def test_whatever_is_accepted_lies_in_the_frame(box: tuple[float, float, float, float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            x, y, w, h = check_box(box, 640, 480)
        except ValueError:
            shown_w = min(box[0] + box[2], 640) - max(box[0], 0)
            shown_h = min(box[1] + box[3], 480) - max(box[1], 0)
            assert min(shown_w, shown_h) < 1 + 1e-9
            return
    assert x >= 0
    assert y >= 0
    assert w > 0
    assert h > 0
    assert x + w <= 640 + 1e-6
    assert y + h <= 480 + 1e-6
