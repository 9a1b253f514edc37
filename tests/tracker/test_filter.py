"""The filter's arithmetic with a model whose score and proposal are known: a white square on black."""

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
from tracker.estimate import Given, estimate
from tracker.motion import log_motion
from tracker.noise import box_noise
from tracker.online import Tracker
from tracker.search import search_frame
from tracker.state import State
from tracker.step import step

TRAINED = 0.85
SIGMA = 0.05
LEVEL = 20.0
NULL = 12.0
CONFIG = TrackerConfig(samples=256, evidence=0.8)


class SquareModel:
    """f is a normal about the white square, the higher the more is seen of it, or flat and low where none is."""

    config = SimpleNamespace(trained_presence=TRAINED, search_factor=4.0, search_size=64)

    def features(self, crops: Tensor) -> SearchFeatures:
        white = (crops[:, 0] > 128).float()
        cells = (torch.arange(white.shape[-1]) + 0.5) / white.shape[-1] - 0.5
        rows = []
        for one in white:
            if one.sum() < 4:
                rows.append(torch.tensor([0.0, 0.0, -1.4, -1.4, -math.inf]))
                continue
            x, y = cells[one.amax(0) > 0], cells[one.amax(1) > 0]
            cell = float(cells[1] - cells[0])
            size = [math.log(float(v[-1] - v[0]) + cell) for v in (x, y)]
            rows.append(torch.tensor([float(x.mean()), float(y.mean()), *size, 3 * math.log(float(one.sum()) / 256)]))
        found = torch.stack(rows)
        return SearchFeatures(found, found)

    def propose(self, template: Template, search: SearchFeatures) -> DenseMixture:
        n = len(search.stride8)
        return DenseMixture(torch.zeros(n, 1), search.stride8[:, None, :4], torch.full((n, 1, 4), 2 * SIGMA))

    def defend(self, proposal: DenseMixture) -> DefensiveMixture:
        return DefensiveMixture(proposal, BroadBoxes(tuple(proposal.batch_shape), -1.4, 0.6), 0.1)

    def scores(
        self, template: Template, search: SearchFeatures, proposal: DenseMixture | None = None
    ) -> FunctionScores:
        at, visible = search.stride8[:, None, :4], search.stride8[:, 4:]
        return FunctionScores(
            lambda boxes: (LEVEL + visible - 0.5 * ((boxes - at) / SIGMA).square().sum(-1)).clamp_min(-50.0)
        )


MODEL = TorchEngine(cast(EnergyTracker, SquareModel()))


def frame(x: int, y: int, side: int = 24) -> np.ndarray:
    image = np.zeros((240, 320, 3), np.uint8)
    image[y : y + side, x : x + side] = 255
    return image


def state(boxes: list[tuple[float, float, float, float]], **changes: Any) -> State:
    n = len(boxes)
    empty = torch.zeros(n, 1)
    count = torch.zeros(n, dtype=torch.int64)
    template = Template(torch.zeros(n, 1, 1), empty, empty, empty, torch.zeros(n))
    plain = State(
        first=template,
        template=template,
        box=torch.tensor(boxes),
        steady_size=torch.tensor(boxes)[:, 2:],
        frame_size=torch.tensor([[320.0, 240.0]]).repeat(n, 1),
        factor=torch.full((n,), 4.0),
        presence=torch.full((n,), 0.01),
        lost=count + 5,
        seed=count,
        frame=count + 20,
    )
    return plain._replace(**changes)


def posterior_of(prior: float, last: Tensor | None = None) -> tuple[Posterior, Tensor]:
    crops = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    crops[..., 24:40, 28:44] = 255
    noise = box_noise(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), 2048)
    template = state([(0, 0, 1, 1)]).template._replace(null=torch.tensor([NULL]))
    scale = torch.tensor([[CONFIG.motion_scale, CONFIG.motion_log_size]])
    known = Given(
        *noise,
        log_odds=torch.tensor([math.log(prior / (1 - prior)) - CONFIG.evidence * math.log(TRAINED / (1 - TRAINED))]),
        evidence=torch.tensor([CONFIG.evidence]),
        last=TRUTH.unsqueeze(0) if last is None else last,
        motion_scale=torch.full_like(scale, math.inf) if last is None else scale,
    )
    found = estimate(MODEL.model, template, crops, known, CONFIG)
    return found.posterior, found.box


TRUTH = torch.tensor([4.0 / 64, 0.0, math.log(0.25), math.log(0.25)])
LOG_Z = LEVEL + 4 * math.log(SIGMA) + 2 * math.log(2 * math.pi)


@pytest.mark.parametrize("prior", [0.02, 0.5, 0.85, 0.98])
def test_presence_takes_the_training_prior_out_and_its_own_in(prior: float) -> None:
    posterior, box = posterior_of(prior)
    assert float(posterior.log_z) == pytest.approx(LOG_Z, abs=0.05)
    evidence = float(posterior.log_z) - NULL - math.log(TRAINED / (1 - TRAINED))
    odds = CONFIG.evidence * evidence + math.log(prior / (1 - prior))
    assert float(posterior.presence) == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-4)
    torch.testing.assert_close(box[0], TRUTH, atol=0.01, rtol=0)
    torch.testing.assert_close(posterior.mean[0], TRUTH, atol=0.01, rtol=0)
    deviation = posterior.covariance[0].diagonal().sqrt()
    torch.testing.assert_close(deviation, torch.full((4,), SIGMA), atol=0.01, rtol=0)


