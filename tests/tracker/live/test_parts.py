"""Targets that come and go, speed and latency, and the line below the picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from networks.config import ModelConfig
from tests.fake_tracker import track_of
from tests.tracker.live.fakes import FakeTracker, flat
from tracker.config import TrackerConfig
from tracker.filter import Settings, advance
from tracker.live import Targets, search_at_once
from tracker.live.meter import Meter
from tracker.live.mouse import box_at
from tracker.live.overlay import Overlay, centre_spread, draw_live, status
from tracker.live.screen import NO_KEY, character
from tracker.search import due


@pytest.mark.parametrize("search_after", [1, 5])
def test_search_at_once_makes_the_next_unseen_frame_one_that_is_searched(search_after: int) -> None:
    config = TrackerConfig(search_after=search_after)
    state = FakeTracker().start([flat(0)] * 3, [(10.0, 10.0, 20.0, 20.0)] * 3)
    state = state._replace(presence=torch.tensor([1.0, 0.9, 0.1]), lost=torch.tensor([0, 0, 40]))
    marked = search_at_once(state, config)
    assert marked.presence.tolist() == pytest.approx([0.5, 0.5, 0.1])
    after = advance(marked, state.box, torch.tensor([0.9, 0.1, 0.1]), 4.0, Settings.of(ModelConfig(), config))
    assert due(after, config).tolist() == [1, 2]


def test_targets_keep_their_order_and_their_own_ids() -> None:
    targets = Targets(FakeTracker())
    for x in (10.0, 30.0, 50.0):
        targets.add(flat(0), (x, 10.0, 20.0, 20.0))
    assert targets.ids == [1, 2, 3]
    targets.remove(2)
    assert [track.box[0] for track in targets.update(flat(1))] == [11, 51]
    targets.add(flat(1), (70.0, 10.0, 20.0, 20.0))
    assert targets.ids == [1, 3, 4]  # none is given again
    assert [track.box[0] for track in targets.update(flat(2))] == [12, 52, 71]
    targets.remove(4)
    targets.add(flat(2), (70.0, 10.0, 20.0, 20.0))
    assert targets.ids == [1, 3, 5]
    targets.reset()
    assert (targets.update(flat(3)), targets.ids) == ([], [])


def test_new_target_is_searched_for_where_it_has_moved_while_it_was_drawn() -> None:
    tracker = FakeTracker()
    targets = Targets(tracker)
    targets.add(flat(0), (10.0, 10.0, 20.0, 20.0))
    targets.update(flat(1))
    assert tracker.states[-1].lost.tolist() == [tracker.config.search_after - 1]


def test_box_that_cannot_be_used_changes_nothing() -> None:
    targets = Targets(FakeTracker())
    targets.add(flat(0), (10.0, 10.0, 20.0, 20.0))
    with pytest.raises(ValueError, match="outside"):
        targets.add(flat(0), (500.0, 10.0, 20.0, 20.0))
    assert len(targets.update(flat(1))) == len(targets.ids) == 1


def test_speed_and_latency_are_those_of_the_last_results() -> None:
    meter = Meter()
    assert (meter.fps, meter.latency, meter.summary()) == (0, 0, None)
    for number in range(100):
        meter.add(number * 0.5, number * 0.5 - 0.2)
    for number in range(40):
        meter.add(50 + number * 0.1, 50 + number * 0.1 - 0.05)
    assert meter.fps == pytest.approx(10)
    assert meter.latency == pytest.approx(0.05)
    summary = meter.summary()
    assert summary is not None
    assert summary == pytest.approx((0.2, 0.2))
    meter.restart()
    assert (meter.fps, meter.results) == (0, 140)


def test_spread_is_the_standard_deviation_of_the_centre() -> None:
    track = track_of((10.0, 10.0, 20.0, 20.0), spread=3.0, samples=4096)
    assert centre_spread(track) == pytest.approx(3.0, rel=0.1)
    line = status([track], Overlay(fps=12.34, latency=0.0816))
    assert "12.3 frames/s" in line
    assert "82 ms" in line
    assert f"spread {centre_spread(track):.1f} px" in line
    assert status([], Overlay()) == ""


def test_chosen_target_drag_and_recording_are_drawn_where_they_are() -> None:
    tracks = [track_of((30.0, 30.0, 20.0, 20.0), spread=0.0)]
    plain = draw_live(flat(90), tracks, Overlay())

    def changed(overlay: Overlay) -> list[list[int]]:
        at = np.argwhere((draw_live(flat(90), tracks, overlay) != plain).any(2))
        return [at.min(0).tolist(), at.max(0).tolist()]

    assert plain.shape == (144, 192, 3)
    assert changed(Overlay(chosen=0)) == [[55, 55], [105, 105]]
    assert changed(Overlay(drag=(120, 60, 180, 130))) == [
        pytest.approx([60, 120], abs=3),
        pytest.approx([130, 180], abs=3),
    ]
    assert changed(Overlay(message="something happened", recording=True))[1][0] < 24


def test_smallest_box_under_the_mouse_is_meant() -> None:
    boxes = [(0.0, 0.0, 50.0, 50.0), (10.0, 10.0, 5.0, 5.0)]
    assert [box_at(point, boxes) for point in ((12.0, 12.0), (40.0, 40.0), (60.0, 60.0))] == [1, 0, None]


@pytest.mark.parametrize(
    ("code", "key"),
    [
        *[(-1, NO_KEY), (ord("x"), ord("x")), (8, 8), (127, 127)],
        *[(0xFF08, 8), (0xFF1B, 27), (0x10_FF1B, 27), (0x10_0078, ord("x"))],  # X, with Num Lock on
        *[(0xFF7F, NO_KEY), (0xFFE1, NO_KEY), (0xFF53, NO_KEY), (0xFFFF, NO_KEY)],  # Num Lock, Shift, Right, Delete
        (0x25_0000, 0),  # Left on Windows
    ],
)
def test_keys_that_write_nothing_do_nothing(code: int, key: int) -> None:
    assert character(code) == key
