"""What counts as lost, re-found and wrong, at the edges of the definitions."""

import math

import numpy as np
import pytest

from benchmarks.returning import Return, judge, leaves_and_returns, summary

BOX = np.array([10.0, 10.0, 20.0, 20.0])
FRAMES, GONE, BACK = 100, 20, 50
AWAY = np.array([60.0, 60.0, 20.0, 20.0])


@pytest.fixture
def truth() -> np.ndarray:
    boxes = np.tile(BOX, (FRAMES, 1))
    boxes[GONE:BACK] = np.nan
    # Visible for a moment only: the target is back for good afterwards.
    boxes[30] = BOX
    return boxes


def said(*spans: tuple[int, int]) -> np.ndarray:
    """Presence of 1 in some spans of frames, 0 elsewhere."""
    presence = np.zeros(FRAMES)
    for begin, end in spans:
        presence[begin:end] = 1.0
    return presence


def test_a_tracker_without_fault(truth: np.ndarray) -> None:
    found = judge(np.tile(BOX, (FRAMES, 1)), said((0, GONE), (BACK, FRAMES)), truth)
    assert found == Return(0, 0, 0)
    assert found.verdicts == (True, True, False)


@pytest.mark.parametrize(("until", "verdict"), [(GONE + 9, True), (GONE + 10, False)])
def test_lost_is_to_be_said_in_the_first_ten_frames_without_the_target(
    truth: np.ndarray, until: int, verdict: bool
) -> None:
    found = judge(np.tile(BOX, (FRAMES, 1)), said((0, until), (BACK, FRAMES)), truth)
    assert found.said == until - GONE
    assert found.verdicts[0] is verdict


def test_what_is_said_once_the_target_is_back_is_too_late(truth: np.ndarray) -> None:
    assert judge(np.tile(BOX, (FRAMES, 1)), said((0, BACK)), truth).said == math.inf


@pytest.mark.parametrize(("since", "verdict"), [(BACK + 29, True), (BACK + 30, False)])
def test_found_again_needs_presence_in_thirty_frames(truth: np.ndarray, since: int, verdict: bool) -> None:
    found = judge(np.tile(BOX, (FRAMES, 1)), said((0, GONE), (since, FRAMES)), truth)
    assert found.found == since - BACK
    assert found.verdicts[1] is verdict


@pytest.mark.parametrize(("shift", "verdict"), [(20 / 3 - 0.01, True), (20 / 3 + 0.01, False)])
def test_found_again_needs_half_of_the_union(truth: np.ndarray, shift: float, verdict: bool) -> None:
    boxes = np.tile(BOX + np.array((shift, 0.0, 0.0, 0.0)), (FRAMES, 1))
    assert judge(boxes, said((BACK, FRAMES)), truth).verdicts[1] is verdict


@pytest.mark.parametrize(
    ("spans", "longest"),
    [
        ([(31, 41)], 10),
        ([(31, 40), (41, 50)], 9),
        # From before the loss on, only what comes after it counts; the return does not end a run.
        ([(GONE - 5, GONE + 4)], 4),
        ([(45, 56)], 11),
        ([(95, FRAMES)], 5),
    ],
)
def test_wrong_are_ten_frames_in_a_row_off_target(
    truth: np.ndarray, spans: list[tuple[int, int]], longest: int
) -> None:
    found = judge(np.tile(AWAY, (FRAMES, 1)), said(*spans), truth)
    assert found.wrong == longest
    assert found.verdicts[2] is (longest >= 10)


def test_a_poor_box_on_the_target_is_not_wrong(truth: np.ndarray) -> None:
    boxes = np.tile(BOX + np.array((14.0, 0.0, 0.0, 0.0)), (FRAMES, 1))
    assert judge(boxes, said((BACK, FRAMES)), truth) == Return(0, math.inf, 0)


def test_the_threshold_is_that_of_the_score(truth: np.ndarray) -> None:
    boxes, score = np.tile(BOX, (FRAMES, 1)), np.where(np.isnan(truth[:, 0]), 0.7, 0.9)
    assert judge(boxes, score, truth, 0.5).said == math.inf
    assert judge(boxes, score, truth, 0.8).said == 0


def test_sequences_count_whose_target_leaves_and_returns(truth: np.ndarray) -> None:
    assert leaves_and_returns(truth)
    assert not leaves_and_returns(truth[:GONE])
    assert not leaves_and_returns(truth[:BACK])


def test_shares_are_of_each_folder_and_of_all() -> None:
    good, bad = Return(0, 0, 0), Return(math.inf, 30, 10)
    table = summary({"a": 1, "b": 3}, [good, bad, bad, good])
    columns = [list(column.cells) for column in table.columns]
    assert columns == [
        ["a", "b", "all"],
        ["1", "3", "4"],
        ["100 %", "33 %", "50 %"],
        ["100 %", "33 %", "50 %"],
        ["0 %", "67 %", "50 %"],
    ]
