"""Tracks drawn into frames."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fake_tracker import track_of
from tracker.drawing import ABSENT, COLOURS, View, coverage, draw_tracks

GREY = np.full((240, 320, 3), 90, np.uint8)
BOX = (100.0, 80.0, 90.0, 60.0)


def along_top(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The line under the box's upper edge, without its corners."""
    return picture[80, 106:184].astype(np.int64)


def test_frame_itself_stays_as_it_is() -> None:
    frame = GREY.copy()
    draw_tracks(frame, [track_of(BOX)], note="frame 0")
    np.testing.assert_array_equal(frame, GREY)


def test_present_target_has_an_unbroken_box_of_its_colour() -> None:
    picture = draw_tracks(GREY, [track_of(BOX, 0.9)], labels=False)
    assert (abs(along_top(picture) - COLOURS[0]).max(1) < 40).all()


def test_absent_target_has_a_grey_dashed_box() -> None:
    picture = draw_tracks(GREY, [track_of(BOX, 0.1)], labels=False)
    drawn = abs(along_top(picture) - ABSENT).max(1) < 40
    assert 0.3 < drawn.mean() < 0.8
    assert not (abs(along_top(picture) - COLOURS[0]).max(1) < 40).any()


def test_targets_have_colours_of_their_own() -> None:
    tracks = [track_of((20.0 + 60 * i, 100.0, 40.0, 40.0)) for i in range(4)]
    picture = draw_tracks(GREY, tracks, labels=False).astype(np.int64)
    for i, colour in enumerate(COLOURS[:4]):
        assert abs(picture[100, 40 + 60 * i] - colour).max() < 40


def test_coverage_is_the_share_of_weight_whose_boxes_hold_the_pixel() -> None:
    posterior = track_of(BOX, spread=6.0).posterior
    inside, left, top = coverage(posterior, View.whole(GREY))
    assert inside[round(110 - top), round(145 - left)] == pytest.approx(1.0)
    x, y = 101, 110
    low = posterior.samples[:, :2] - posterior.samples[:, 2:] / 2
    high = posterior.samples[:, :2] + posterior.samples[:, 2:] / 2
    holds = (
        (low.round() <= posterior.samples.new_tensor([x, y])) & (high.round() > posterior.samples.new_tensor([x, y]))
    ).all(1)
    expected = float(posterior.weights[holds].sum())
    assert 0.2 < expected < 0.8
    assert inside[y - top, x - left] == pytest.approx(expected, abs=0.02)  # the lightest samples are left out


def test_wider_posterior_colours_more_pixels() -> None:
    def coloured(spread: float) -> int:
        picture = draw_tracks(GREY, [track_of(BOX, spread=spread)], labels=False).astype(int)
        return int((abs(picture - 90).max(2) > 8).sum())

    assert coloured(12.0) > 1.3 * coloured(1.0)


def test_a_target_keeps_the_colour_of_its_number_when_another_is_gone() -> None:
    left, right = track_of(BOX, 0.9), track_of((BOX[0] + 90, *BOX[1:]), 0.9)
    both = draw_tracks(GREY, [left, right], labels=False)
    alone = draw_tracks(GREY, [right], labels=False, numbers=[2])
    edge = round(BOX[1]), round(BOX[0] + 90 + BOX[2] / 2)
    np.testing.assert_array_equal(alone[edge], both[edge])
    assert (draw_tracks(GREY, [right], labels=False)[edge] != both[edge]).any()


# Boxes over the border, far outside, tiny, larger than the frame, and a frame of one pixel.
@pytest.mark.parametrize(
    "box", [(-30.0, -20.0, 80.0, 60.0), (5000.0, -900.0, 20.0, 20.0), (50.0, 50.0, 0.2, 0.2), (-1e6, -1e6, 2e6, 2e6)]
)
@pytest.mark.parametrize("shape", [(240, 320, 3), (1, 1, 3)])
def test_any_box_can_be_drawn(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> None:
    frame = np.zeros(shape, np.uint8)
    for presence in (0.1, 0.9):
        assert draw_tracks(frame, [track_of(box, presence)], note="frame 1").shape == shape


def test_view_scales_and_fills_with_grey_outside_the_frame() -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[10:20, 5:15] = 255
    picture = View(-10, 0, 40, 40, 2.0).cut(frame)
    assert picture.shape == (80, 80, 3)
    assert (abs(picture[:, :16].astype(int) - 60) < 3).all()
    assert (picture[24:36, 34:46] == 255).all()
    np.testing.assert_allclose(View(-10, 0, 40, 40, 2.0).place(np.array([5.0, 10.0])), (30, 20))
