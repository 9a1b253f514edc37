"""The joint objective against closed forms for normal f and q in one dimension."""

import math

import pytest
import torch
from torch import Tensor

from ltr_train.objective import Objective, joint_objective, presence_loss

COUNT = 400_000


def normal(y: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return -0.5 * ((y - mean) / deviation) ** 2 - deviation.log() - 0.5 * math.log(2 * math.pi)


def evaluate(theta: Tensor, phi: Tensor, label: float, weight: float = 0.0) -> Objective:
    """f = -a (y - m)^2 / 2 + c, theta = (a, m, c); q = N(phi[0], exp(phi[1])); the sampler is q defended by N(0, 3)."""
    a, m, c = theta
    mean, deviation = phi[0], phi[1].exp()
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, COUNT, generator=generator, dtype=torch.float64)
    broad = torch.rand(1, COUNT, generator=generator, dtype=torch.float64) < weight
    y = torch.where(broad, 3 * noise, (mean + deviation * noise).detach())
    y_label = torch.tensor([label], dtype=torch.float64)

    def f(at: Tensor) -> Tensor:
        return -0.5 * a * (at - m) ** 2 + c

    def sampler(at: Tensor) -> Tensor:
        q = normal(at, mean, deviation)
        if weight == 0:
            return q
        u = normal(at, torch.zeros((), dtype=torch.float64), torch.tensor(3.0, dtype=torch.float64))
        return torch.logaddexp(math.log(1 - weight) + q, math.log(weight) + u)

    q_label, q_y = normal(y_label, mean, deviation), normal(y, mean, deviation)
    return joint_objective(f(y_label), f(y), sampler(y_label), sampler(y), q_label, q_y)


@pytest.fixture
def theta() -> Tensor:
    return torch.tensor([4.0, 0.3, 2.0], dtype=torch.float64, requires_grad=True)


@pytest.fixture
def phi() -> Tensor:
    return torch.tensor([0.1, math.log(0.8)], dtype=torch.float64, requires_grad=True)


def test_log_z_and_effective_kl(theta: Tensor, phi: Tensor) -> None:
    terms = evaluate(theta, phi, 0.2)
    # Z is that of a normal of variance 1/a, scaled by exp c.
    assert float(terms.log_z.detach()) == pytest.approx(2.0 + 0.5 * math.log(2 * math.pi / 4), abs=0.01)
    s, r = 0.5, 0.8
    kl = math.log(r / s) + (s**2 + 0.2**2) / (2 * r**2) - 0.5
    assert float(terms.effective_kl) == pytest.approx(kl, abs=0.01)


@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_gradient_of_the_proposal_is_that_of_the_divergence(theta: Tensor, phi: Tensor, weight: float) -> None:
    terms = evaluate(theta, phi, 0.2, weight)
    (gradient,) = torch.autograd.grad(terms.kl.sum(), phi, retain_graph=True)
    # KL(p || q) of two normals; p = N(0.3, 0.25).
    s2, r, d = 0.25, 0.8, 0.3 - 0.1
    expected = torch.tensor([-d / r**2, 1 - (s2 + d**2) / r**2], dtype=torch.float64)
    torch.testing.assert_close(gradient, expected, atol=0.02, rtol=0)
    assert torch.autograd.grad(terms.kl.sum(), theta, allow_unused=True)[0] is None


@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_gradient_of_log_z_is_the_expected_score_gradient(theta: Tensor, phi: Tensor, weight: float) -> None:
    terms = evaluate(theta, phi, 0.2, weight)
    on_theta, on_phi = torch.autograd.grad(terms.log_z.sum(), (theta, phi), allow_unused=True)
    # E_p of (-(y - m)^2 / 2, a (y - m), 1).
    torch.testing.assert_close(on_theta, torch.tensor([-0.125, 0.0, 1.0], dtype=torch.float64), atol=0.01, rtol=0)
    assert on_phi is None


def test_nce_ranks_the_label_and_does_not_see_the_level_of_f(theta: Tensor, phi: Tensor) -> None:
    near, far = evaluate(theta, phi, 0.3), evaluate(theta, phi, 2.0)
    assert float(near.nce.detach()) < float(far.nce.detach())
    (gradient,) = torch.autograd.grad(near.nce.sum(), theta)
    assert float(gradient[2]) == pytest.approx(0.0, abs=1e-9)
    lifted = evaluate(theta.detach() + torch.tensor([0.0, 0.0, 300.0]), phi, 0.3)
    assert float(lifted.nce) == pytest.approx(float(near.nce.detach()), abs=1e-6)
    assert float(lifted.log_z) == pytest.approx(float(near.log_z.detach()) + 300.0, abs=1e-6)


def test_effective_sample_size_is_one_where_q_is_p(theta: Tensor) -> None:
    same = torch.tensor([0.3, math.log(0.5)], dtype=torch.float64)
    assert float(evaluate(theta, same, 0.2).ess) == pytest.approx(1.0, abs=1e-9)


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
