"""The joint objective against closed forms for normal f and q, in one dimension and in four."""

import math

import pytest
import torch
from torch import Tensor

from ltr_train.objective import Objective, joint_objective, presence_loss
from networks.distributions import BroadBoxes, DefensiveMixture, DenseMixture

COUNT = 200_000


class Broad(BroadBoxes):
    """The defence, in any dimension: normal about 0 with deviation 3."""

    def draw(self, uniform: Tensor, normal: Tensor) -> Tensor:
        return 3 * normal

    def log_prob(self, value: Tensor) -> Tensor:
        return torch.distributions.Normal(0.0, 3.0).log_prob(value).sum(-1)


class Gaussian:
    """f(y) = c - sum_d a_d (y_d - m_d)^2 / 2 and q = N(mean, diag exp(log_deviation)^2), float64."""

    def __init__(self, dimensions: int) -> None:
        def vector(*values: float) -> Tensor:
            return torch.tensor(values[:dimensions], dtype=torch.float64, requires_grad=True)

        self.a = vector(4.0, 1.5, 2.0, 3.0)
        self.m = vector(0.3, -0.2, 0.0, 0.1)
        self.c = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        self.mean = vector(0.1, 0.1, -0.1, 0.2)
        self.log_deviation = vector(math.log(0.8), math.log(1.0), math.log(0.9), math.log(0.7))
        self.label = vector(0.2, 0.0, 0.1, -0.1).detach()

    def f(self, y: Tensor) -> Tensor:
        return self.c - 0.5 * (self.a * (y - self.m) ** 2).sum(-1)

    def objective(self, weight: float = 0.0, count: int = COUNT, seed: int = 0) -> Objective:
        q = DenseMixture(torch.zeros(1, 1), self.mean[None, None], self.log_deviation.exp()[None, None])
        sampler = DefensiveMixture(q, Broad((1,), 0.0, 1.0), weight) if weight else None
        generator = torch.Generator().manual_seed(seed)
        noise = torch.rand(count, 1, 1 + len(self.m), generator=generator, dtype=torch.float64)
        samples = (sampler or q).from_uniform(noise)
        label = self.label[None]
        return joint_objective(self.f(label), self.f(samples).T, label, samples, q, sampler)

    def divergence(self) -> Tensor:
        """KL(p || q) in closed form, p the normal that f describes."""
        s2, r = 1 / self.a, self.log_deviation.exp()
        return (self.log_deviation + 0.5 * self.a.log() + (s2 + (self.m - self.mean) ** 2) / (2 * r**2) - 0.5).sum()

    def log_z(self) -> Tensor:
        """Closed form of the integral of exp f."""
        return self.c + 0.5 * (math.log(2 * math.pi) - self.a.log()).sum()


