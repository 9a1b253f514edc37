"""Training many seeds at once, and the networks and the mixture that are trained."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.func import vmap

from ltr_train.objective import joint_objective
from ltr_train.regression.ensemble import TOGETHER, Ensemble, Recipe, uniform
from ltr_train.regression.methods import Method, Setting, settings
from ltr_train.regression.networks import DEVIATION, HIDDEN, EnergyHead, ProposalHead, ScalarFeatures, ScalarMixture
from ltr_train.regression.problems import Problem, problem_2
from networks.distributions import DenseMixture


@pytest.fixture(scope="module")
def small() -> Problem:
    """Problem 2 with few examples, test inputs and values in the grid."""
    whole = problem_2()
    assert whole.label_index is not None
    return replace(
        whole,
        x=whole.x[:80],
        y=whole.y[:80],
        test_x=whole.test_x[:20],
        grid=whole.grid[::16],
        label_index=whole.label_index[:20] // 16,
    )


def trained(problem: Problem, setting: Setting, seeds: list[int], epochs: int = 2, rate: float = 1e-3) -> list[Tensor]:
    ensemble = Ensemble(problem, setting, seeds)
    recipe = Recipe(epochs=epochs, samples=64, learning_rate=rate)
    assert list(ensemble.train(recipe)) == list(range(1, epochs + 1))
    return list(ensemble.log_densities())


@pytest.mark.parametrize("method", list(Method))
def test_seeds_together_are_each_as_alone(small: Problem, method: Method) -> None:
    setting = settings([method], [3])[0]
    seeds = list(range(TOGETHER + 1))
    together = trained(small, setting, seeds, rate=0.01)
    for seed in (0, 1, TOGETHER):
        (alone,) = trained(small, setting, [seed], rate=0.01)
        torch.testing.assert_close(together[seed], alone, rtol=1e-3, atol=1e-3)
    assert (together[0] - together[1]).abs().max() > 0.1


@pytest.mark.parametrize("method", list(Method))
def test_training_lowers_the_score_and_densities_integrate_to_one(small: Problem, method: Method) -> None:
    setting = settings([method], [3])[0]
    early, late = (trained(small, setting, [0], epochs, rate=0.01)[0] for epochs in (1, 25))
    assert small.score(late.numpy()) < small.score(early.numpy()) - 0.1
    mass = late.double().exp().sum(1) * small.spacing
    # An energy model has no mass beyond the grid; a mixture may have a little.
    torch.testing.assert_close(mass, torch.ones_like(mass), atol=1e-4 if method.evaluates_energy else 0.1, rtol=0)
    assert float(mass.max()) < 1 + 1e-4


def test_what_learns_from_what(small: Problem) -> None:
    """The proposal head leaves the features alone in `joint`, and has its own in `teacher`."""
    x, y = small.x[:8].unsqueeze(0), small.y[:8].unsqueeze(0)
    noise = uniform([torch.Generator().manual_seed(0)], (8, 16))
    touched: dict[tuple[Method, str], set[str]] = {}
    for method in (Method.JOINT, Method.TEACHER, Method.MDN):
        part = Ensemble(small, Setting(method, 3), [0]).parts[0]
        terms = part.objective(x, y, noise)
        for name, loss in (("nce", terms.nce), ("kl", terms.kl), ("nll", terms.nll)):
            parameters = part.parameters()
            if loss.requires_grad:
                gradients = torch.autograd.grad(loss.sum(), parameters, retain_graph=True, allow_unused=True)
                known = dict(zip(map(id, parameters), gradients, strict=True))
                touched[method, name] = {
                    network
                    for network, stacked in part.networks.items()
                    if any(known[id(tensor)] is not None for tensor in stacked.parameters.values())
                }
    assert touched[Method.JOINT, "nce"] == touched[Method.TEACHER, "nce"] == {"features", "energy"}
    assert touched[Method.JOINT, "kl"] == {"proposal"}
    assert touched[Method.TEACHER, "kl"] == touched[Method.TEACHER, "nll"] == {"student_features", "proposal"}
    assert touched[Method.MDN, "nll"] == {"features", "proposal"}


def test_settings_are_without_doubles() -> None:
    assert settings([Method.JOINT, Method.FIXED_NOISE, Method.JOINT], [1, 4]) == [
        Setting(Method.JOINT, 1),
        Setting(Method.JOINT, 4),
        Setting(Method.FIXED_NOISE, None),
    ]
    assert [setting.name for setting in settings([Method.MDN, Method.FIXED_NOISE], [2])] == ["mdn-k2", "fixed-noise"]


def test_scalar_mixture_is_the_dense_mixture() -> None:
    torch.manual_seed(0)
    parts = [torch.randn(6, 3, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    y = 3 * torch.randn(50, 6, 1, dtype=torch.float64)
    fast = ScalarMixture(parts[0], parts[1], parts[2].exp()).log_prob(y)
    plain = DenseMixture(parts[0], parts[1].unsqueeze(-1), parts[2].exp().unsqueeze(-1)).log_prob(y)
    torch.testing.assert_close(fast, plain)
    gradients = zip(*(torch.autograd.grad(log.square().sum(), parts) for log in (fast, plain)), strict=True)
    for own, expected in gradients:
        torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-4)


def test_energy_head_is_the_network_of_its_layers() -> None:
    torch.manual_seed(0)
    head = EnergyHead(torch.randn(30, 7), torch.randn(30))
    torch.nn.init.normal_(head.score.weight)
    features, y = torch.randn(5, 7), torch.randn(5, 11)
    with torch.no_grad():
        value = head.value_2(head.value_1(y.unsqueeze(-1)).relu()).relu()
        h = head.joint(torch.cat((value, features.unsqueeze(1).expand(-1, 11, -1)), -1)).relu()
        expected = head.score(head.residual(h).relu() + h).squeeze(-1)
        torch.testing.assert_close(head(features, y), expected, rtol=1e-4, atol=1e-5)


def test_every_unit_bends_inside_the_data_at_the_start() -> None:
    torch.manual_seed(0)
    inputs = torch.rand(200, 1) * 0.1 + 5
    layers = ScalarFeatures(inputs).layers
    for sums in (layers[0](inputs), layers[:3](inputs)):
        # One unit is active for up to a tenth of the data, one for up to two tenths, ...
        active = (sums > 0).float().mean(0).sort().values
        tenths = torch.arange(HIDDEN) / HIDDEN
        assert bool((active >= tenths - 0.01).all())
        assert bool((active <= tenths + 0.11).all())
        torch.testing.assert_close(sums.std(0), torch.full((HIDDEN,), DEVIATION))


def test_first_proposal_covers_the_labels() -> None:
    torch.manual_seed(0)
    labels = torch.cat((torch.full((50,), 8.0), torch.full((50,), -4.0))) + 0.1 * torch.randn(100)
    features = torch.rand(100, HIDDEN)
    q = ScalarMixture(*ProposalHead(HIDDEN, 4, labels)(features))
    assert float(q.log_prob(labels.view(1, -1, 1)).detach().min()) > -5


def test_objective_runs_under_vmap() -> None:
    torch.manual_seed(0)
    f, label, samples = torch.randn(3, 5, 17), torch.randn(3, 5, 1), torch.randn(3, 16, 5, 1)
    parts = (torch.randn(3, 5, 2), torch.randn(3, 5, 2), torch.rand(3, 5, 2) + 0.5)

    def one(f: Tensor, label: Tensor, samples: Tensor, *parts: Tensor) -> tuple[Tensor, ...]:
        return tuple(joint_objective(f[:, 0], f[:, 1:], label, samples, ScalarMixture(*parts)))

    together = vmap(one)(f, label, samples, *parts)
    for seed in range(3):
        alone = one(f[seed], label[seed], samples[seed], *(part[seed] for part in parts))
        for mine, term in zip(together, alone, strict=True):
            torch.testing.assert_close(mine[seed], term)
