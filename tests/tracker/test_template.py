"""The template over time: a white square whose two halves stand for a first and a later look."""

import math
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from networks.distributions import BroadBoxes, DefensiveMixture, DenseMixture
from networks.model import EnergyTracker, SearchFeatures, Template
from networks.posterior import Posterior
from tests.tracker.scores import FunctionScores
from tracker.config import TrackerConfig
from tracker.engines import TorchEngine
from tracker.online import Tracker
from tracker.state import State
from tracker.step import step
from tracker.template import confidence

SIDE = 24
CONFIG = TrackerConfig(template_every=3, template_share=0.25, template_above=0.9, template_known=0.5, search=False)


class GreyModel:
    """The code of a target is its mean grey; f is high in a crop's brightest spot whose grey is like the code."""

    config = SimpleNamespace(
        trained_presence=0.5, search_factor=4.0, search_size=64, template_factor=2.0, template_size=64
    )

    def __init__(self) -> None:
        self.encoded: list[int] = []

    def encode_template(self, crops: Tensor, boxes: Tensor) -> Template:
        self.encoded.append(len(crops))
        middle = crops[:, 0, 24:40, 24:40].float().mean((1, 2)).unsqueeze(1)
        return Template(middle[:, None], middle, middle, middle, torch.zeros(len(crops)))

    def features(self, crops: Tensor) -> SearchFeatures:
        rows = []
        for one in crops[:, 0].float():
            spot = one == one.max()
            cells = (torch.arange(64) + 0.5) / 64 - 0.5
            x, y = cells[spot.any(0)], cells[spot.any(1)]
            size = [math.log(float(v[-1] - v[0]) + 1 / 64) for v in (x, y)]
            rows.append(torch.tensor([float(x.mean()), float(y.mean()), *size, float(one.max())]))
        found = torch.stack(rows)
        return SearchFeatures(found, found)

    def propose(self, template: Template, search: SearchFeatures) -> DenseMixture:
        n = len(search.stride8)
        return DenseMixture(torch.zeros(n, 1), search.stride8[:, None, :4], torch.full((n, 1, 4), 0.05))

    def defend(self, proposal: DenseMixture) -> DefensiveMixture:
        return DefensiveMixture(proposal, BroadBoxes(tuple(proposal.batch_shape), -1.4, 0.6), 0.1)

    def scores(
        self, template: Template, search: SearchFeatures, proposal: DenseMixture | None = None
    ) -> FunctionScores:
        unlike = 0.2 * (search.stride8[:, 4:] - template.pooled).abs()
        at = search.stride8[:, None, :4]
        return FunctionScores(
            lambda boxes: 20.0 - unlike - (0.5 * ((boxes - at) / 0.03).square().sum(-1)).clamp_max(40.0)
        )


def frame(grey: int, x: int = 100, ground: int = 0) -> np.ndarray:
    image = np.full((240, 320, 3), ground, np.uint8)
    image[100 : 100 + SIDE, x : x + SIDE] = grey
    return image


def tracker(config: TrackerConfig = CONFIG) -> Tracker:
    made = Tracker.__new__(Tracker)
    made.model, made.config = cast(EnergyTracker, GreyModel()), config
    made.engine = TorchEngine(made.model)
    made.device, made.seed = torch.device("cpu"), 0
    return made


def run(greys: list[int], config: TrackerConfig = CONFIG, first: int = 200, count: int = 1) -> list[State]:
    """The states after each frame of a square whose grey changes."""
    one = tracker(config)
    state = one.start([frame(first)] * count, [(100.0, 100.0, float(SIDE), float(SIDE))] * count)
    states = []
    for grey in greys:
        state, _, _ = one.advance(state, [frame(grey)] * count)
        states.append(state)
    return states


def code(state: State) -> list[float]:
    return state.template.pooled[:, 0].tolist()


def test_the_template_in_use_follows_the_look_when_it_is_due_and_the_first_one_stays() -> None:
    greys = [190, 185, 180, 175, 170, 165]
    states = run(greys)
    # Every third frame, a quarter of what is seen then and three quarters of the first look.
    expected = [200, 200, 195, 195, 195, 0.75 * 200 + 0.25 * 165]
    assert [code(state)[0] for state in states] == pytest.approx(expected, abs=0.5)
    assert all(state.first.pooled.item() == 200 for state in states)
    for part, blended in zip(states[-1].first, states[-1].template, strict=True):
        assert part.shape == blended.shape


