"""One frame of the filter: batching, seeds, noise, refinement and motion."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

import ebtrack
from tests.tracker.scores import FunctionScores
from tracker.mode import LENGTHS, ascend
from tracker.motion import log_motion, log_motion_with_gradient
from tracker.noise import base_noise
from tracker.regions import crop
from tracker.state import keep_sane
from tracker.step import step

BOXES = [
    (40.0, 50.0, 30.0, 40.0),
    (120.0, 30.0, 50.0, 25.0),
    (200.0, 150.0, 20.0, 20.0),
    (5.0, 5.0, 60.0, 60.0),
]


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    big = np.kron(noise, np.ones((8, 8, 1), np.uint8))
    return [np.roll(big, 2 * i, axis=1) for i in range(3)]


def test_four_targets_in_a_batch_are_what_four_single_runs_are(
    untrained_weights: Path, frames: list[np.ndarray]
) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", seed=7)
    batch = tracker.start([frames[0]] * 4, BOXES)
    crops = crop([frames[1]] * 4, batch.region, 256)
    together, posterior, _ = step(tracker.engine, batch, crops, tracker.config)
    for i, box in enumerate(BOXES):
        single = tracker.start([frames[0]], [box])
        alone, own, _ = step(tracker.engine, single, crop([frames[1]], single.region, 256), tracker.config)
        torch.testing.assert_close(together.box[i], alone.box[0], atol=1e-2, rtol=1e-4)
        torch.testing.assert_close(posterior.presence[i], own.presence[0], atol=1e-4, rtol=1e-4)
        # Equal noise gives equal boxes; in units of the crop to 1e-4.
        side = float(single.region[0, 2])
        torch.testing.assert_close(posterior.samples[i] / side, own.samples[0] / side, atol=1e-4, rtol=0)


def test_a_step_leaves_its_state_alone(untrained_weights: Path, frames: list[np.ndarray]) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu")
    state = tracker.start([frames[0]], BOXES[:1])
    before = [part.clone() for part in (*state.first, *state.template, *state[2:])]
    step(tracker.engine, state, crop([frames[1]], state.region, 256), tracker.config)
    assert all(torch.equal(a, b) for a, b in zip(before, (*state.first, *state.template, *state[2:]), strict=True))


def test_same_seed_same_boxes_other_seed_other_samples(untrained_weights: Path, frames: list[np.ndarray]) -> None:
    def run(seed: int) -> list[torch.Tensor]:
        tracker = ebtrack.load(untrained_weights, device="cpu", seed=seed)
        tracker.init(frames[0], BOXES[0])
        tracks = [tracker.update(frame) for frame in frames[1:]]
        return [track.posterior.samples for track in tracks if isinstance(track, ebtrack.Track)]

    first, again, other = run(1), run(1), run(2)
    assert len(first) == 2
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_base_noise_is_uniform_and_a_function_of_seed_and_counter() -> None:
    seed, counter = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0])
    noise = base_noise(seed, counter, 256, 5)
    assert noise.shape == (256, 3, 5)
    assert float(noise.min()) >= 0
    assert float(noise.max()) < 1
    assert torch.equal(noise[:, 1:2], base_noise(seed[1:2], counter[1:2], 256, 5))
    assert not torch.equal(noise[:, 0], noise[:, 1])
    assert not torch.equal(noise[:, 0], noise[:, 2])
    # A low-discrepancy set: every sixteenth of every axis gets its sixteen samples, within one.
    counts = torch.stack([torch.histc(noise[:, i, d], 16, 0, 1) for i in range(3) for d in range(5)])
    assert float((counts - 16).abs().max()) <= 2
    shifts = base_noise(torch.zeros(4000, dtype=torch.int64), torch.arange(4000), 1, 5)[0]
    torch.testing.assert_close(shifts.mean(0), torch.full((5,), 0.5), atol=0.02, rtol=0)
    assert float(torch.corrcoef(shifts.T).fill_diagonal_(0).abs().max()) < 0.06


def test_ascent_nears_the_peak_of_a_normal_and_never_falls() -> None:
    peak, variance = torch.tensor([0.1, -0.1, -1.4, -1.2]), torch.tensor([0.01, 0.01, 0.04, 0.04]).expand(1, 2, 4)
    score = FunctionScores(lambda at: -0.5 * ((at - peak) ** 2 / variance[0, 0]).sum(-1))
    start = peak + 0.8 * variance.sqrt() * torch.tensor([[[1.0, -1.0, 1.0, 1.0], [-1.0, 0.5, 0.2, -1.0]]])
    near = min(abs(1 - length) for length in LENGTHS)
    for steps in range(4):
        end = ascend(score, start, variance, steps)
        torch.testing.assert_close((end.boxes - peak).abs(), (start - peak).abs() * near**steps, atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(end.value, score(end.boxes))
    # Steps ten times too long.
    values = [ascend(score, start, 10 * variance, steps).value for steps in range(6)]
    assert all(bool((later >= earlier).all()) for earlier, later in itertools.pairwise(values))
    assert bool((values[-1] > values[0]).all())
    at_peak = peak.expand(1, 1, 4)
    assert torch.equal(ascend(score, at_peak, variance[:, :1], 2).boxes, at_peak)


def test_the_motion_prior_prefers_the_path_and_forgives_jumps() -> None:
    last, scale = torch.tensor([[0.0, 0.0, -1.4, -1.4]]), torch.tensor([[0.2, 0.3]])
    boxes = torch.tensor(
        [[[0.0, 0.0, -1.4, -1.4], [0.1, 0.0, -1.4, -1.4], [0.4, 0.0, -1.4, -1.4], [0.0, 0.0, -0.9, -1.4]]]
    )
    here, near, far, bigger = log_motion(boxes, last, scale)[0].tolist()
    assert here == 0
    assert 0 > near > far > -4
    assert bigger < 0


def test_boxes_are_kept_sane() -> None:
    wild = torch.tensor([[-50.0, 500.0, 1.0, 9000.0], [30.0, 30.0, 20.0, 20.0]])
    sane = keep_sane(wild, torch.tensor([[320.0, 240.0], [320.0, 240.0]]))
    torch.testing.assert_close(sane, torch.tensor([[0.0, 240.0, 4.0, 240.0], [30.0, 30.0, 20.0, 20.0]]))


def test_the_motion_priors_gradient_is_its_derivative_and_vanishes_where_nothing_is_known() -> None:
    boxes = torch.randn(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    last = boxes[:, 0].detach() + 0.1
    scale = torch.tensor([[0.2, 0.3], [0.05, 1.0], [torch.inf, torch.inf]], dtype=torch.float64)
    expected = log_motion(boxes, last, scale)
    (gradient,) = torch.autograd.grad(expected.sum(), boxes)
    value, found = log_motion_with_gradient(boxes.detach(), last, scale).split((1, 4), -1)
    torch.testing.assert_close(value.squeeze(-1), expected.detach())
    torch.testing.assert_close(found, gradient)
    assert not value[2].any()
    assert not found[2].any()