def close(ours: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(ours, expected, atol=tolerance, rtol=0)


DIMENSIONS = pytest.mark.parametrize("dimensions", [1, 4])
DEFENCE = pytest.mark.parametrize("weight", [0.0, 0.2])


@DIMENSIONS
@DEFENCE
def test_log_z_and_effective_kl(dimensions: int, weight: float) -> None:
    model = Gaussian(dimensions)
    terms = model.objective(weight)
    close(terms.log_z[0], model.log_z(), 0.02)
    close(terms.effective_kl[0], model.divergence().detach(), 0.02)


@DIMENSIONS
@DEFENCE
def test_the_proposals_gradient_is_that_of_the_divergence(dimensions: int, weight: float) -> None:
    model = Gaussian(dimensions)
    phi = (model.mean, model.log_deviation)
    kl = model.objective(weight).kl.sum()
    for ours, exact in zip(
        torch.autograd.grad(kl, phi, retain_graph=True), torch.autograd.grad(model.divergence(), phi), strict=True
    ):
        close(ours, exact, 0.04)
    assert torch.autograd.grad(kl, model.a, allow_unused=True)[0] is None


@DIMENSIONS
@DEFENCE
def test_the_energys_gradient_is_that_of_the_likelihood(dimensions: int, weight: float) -> None:
    model = Gaussian(dimensions)
    theta = (model.a, model.m, model.c)
    terms = model.objective(weight)
    exact = (model.log_z() - model.f(model.label)).sum()
    importance = terms.energy("importance").sum()
    close(importance, exact, 0.02)
    expected_gradients = torch.autograd.grad(exact, theta)
    for ours, expected in zip(
        torch.autograd.grad(importance, theta, retain_graph=True), expected_gradients, strict=True
    ):
        close(ours, expected, 0.02)
    # With many samples the label is one among them, so that ranking has the same gradient.
    ranked = torch.autograd.grad(terms.energy("nce").sum(), theta, retain_graph=True)
    for ours, expected in zip(ranked, expected_gradients, strict=True):
        close(ours, expected, 0.02)
    phi = (model.mean, model.log_deviation)
    for loss in (importance, terms.nce.sum(), terms.log_z.sum()):
        assert not any(g is not None for g in torch.autograd.grad(loss, phi, allow_unused=True, retain_graph=True))


@DIMENSIONS
def test_the_plain_likelihood_of_the_proposal(dimensions: int) -> None:
    model = Gaussian(dimensions)
    r = model.log_deviation.exp()
    exact = (0.5 * ((model.label - model.mean) / r) ** 2 + model.log_deviation + 0.5 * math.log(2 * math.pi)).sum()
    close(model.objective().nll[0], exact, 1e-9)


@pytest.mark.parametrize("count", [8, 1024])
def test_without_the_detach_of_the_draw_the_proposals_gradient_shrinks_and_turns(count: int) -> None:
    """p = N(0, 1), q = N(mu, 1) at mu = 1: the gradient of KL(p || q) in mu is +1."""
    repeats = 2_500_000 // count
    noise = torch.randn(repeats, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mu = torch.ones(repeats, 1, dtype=torch.float64, requires_grad=True)

    samples = (mu + noise).detach()
    q = DenseMixture(torch.zeros_like(mu), mu.unsqueeze(-1), torch.ones_like(mu).unsqueeze(-1))
    label = torch.zeros(repeats, 1, dtype=torch.float64)
    terms = joint_objective(label[:, 0], -0.5 * samples**2, label, samples.T.unsqueeze(-1), q)
    (detached,) = torch.autograd.grad(terms.kl.sum(), mu)
    assert float(detached.mean()) == pytest.approx(1.0, abs=0.35 if count == 8 else 0.05)

    drawn = mu + noise
    log_ratio = -0.5 * drawn**2 + 0.5 * (drawn - mu) ** 2
    (attached,) = torch.autograd.grad((torch.logsumexp(log_ratio, 1) - math.log(count)).sum(), mu)
    # -0.23 at 8 samples, -0.002 at 1024: by 1/M, and of the wrong sign.
    assert float(attached.mean()) == pytest.approx(-2.0 / count, rel=0.6)


def test_samples_that_carry_a_gradient_are_refused() -> None:
    q = DenseMixture(torch.zeros(1, 1), torch.zeros(1, 1, 1, requires_grad=True), torch.ones(1, 1, 1))
    with pytest.raises(ValueError, match="detach"):
        joint_objective(torch.zeros(1), torch.zeros(1, 3), torch.zeros(1, 1), q.loc.expand(3, 1, 1) + 1, q)


def test_the_defensive_mixture_still_teaches_a_mode_that_the_proposal_misses() -> None:
    """f has its mode at 6, q is N(0, 0.5^2): no draw of q ever comes near."""
    mean = torch.zeros(1, 1, 1, dtype=torch.float64, requires_grad=True)
    q = DenseMixture(torch.zeros(1, 1, dtype=torch.float64), mean, torch.full_like(mean, 0.5).detach())
    sampler = DefensiveMixture(q, Broad((1,), 0.0, 1.0), 0.1)
    noise = torch.rand(20_000, 1, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    samples = sampler.from_uniform(noise)
    label = torch.full((1, 1), 6.0, dtype=torch.float64)

    def f(y: Tensor) -> Tensor:
        return -0.5 * ((y - 6.0) / 0.5).square().sum(-1)

    terms = joint_objective(f(label), f(samples).T, label, samples, q, sampler)
    # Of KL(p || q) in the mean: (0 - 6) / 0.5^2.
    (plain,) = torch.autograd.grad(terms.kl.sum(), mean)
    assert float(plain) == pytest.approx(-24.0, rel=0.05)
    (gated,) = torch.autograd.grad((f(samples) - sampler.log_prob(samples)).logsumexp(0).sum(), mean)
    assert abs(float(gated)) < 1e-6


def test_ranking_does_not_see_the_level_of_f_and_log_z_does() -> None:
    model = Gaussian(1)
    before = model.objective(count=2000)
    (gradient,) = torch.autograd.grad(before.nce.sum(), model.c)
    assert float(gradient) == pytest.approx(0.0, abs=1e-9)
    with torch.no_grad():
        model.c += 300.0
    after = model.objective(count=2000)
    assert float(after.nce.detach()) == pytest.approx(float(before.nce.detach()), abs=1e-6)
    assert float(after.log_z.detach()) == pytest.approx(float(before.log_z.detach()) + 300.0, abs=1e-6)


def test_the_effective_sample_size_is_one_where_the_proposal_is_the_model() -> None:
    model = Gaussian(4)
    with torch.no_grad():
        model.mean.copy_(model.m)
        model.log_deviation.copy_(-0.5 * model.a.log())
    assert float(model.objective(count=500).ess) == pytest.approx(1.0, abs=1e-9)


def test_presence_is_a_cross_entropy_with_gradient_into_f_and_null() -> None:
    log_z = torch.tensor([3.0, -1.0], requires_grad=True)
    null = torch.tensor([1.0, 1.0], requires_grad=True)
    loss = presence_loss(log_z, null, torch.tensor([True, False]))
    expected = torch.tensor([math.log1p(math.exp(-2)), math.log1p(math.exp(-2))])
    torch.testing.assert_close(loss.detach(), expected)
    loss.sum().backward()
    assert log_z.grad is not None
    assert null.grad is not None
    assert log_z.grad[0] < 0 < log_z.grad[1]
    torch.testing.assert_close(log_z.grad, -null.grad)