def test_the_motion_term_moves_the_posterior_but_not_presence() -> None:
    last = TRUTH + torch.tensor([0.15, 0.0, 0.0, 0.0])
    free, at_peak = posterior_of(0.5)
    pulled, box = posterior_of(0.5, last.unsqueeze(0))
    scale = torch.tensor([[CONFIG.motion_scale, CONFIG.motion_log_size]])
    motion = log_motion(free.samples, last.unsqueeze(0), scale)
    torch.testing.assert_close(pulled.log_weights, torch.log_softmax(free.log_weights + motion, 1))
    assert float(free.mean[0, 0]) < float(pulled.mean[0, 0]) < float(last[0])
    assert float(at_peak[0, 0]) < float(box[0, 0]) < float(last[0])
    assert torch.equal(pulled.log_z, free.log_z)
    assert torch.equal(pulled.presence, free.presence)
    assert float(pulled.log_weights.logsumexp(1)) == pytest.approx(0.0, abs=1e-5)


def test_a_step_uses_the_motion_prior_about_the_last_box() -> None:
    crops = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    crops[..., 24:40, 32:48] = 255
    before = state([(100, 100, 24, 24)], presence=torch.ones(1))
    tight = TrackerConfig(motion_scale=0.02)
    _, strict, _ = step(MODEL, before, crops, tight)
    _, loose, _ = step(MODEL, before, crops, TrackerConfig(motion=False))
    # Without it the posterior lies on the square, 12 px to the right of the last box; with it, nearer to that.
    assert float(loose.mean[0, 0]) == pytest.approx(112.0, abs=1.0)
    assert 100 < float(strict.mean[0, 0]) < float(loose.mean[0, 0]) - 1
    last = torch.tensor([[0.0, 0.0, math.log(0.25), math.log(0.25)]])
    assert float(log_motion(torch.tensor([[[0.125, 0.0, -1.386, -1.386]]]), last, torch.tensor([[0.02, 0.3]]))) < -4


def test_the_search_finds_a_target_anywhere_and_pays_for_looking() -> None:
    lost = state([(30, 30, 24, 24)])
    after, posterior, seen = search_frame(MODEL, lost, [frame(260, 180)], CONFIG)
    assert bool(seen)
    torch.testing.assert_close(after.box[0], torch.tensor([272.0, 192.0, 24.0, 24.0]), atol=3.0, rtol=0)
    assert (after.lost.item(), after.factor.item()) == (0, 4.0)
    side = 4 * 24 * CONFIG.search_zoom
    total = math.ceil(320 / (0.7 * side)) * math.ceil(240 / (0.7 * side))
    prior = 0.01 * (1 - CONFIG.leave_rate) + 0.99 * CONFIG.return_rate
    evidence = float(posterior.log_z) - math.log(TRAINED / (1 - TRAINED))
    odds = CONFIG.evidence * evidence + math.log(prior / (1 - prior))
    expected = 1 / (1 + math.exp(-(odds - math.log(total))))
    assert float(posterior.presence) == pytest.approx(expected, abs=1e-4)


def test_the_search_leaves_alone_what_it_does_not_find() -> None:
    lost = state([(30, 30, 24, 24)])
    after, _, seen = search_frame(MODEL, lost, [np.zeros((240, 320, 3), np.uint8)], CONFIG)
    assert not bool(seen)
    assert torch.equal(after.box, lost.box)
    assert torch.equal(after.lost, lost.lost)


def test_targets_are_searched_for_as_if_each_were_alone() -> None:
    boxes = [(30.0, 30.0, 24.0, 24.0), (200.0, 60.0, 30.0, 20.0)]
    frames = [frame(260, 180), frame(20, 200)]
    together, posterior, _ = search_frame(MODEL, state(boxes), frames, CONFIG)
    for i, box in enumerate(boxes):
        alone, own, _ = search_frame(MODEL, state([box]), [frames[i]], CONFIG)
        torch.testing.assert_close(together.box[i], alone.box[0], atol=1e-3, rtol=0)
        torch.testing.assert_close(posterior.samples[i], own.samples[0], atol=1e-3, rtol=0)


def test_a_target_found_by_the_search_shows_in_the_frames_posterior() -> None:
    tracker = Tracker.__new__(Tracker)
    tracker.engine, tracker.model, tracker.config = MODEL, MODEL.model, CONFIG
    lost = state([(30, 30, 24, 24)])
    after, boxes, posterior = tracker.advance(lost._replace(lost=torch.tensor([4])), [frame(260, 180)])
    assert after.lost.item() == 0
    torch.testing.assert_close(boxes[0, :2], torch.tensor([272.0, 192.0]), atol=3.0, rtol=0)
    torch.testing.assert_close(posterior.mean[0, :2], torch.tensor([272.0, 192.0]), atol=6.0, rtol=0)
    assert float(posterior.presence) > CONFIG.found_above
