"""The posterior against closed forms."""

import math

import pytest
import torch

from networks.posterior import Posterior


@pytest.fixture(scope="module")
def normal() -> Posterior:
    """Samples of N((1, -2), ((0.5, 0.2), (0.2, 0.3))) drawn from a wider independent normal, log Z = 1.5."""
    covariance = torch.tensor([[0.5, 0.2], [0.2, 0.3]], dtype=torch.float64)
    truth = torch.distributions.MultivariateNormal(torch.tensor([1.0, -2.0], dtype=torch.float64), covariance)
    proposal = torch.distributions.Normal(torch.tensor([1.0, -2.0], dtype=torch.float64), 1.2)
    torch.manual_seed(0)
    samples = proposal.sample((100_000,))
    ratio = truth.log_prob(samples) + 1.5 - proposal.log_prob(samples).sum(-1)
    return Posterior.from_scores(samples, ratio, torch.tensor(0.5, dtype=torch.float64))


def test_moments_evidence_and_presence(normal: Posterior) -> None:
    torch.testing.assert_close(normal.mean, torch.tensor([1.0, -2.0], dtype=torch.float64), atol=0.02, rtol=0)
    expected = torch.tensor([[0.5, 0.2], [0.2, 0.3]], dtype=torch.float64)
    torch.testing.assert_close(normal.covariance, expected, atol=0.02, rtol=0)
    assert float(normal.log_z) == pytest.approx(1.5, abs=0.02)
    assert float(normal.presence) == pytest.approx(1 / (1 + math.exp(-1.0)), abs=0.01)
    assert float(normal.weights.sum()) == pytest.approx(1.0)


@pytest.mark.parametrize(("level", "z"), [(0.5, 0.6745), (0.9, 1.6449), (0.95, 1.96)])
def test_intervals_are_those_of_the_normal(normal: Posterior, level: float, z: float) -> None:
    low, high = normal.interval(level)
    deviation = torch.tensor([0.5, 0.3], dtype=torch.float64).sqrt()
    torch.testing.assert_close(high, normal.mean + z * deviation, atol=0.03, rtol=0)
    torch.testing.assert_close(low, normal.mean - z * deviation, atol=0.03, rtol=0)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_an_impossible_level_is_an_error(normal: Posterior, level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        normal.interval(level)


def test_density_integrates_to_one_and_peaks_at_the_mode() -> None:
    torch.manual_seed(1)
    samples = torch.randn(1000, 1, dtype=torch.float64)
    posterior = Posterior.from_scores(samples, torch.zeros(1000, dtype=torch.float64), torch.tensor(0.0))
    axis = torch.linspace(-6, 6, 2001, dtype=torch.float64).unsqueeze(1)
    density = posterior.density(axis)
    assert float(density.sum() * 12 / 2000) == pytest.approx(1.0, abs=1e-3)
    assert float(density.max()) == pytest.approx(1 / math.sqrt(2 * math.pi), abs=0.05)


def test_effective_sample_size_at_its_two_ends() -> None:
    samples = torch.randn(2, 64, 3)
    equal_then_one = torch.zeros(2, 64)
    equal_then_one[1, 5] = 200.0
    posterior = Posterior.from_scores(samples, equal_then_one, torch.zeros(2))
    torch.testing.assert_close(posterior.ess, torch.tensor([64.0, 1.0]))
    torch.testing.assert_close(posterior[1].mean, samples[1, 5])


def test_presence_does_not_change_when_score_and_null_shift_together() -> None:
    samples, ratio = torch.randn(32, 4), torch.randn(32)
    a = Posterior.from_scores(samples, ratio, torch.tensor(2.0))
    b = Posterior.from_scores(samples, ratio + 365.0, torch.tensor(367.0))
    torch.testing.assert_close(a.presence, b.presence, atol=1e-4, rtol=0)
    torch.testing.assert_close(a.log_weights, b.log_weights, atol=1e-4, rtol=0)


def test_map_moves_samples_and_keeps_the_mass() -> None:
    posterior = Posterior.from_scores(torch.randn(50, 4), torch.randn(50), torch.tensor(0.0))
    doubled = posterior.map(lambda y: 2 * y)
    torch.testing.assert_close(doubled.mean, 2 * posterior.mean)
    assert torch.equal(doubled.log_weights, posterior.log_weights)