def test_the_size_of_the_state_is_constant() -> None:
    states = run([190] * 12, count=2)
    shapes = [[part.shape for part in (*state.first, *state.template, *state[2:])] for state in states]
    assert all(shape == shapes[0] for shape in shapes)


@pytest.mark.parametrize("changes", [{"template_share": 0.0}, {"template_above": 1.0}, {"template_known": 1.0}])
def test_switched_off_or_never_sure_it_stays_and_nothing_is_encoded(changes: dict[str, float]) -> None:
    one = tracker(CONFIG.model_copy(update=changes))
    state = one.start([frame(200)], [(100.0, 100.0, float(SIDE), float(SIDE))])
    for _ in range(7):
        state, _, _ = one.advance(state, [frame(190)])
    assert all(torch.equal(a, b) for a, b in zip(state.first, state.template, strict=True))
    assert cast(Any, one.model).encoded == [1]


def test_a_target_that_is_hidden_or_looks_strange_keeps_its_template() -> None:
    # The first look gives the grey 60 a score 28 lower: neither it nor a bare ground is taken for the target.
    for greys in ([60] * 6, [0] * 6):
        states = run(greys)
        assert float(states[-1].presence) < CONFIG.template_above
        assert code(states[-1]) == [200]


def test_what_the_first_look_does_not_know_cannot_renew_the_template_however_sure_its_blend_is() -> None:
    one = tracker()
    state = one.start([frame(200)] * 2, [(100.0, 100.0, float(SIDE), float(SIDE))] * 2)
    # Both templates in use have drifted to the background's grey; the second target's first look was like it.
    drifted = state.template._replace(pooled=torch.full((2, 1), 60.0))
    known = state.first._replace(pooled=torch.tensor([[200.0], [80.0]]))
    state = state._replace(template=drifted, first=known, frame=torch.tensor([2, 2]))
    after, _, _ = one.advance(state, [frame(60)] * 2)
    assert bool((after.presence > CONFIG.template_above).all())
    assert code(after) == pytest.approx([60, 0.75 * 80 + 0.25 * 60], abs=0.5)


def test_only_targets_that_are_due_are_encoded_and_each_as_if_alone() -> None:
    one = tracker()
    images = [frame(grey) for grey in (190, 180, 170, 160)]
    state = one.start([frame(200)] * 4, [(100.0, 100.0, float(SIDE), float(SIDE))] * 4)
    state = state._replace(frame=torch.tensor([2, 0, 5, 1]))
    together, _, _ = one.advance(state, images)
    assert cast(Any, one.model).encoded == [4, 2]
    for i, image in enumerate(images):
        alone, _, _ = tracker().advance(state.select(torch.tensor([i])), [image])
        for a, b in zip(alone.template, together.template, strict=True):
            torch.testing.assert_close(a[0], b[i])
    assert code(together) == pytest.approx([197.5, 200, 192.5, 200], abs=0.5)


def test_views_lie_where_the_estimate_does_not_where_the_smoothed_box_does() -> None:
    one = tracker()
    state = one.start([frame(200)], [(100.0, 100.0, float(SIDE), float(SIDE))])._replace(frame=torch.tensor([2]))
    crops = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    crops[..., 20:44, 20:44] = 200
    after, _, views = step(one.engine, state, crops, CONFIG)
    # 24 of 64 cells of a region of 96 px: 36 px wide, while the state's size goes half the way there from 24.
    assert views is not None
    assert views.target.tolist() == [0]
    torch.testing.assert_close(views.box[0], torch.tensor([112.0, 112.0, 36.0, 36.0]), atol=1.5, rtol=0)
    assert float(after.box[0, 2]) < 31


def test_confidence_is_presence_times_the_mass_near_the_estimate() -> None:
    here, far = [0.0, 0.0, -1.4, -1.4], [0.3, 0.0, -1.4, -1.4]
    posterior = Posterior(
        torch.tensor([[here, far], [here, far]]),
        torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log(),
        torch.zeros(2),
        torch.tensor([0.8, 1.0]),
    )
    torch.testing.assert_close(confidence(posterior, torch.tensor([here, far])), torch.tensor([0.72, 0.5]))
