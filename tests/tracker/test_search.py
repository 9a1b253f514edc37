"""Loss and return: the growing region and the search of the whole frame."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from networks.config import ModelConfig
from networks.model import Template
from tests.tracker.test_filter import CONFIG, MODEL, frame
from tests.tracker.test_filter import state as square_state
from tracker.config import TrackerConfig
from tracker.filter import Settings, advance, presence_prior
from tracker.search import covering_regions, due, search_frame
from tracker.state import GRID, State


def state_of(n: int) -> State:
    template = Template(torch.zeros(n, 1, 1), torch.zeros(n, 1), torch.zeros(n, 1), torch.zeros(n, 1), torch.zeros(n))
    count = torch.zeros(n, dtype=torch.int64)
    return State(
        template,
        template,
        torch.tensor([[100.0, 100.0, 20.0, 40.0]]).repeat(n, 1),
        torch.tensor([[20.0, 40.0]]).repeat(n, 1),
        torch.tensor([[320.0, 240.0]]).repeat(n, 1),
        torch.full((n,), 4.0),
        torch.ones(n),
        count,
        count,
        count,
    )


def tensors(state: State) -> list[torch.Tensor]:
    return [*state.first, *state.template, *state[2:]]


def test_a_lost_target_keeps_its_size_and_its_region_grows_to_the_limit() -> None:
    config = TrackerConfig()
    state = state_of(2)
    found = torch.tensor([[110.0, 90.0, 22.0, 44.0], [300.0, 10.0, 90.0, 90.0]])
    presence = torch.tensor([0.9, config.present_above / 2])
    for _ in range(20):
        state = advance(state, found, presence, 4.0, Settings.of(ModelConfig(), config))
    torch.testing.assert_close(state.box[0], found[0], atol=1 / GRID, rtol=0)
    torch.testing.assert_close(state.box[1], torch.tensor([300.0, 10.0, 20.0, 40.0]))
    torch.testing.assert_close(state.factor, torch.tensor([4.0, 4.0 * config.region_growth_limit]))
    assert state.lost.tolist() == [0, 20]
    back = advance(state, found, torch.ones(2), 4.0, Settings.of(ModelConfig(), config))
    assert back.lost.tolist() == [0, 0]
    assert back.factor.tolist() == [4.0, 4.0]


def test_a_target_that_seemed_to_shrink_before_it_was_lost_goes_back_to_its_steady_size() -> None:
    config = TrackerConfig()
    state = state_of(1)
    for _ in range(4):
        state = advance(
            state, torch.tensor([[100.0, 100.0, 5.0, 40.0]]), torch.ones(1), 4.0, Settings.of(ModelConfig(), config)
        )
    assert float(state.box[0, 2]) < 7
    lost = advance(
        state, torch.tensor([[100.0, 100.0, 5.0, 5.0]]), torch.zeros(1), 4.0, Settings.of(ModelConfig(), config)
    )
    assert 16 < float(lost.box[0, 2]) < 20
    assert float(lost.box[0, 3]) == pytest.approx(40.0)


def test_the_size_follows_by_its_rate_in_the_logarithm() -> None:
    state = state_of(1)
    found = torch.tensor([[100.0, 100.0, 80.0, 40.0]])
    moved = advance(state, found, torch.ones(1), 4.0, Settings.of(ModelConfig(), TrackerConfig(size_rate=0.5)))
    torch.testing.assert_close(moved.box[0, 2:], torch.tensor([math.sqrt(20 * 80), 40.0]))


def test_the_whole_frame_is_searched_after_some_lost_frames_and_then_now_and_again() -> None:
    config = TrackerConfig(search_after=5, search_every=3)
    state = state_of(12)._replace(lost=torch.arange(12))
    assert due(state, config).tolist() == [5, 8, 11]


@given(st.integers(40, 2000), st.integers(40, 2000), st.floats(16, 3000), st.integers(1, 40))
def test_searches_in_turn_reach_every_place_of_the_frame(width: int, height: int, side: float, most: int) -> None:
    first, total = covering_regions((width, height), side, most, 0)
    turns = -(-total // most)
    parts = [covering_regions((width, height), side, most, turn)[0] for turn in range(turns)] if turns < 50 else [first]
    assert all(len(part) == min(most, total) for part in parts)
    assert all(bool((part[:, 2] == torch.tensor(side)).all()) for part in parts)
    if turns < 50:
        regions = torch.cat(parts)
        for extent, axis in ((width, 0), (height, 1)):
            places = torch.linspace(0, extent, 23)
            nearest = (places[:, None] - regions[:, axis]).abs().min(1).values
            assert float(nearest.max()) <= 0.35 * side + 1e-2


def test_putting_back_a_part_of_the_state_changes_that_part_alone() -> None:
    state = state_of(3)
    part = state.select(torch.tensor([1]))._replace(box=torch.tensor([[1.0, 2.0, 3.0, 4.0]]), lost=torch.tensor([9]))
    whole = state.put(torch.tensor([1]), part)
    assert whole.box[1].tolist() == [1, 2, 3, 4]
    assert whole.lost.tolist() == [0, 9, 0]
    assert torch.equal(whole.box[[0, 2]], state.box[[0, 2]])


def test_a_change_of_frame_size_moves_boxes_along() -> None:
    resized = state_of(2).resized(torch.tensor([[640.0, 120.0], [320.0, 240.0]]))
    assert resized.box[0].tolist() == pytest.approx([200, 50, 40, 20])
    assert resized.steady_size[0].tolist() == pytest.approx([40, 20])
    assert resized.frame_size[0].tolist() == [640, 120]
    assert torch.equal(resized.box[1], state_of(2).box[1])


def test_states_are_joined_in_order_and_taken_apart_again() -> None:
    first = state_of(2)._replace(lost=torch.tensor([1, 2]))
    second = state_of(1)._replace(lost=torch.tensor([3]))
    second = second._replace(
        first=second.first._replace(null=torch.tensor([5.0])),
        template=second.template._replace(null=torch.tensor([7.0])),
    )
    joined = first.join(second)
    assert joined.lost.tolist() == [1, 2, 3]
    assert joined.first.null.tolist() == [0, 0, 5]
    assert joined.template.null.tolist() == [0, 0, 7]
    again = joined.select(torch.tensor([2]))
    parts = zip(tensors(again), tensors(second), strict=True)
    assert all(torch.equal(a, b) for a, b in parts)


def test_presence_is_a_chain_of_leaving_and_returning() -> None:
    settings = Settings.of(ModelConfig(), TrackerConfig(leave_rate=0.02, return_rate=0.1))
    torch.testing.assert_close(presence_prior(torch.tensor([1.0, 0.0]), settings), torch.tensor([0.98, 0.1]))
    # Without any evidence the chain settles where as many leave as return.
    presence = torch.tensor([1.0])
    for _ in range(200):
        presence = presence_prior(presence, settings)
    assert float(presence) == pytest.approx(0.1 / 0.12, abs=1e-4)


def shifted(by: float) -> tuple[State, State, bool]:
    """A lost target before and after a search whose evidence is changed by so much; and whether the target moved."""
    lost = square_state([(30, 30, 24, 24)])
    first = lost.first._replace(null=lost.first.null - by / CONFIG.evidence)
    lost = lost._replace(first=first, template=first)
    after, _, seen = search_frame(MODEL, lost, [frame(260, 180)], CONFIG)
    return lost, after, bool(seen)


def test_the_search_turns_to_where_a_target_may_be_and_does_not_say_that_it_is_found() -> None:
    sure = float(torch.logit(shifted(0.0)[1].presence))
    between = 0.5 * math.log(CONFIG.found_above / (1 - CONFIG.found_above))
    lost, after, seen = shifted(between - sure)
    assert seen
    torch.testing.assert_close(after.box[0], torch.tensor([272.0, 192.0, 24.0, 24.0]), atol=3.0, rtol=0)
    assert CONFIG.found_above < float(after.presence) < CONFIG.present_above
    assert torch.equal(after.lost, lost.lost)


def test_a_search_that_supports_no_place_takes_presence_away_from_the_one_that_is_followed() -> None:
    lost, after, seen = shifted(-100.0)
    assert not seen
    assert torch.equal(after.box, lost.box)
    assert float(after.presence) < float(lost.presence)
