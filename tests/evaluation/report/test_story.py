"""Which frames tell how a target was lost, and which part of them is shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.report.story import longest_loss, story, view

NAN = np.nan


@pytest.mark.parametrize(
    ("overlap", "run"),
    [
        ([1, 0.8, 0, 0.5, 0, 0.05, 0.09, 0.1], (4, 6)),  # the longer of two; 0.1 is not lost
        ([1, 0, 0, NAN, 0, 0.3, 0, 0, 0.3], (1, 4)),  # absence does not end a loss
        ([1, 0.8, NAN, 0, NAN], (3, 3)),  # nor is it one
        ([1, 0.8, 0.3, 0.4], (2, 2)),  # never lost: the lowest
        ([0, 0.8, 0.7], (2, 2)),  # the first frame is given
    ],
)
def test_the_longest_loss(overlap: list[float], run: tuple[int, int]) -> None:
    assert longest_loss(np.array(overlap)) == run


def test_the_story_of_a_loss_and_a_recovery() -> None:
    overlap = np.concatenate(
        ([1.0], np.full(29, 0.8), np.full(3, 0.3), np.zeros(40), np.full(3, 0.3), np.full(24, 0.9))
    )
    told = story(overlap, 8)
    assert list(told) == sorted(told)
    assert len(told) == 8
    assert {at: word for at, word in told.items() if word} == {
        0: "first",
        29: "last good",
        33: "lost",
        76: "good again",
    }
    # The last frame, and the middles of the widest gaps.
    assert [at for at, word in told.items() if not word] == [14, 54, 87, 99]


@given(st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), min_size=1, max_size=60), st.integers(5, 12))
def test_a_story_has_as_many_frames_as_there_is_room_for(later: list[float], count: int) -> None:
    overlap = np.array([1.0, *later])
    if np.isnan(overlap[1:]).all():
        return
    told = story(overlap, count)
    assert len(told) == min(count, len(overlap))
    assert {0, len(overlap) - 1, longest_loss(overlap)[0]} <= set(told) <= set(range(len(overlap)))


sides = st.floats(2, 300)


@given(st.lists(st.tuples(st.floats(0, 340), st.floats(0, 220), sides, sides), min_size=1, max_size=2))
def test_the_view_holds_the_boxes_as_far_as_the_frame_does(rows: list[tuple[float, ...]]) -> None:
    boxes, size = np.array(rows), np.array((400, 300))
    left, top, side = view(boxes, 400, 300)
    corner = np.array((left, top))
    assert 48 <= side <= 400
    low, high = boxes[:, :2], np.minimum(boxes[:, :2] + boxes[:, 2:], size)
    assert (corner <= low + 1e-6).all()
    assert (high <= corner + side + 1e-6).all()
    # What lies outside the frame is seen only where the square is larger than the frame.
    outside = (corner < -1e-6) | (corner + side > size + 1e-6)
    assert (side > size[outside] - 1e-6).all()
