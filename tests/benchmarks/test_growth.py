"""Curves of cost: the line through them, the boxes of many targets, and a picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.growth import Setting, curves, draw, line, measure, show, spread
from tests.fake_tracker import FakeTracker


def test_the_line_gives_back_what_it_was_made_of() -> None:
    values = np.array([1, 2, 5, 50])
    assert line(values, 3 + 0.25 * values) == pytest.approx((3, 0.25))


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_targets_are_spread_over_the_frame(count: int) -> None:
    box = (600.0, 300.0, 30.0, 50.0)
    boxes = np.array(spread(box, count, 640, 360))
    assert len({tuple(one) for one in boxes}) == count
    np.testing.assert_array_equal(boxes[0], box)
    np.testing.assert_array_equal(boxes[:, 2:], [box[2:]] * count)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= (640, 360)).all()


def test_curves_come_with_their_points_and_a_picture(tmp_path: Path) -> None:
    frames = np.zeros((3, 36, 64, 3), np.uint8)
    tracker, box = FakeTracker(), (5.0, 6.0, 7.0, 8.0)
    points = [("targets", 1), ("targets", 4), ("samples", 8), ("samples", 16), ("size, target stays", 1.5)]
    settings = [Setting(curve, value, tracker, frames, spread(box, 2, 64, 36)) for curve, value in points]
    measure(settings, 2)
    # Two rounds of three frames, of which the first one's step does not count.
    assert [len(setting.seconds) for setting in settings] == [4] * 5
    settings[0].seconds, settings[1].seconds = [4.0, 9.0, 1.0, 7.0], [2.0]
    found = curves(settings)
    assert found["targets"] == {"values": [1, 4], "seconds": [1.0, 2.0]}
    assert list(found) == ["targets", "samples", "size, target stays"]
    assert list(show(found).columns[3].cells)[:2] == ["1.00", "2.00"]
    draw(found, "all of it", tmp_path / "growth.png")
    assert cv2.imread(str(tmp_path / "growth.png")) is not None
