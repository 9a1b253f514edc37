"""Scores of boxes: the analytic gradients against autograd in double precision, and the energy head's own layers."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from networks.distributions import DenseMixture
from networks.energy import BoxScores, EnergyHead, EnergyScores, ProposalScores
from networks.pooling import roi_pool

N, K, CHANNELS, BINS, WIDTH = 2, 6, 3, 3, 16


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def head() -> EnergyHead:
    torch.manual_seed(0)
    return EnergyHead(CHANNELS, BINS, WIDTH).double()


def energy(head: EnergyHead) -> EnergyScores:
    return EnergyScores(head, normal(N, CHANNELS, BINS, BINS), normal(N, WIDTH), normal(N, CHANNELS, 8, 8))


def proposal(_: EnergyHead) -> ProposalScores:
    return ProposalScores(DenseMixture(normal(N, 20), 0.5 * normal(N, 20, 4), normal(N, 20, 4, seed=1).exp()))


def boxes() -> Tensor:
    return torch.tensor([0.0, 0.0, -1.2, -1.2]) + 0.3 * normal(N, K, 4, seed=3)


@pytest.mark.parametrize("scores_of", [energy, proposal])
def test_value_and_gradient_are_those_of_the_score(head: EnergyHead, scores_of: Callable[..., BoxScores]) -> None:
    scores, at = scores_of(head), boxes().requires_grad_()
    expected = scores(at)
    (gradient,) = torch.autograd.grad(expected.sum(), at)
    value, found = scores.with_gradient(at.detach()).split((1, 4), -1)
    torch.testing.assert_close(value.squeeze(-1), expected.detach())
    torch.testing.assert_close(found, gradient)
    assert float(gradient.abs().amin()) > 0


def test_the_hidden_layer_sees_the_features_and_their_product_with_the_target(head: EnergyHead) -> None:
    modulation, bias, search = normal(N, CHANNELS, BINS, BINS), normal(N, WIDTH), normal(N, CHANNELS, 8, 8)
    pooled = roi_pool(search, boxes(), BINS).permute(0, 1, 4, 2, 3)
    both = torch.cat(((pooled * modulation.unsqueeze(1)).flatten(2), pooled.flatten(2)), -1)
    expected = head.out(head.hidden(both) + bias.unsqueeze(1)).squeeze(-1)
    torch.testing.assert_close(EnergyScores(head, modulation, bias, search)(boxes()), expected)
