"""The samplers: densities that integrate to one, draws that follow them."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from networks.distributions import BroadBoxes, DefensiveMixture, DenseMixture


def mixture(d: int, n: int = 1, k: int = 5) -> DenseMixture:
    generator = torch.Generator().manual_seed(3)
    return DenseMixture(
        torch.randn(n, k, generator=generator, dtype=torch.float64),
        torch.randn(n, k, d, generator=generator, dtype=torch.float64),
        torch.rand(n, k, d, generator=generator, dtype=torch.float64) * 0.4 + 0.1,
    )


@pytest.mark.parametrize("d", [1, 2])
def test_the_proposal_integrates_to_one(d: int) -> None:
    q = mixture(d)
    axis = torch.linspace(-6, 6, 1201, dtype=torch.float64)
    grid = torch.cartesian_prod(*[axis] * d).reshape(-1, 1, d)
    total = q.log_prob(grid).exp().sum() * float(axis[1] - axis[0]) ** d
    assert float(total) == pytest.approx(1.0, abs=1e-6)


def test_the_log_density_and_its_gradients_are_those_of_torch_in_double_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    n, k = 3, 64
    parts = [
        torch.randn(n, k, generator=generator) * 2,
        torch.rand(n, k, 4, generator=generator) * torch.tensor([1.0, 1.0, 2.0, 2.0]) - torch.tensor([0.5, 0.5, 2, 2]),
        # From the sharpest component that a network can give to a broad one.
        torch.exp(torch.rand(n, k, 4, generator=generator) * 4 - 5),
    ]
    single = [part.clone().requires_grad_() for part in parts]
    double = [part.double().requires_grad_() for part in parts]
    q = DenseMixture(single[0], single[1], single[2])
    reference = MixtureSameFamily(
        Categorical(logits=double[0], validate_args=False),
        Independent(Normal(double[1], double[2], validate_args=False), 1, validate_args=False),
        validate_args=False,
    )
    values = torch.cat((q.sample((6, 5), generator), torch.randn(6, 1, n, 4, generator=generator)), 1)
    found, expected = q.log_prob(values), reference.log_prob(values.double())
    assert found.shape == (6, 6, n)
    torch.testing.assert_close(found.double(), expected, atol=5e-3, rtol=1e-5)
    found.sum().backward()
    expected.sum().backward()
    for mine, theirs in zip(single, double, strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        difference = (mine.grad.double() - theirs.grad).norm()
        assert float(difference) < 1e-3 * float(theirs.grad.norm())


def test_moments_of_samples_match_the_analytic_ones() -> None:
    q = mixture(4, n=2)
    samples = q.sample((200_000,), torch.Generator().manual_seed(0))
    assert samples.shape == (200_000, 2, 4)
    torch.testing.assert_close(samples.mean(0), q.mean, atol=0.01, rtol=0)
    torch.testing.assert_close(samples.var(0), q.variance, atol=0.02, rtol=0)


def test_samples_choose_components_by_their_weights() -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64).log()
    loc = torch.tensor([[[-10.0], [0.0], [10.0]]], dtype=torch.float64)
    q = DenseMixture(logits, loc, torch.full((1, 3, 1), 0.1, dtype=torch.float64))
    uniform = torch.stack((torch.linspace(0, 1, 1001, dtype=torch.float64)[:-1], torch.full((1000,), 0.5)), -1)
    drawn = q.from_uniform(uniform.unsqueeze(1)).flatten()
    shares = [float((drawn - at).abs().lt(1).double().mean()) for at in (-10, 0, 10)]
    assert shares == pytest.approx([0.2, 0.5, 0.3], abs=2e-3)


def test_same_generator_same_draw_and_no_gradient() -> None:
    q = mixture(4)
    q.loc.requires_grad_()
    first = q.sample((7,), torch.Generator().manual_seed(5))
    second = q.sample((7,), torch.Generator().manual_seed(5))
    assert torch.equal(first, second)
    assert not first.requires_grad


def test_the_broad_component_integrates_to_one_over_plausible_boxes() -> None:
    u = BroadBoxes((1,), math.log(0.25), 0.6)
    size = torch.linspace(-7, 4, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(size, size)
    value = torch.cat((torch.zeros(len(grid), 2, dtype=torch.float64), grid), 1).unsqueeze(1)
    # The centre is uniform over an area of one.
    assert float(u.log_prob(value).exp().sum() * (size[1] - size[0]) ** 2) == pytest.approx(1.0, abs=1e-4)
    assert float(u.log_prob(torch.tensor([[0.6, 0.0, -1.4, -1.4]]))) == -math.inf


def test_the_defensive_mixture_weighs_and_draws_both_parts() -> None:
    q = DenseMixture(torch.zeros(1, 1), torch.tensor([[[0.3, 0.3, -1.4, -1.4]]]), torch.full((1, 1, 4), 0.01))
    u = BroadBoxes((1,), math.log(0.25), 0.6)
    defended = DefensiveMixture(q, u, 0.1)
    y = torch.tensor([[[0.301, 0.3, -1.4, -1.39]], [[-0.2, 0.1, -1.0, -2.0]]])
    expected = torch.log(0.9 * q.log_prob(y).exp() + 0.1 * u.log_prob(y).exp())
    torch.testing.assert_close(defended.log_prob(y), expected)
    drawn = defended.from_uniform(torch.rand(20_000, 1, 5, generator=torch.Generator().manual_seed(0)))
    far = (drawn[..., :2] - 0.3).abs().amax(-1) > 0.06
    assert float(far.float().mean()) == pytest.approx(0.1 * (1 - 0.12**2), abs=0.01)
    weights = q.log_prob(drawn) - defended.log_prob(drawn)
    assert float(weights.max()) <= -math.log(0.9) + 1e-5
