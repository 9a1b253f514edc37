"""Training the networks of many seeds at once.

Each seed has its own initial weights, its own order of the examples and its own draws, so that its model is what a run
of that seed alone gives.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ltr_train.objective import Objective, joint_objective
from ltr_train.regression.methods import Method, Setting
from ltr_train.regression.networks import EnergyHead, ProposalHead, ScalarMixture
from ltr_train.regression.problems import Problem

TOGETHER = 4
"""Seeds whose activations are computed in one go: about what a processor's cache holds."""
ROWS = 16
"""Inputs whose densities are evaluated in one go, for the same reason."""
LARGEST_BLOCK = 31 * 2**20
"""Bytes. The C library of Linux keeps freed memory for reuse up to twice the largest block freed so far, if that is
below 32 MiB; without such a block it would give the activations' memory back and fetch it again in every step."""


@dataclass(frozen=True)
class Recipe:
    """How long and in what steps is trained; the defaults are the paper's."""

    epochs: int
    batch: int = 32
    samples: int = 1024
    learning_rate: float = 1e-3


class Stacked:
    """Networks of one shape, one a seed, called at once."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.skeleton = copy.deepcopy(networks[0]).to("meta")
        self.parameters, _ = stack_module_state(list(networks))

    def __call__(self, *inputs: Tensor) -> Any:
        """What the networks give for inputs ``[S, ...]``, with S first."""
        return vmap(lambda parameters, *own: functional_call(self.skeleton, parameters, own))(self.parameters, *inputs)


class Models:
    """The networks of some seeds for one problem and setting.

    Args:
        problem: What to learn.
        setting: How.
        seeds: Of the initial weights, one a model.
    """

    def __init__(self, problem: Problem, setting: Setting, seeds: Sequence[int]) -> None:
        self.problem, self.method, self.count = problem, setting.method, len(seeds)
        made: dict[str, list[nn.Module]] = {}
        for seed in seeds:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(seed)
                for name, network in self._networks(setting.k).items():
                    made.setdefault(name, []).append(network)
        self.networks = {name: Stacked(networks) for name, networks in made.items()}

    def _networks(self, components: int | None) -> dict[str, nn.Module]:
        x, y = self.problem.x, self.problem.y
        networks: dict[str, nn.Module] = {"features": self.problem.features(x)}
        if self.method is Method.TEACHER:
            networks["student_features"] = self.problem.features(x)
        with torch.no_grad():
            features = networks["features"](x)
        if self.method.has_energy:
            networks["energy"] = EnergyHead(features, y)
        if components is not None:
            networks["proposal"] = ProposalHead(features.shape[1], components, y)
        return networks

    def parameters(self) -> list[Tensor]:
        """All parameters, ``[S, ...]`` each."""
        return [tensor for network in self.networks.values() for tensor in network.parameters.values()]

    def proposal(self, x: Tensor, features: Tensor) -> ScalarMixture:
        """q, batch ``[S b]``, from inputs ``[S, b, ...]`` and their features."""
        if self.method is Method.JOINT:
            features = features.detach()
        elif self.method is Method.TEACHER:
            features = self.networks["student_features"](x)
        return ScalarMixture(*(part.flatten(0, 1) for part in self.networks["proposal"](features)))

    def objective(self, x: Tensor, label: Tensor, noise: Tensor) -> Objective:
        """The joint objective of inputs ``[S, b, ...]`` and labels ``[S, b]``, uniform noise ``[2, S, b, M]``."""
        features = self.networks["features"](x)
        q = self.proposal(x, features) if "proposal" in self.networks else self._fixed_noise(label)
        samples = q.from_uniform(noise.flatten(1, 2).permute(2, 1, 0))
        y = torch.cat((label.unsqueeze(-1), samples.squeeze(-1).T.view(*label.shape, -1)), -1)
        # Without an energy f is 0; the terms that it enters are then left alone.
        f = self.networks["energy"](features, y) if "energy" in self.networks else torch.zeros_like(y)
        f = f.flatten(0, 1)
        return joint_objective(f[:, 0], f[:, 1:], label.flatten().unsqueeze(1), samples, q)

    def _fixed_noise(self, label: Tensor) -> ScalarMixture:
        loc = label.flatten().unsqueeze(1).expand(-1, len(self.problem.noise))
        return ScalarMixture(torch.zeros_like(loc), loc, label.new_tensor(self.problem.noise).expand_as(loc))

    @torch.no_grad()
    def log_density(self, x: Tensor) -> Tensor:
        """Log density ``[S, X, Y]`` on the problem's grid at inputs ``[X, ...]``."""
        y = self.problem.grid.expand(self.count, len(x), -1)
        x = x.expand(self.count, *x.shape)
        features = self.networks["features"](x)
        if self.method.evaluates_energy:
            return normalised(self.networks["energy"](features, y), self.problem.spacing)
        q = self.proposal(x, features)
        return q.log_prob(y.flatten(0, 1).T.unsqueeze(-1)).T.view_as(y)


def normalised(f: Tensor, spacing: float) -> Tensor:
    """Log density from scores ``[..., Y]`` on an equidistant grid."""
    return f - torch.logsumexp(f, -1, keepdim=True) - torch.tensor(spacing).log()


class Ensemble:
    """The models of all seeds of one setting."""

    def __init__(self, problem: Problem, setting: Setting, seeds: Sequence[int]) -> None:
        self.problem, self.method, self.seeds = problem, setting.method, list(seeds)
        starts = range(0, len(self.seeds), TOGETHER)
        self.parts = [Models(problem, setting, self.seeds[start : start + TOGETHER]) for start in starts]

    def train(self, recipe: Recipe) -> Iterator[int]:
        """Train to the end, yielding the number of each epoch done.

        The features' and the heads' parameters, and teacher and student, share one Adam: it works element by element,
        so that one is the same as several.
        """
        torch.empty(LARGEST_BLOCK, dtype=torch.uint8)  # freed at once
        x, y = self.problem.x, self.problem.y
        generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        parameters = [tensor for part in self.parts for tensor in part.parameters()]
        optimiser = torch.optim.Adam(parameters, recipe.learning_rate, fused=True)
        samples = recipe.samples if self.method.has_energy else 1
        for epoch in range(recipe.epochs):
            order = torch.stack([torch.randperm(len(x), generator=generator) for generator in generators])
            for chosen in order.split(recipe.batch, 1):
                optimiser.zero_grad()
                start = 0
                for part in self.parts:
                    mine = slice(start, start + part.count)
                    noise = uniform(generators[mine], (chosen.shape[1], samples))
                    terms = part.objective(x[chosen[mine]], y[chosen[mine]], noise)
                    (self.method.loss(terms).sum() / chosen.shape[1]).backward()
                    start += part.count
                optimiser.step()
            yield epoch + 1

    def log_densities(self) -> Iterator[Tensor]:
        """The log density ``[X, Y]`` on test inputs and grid of each seed in turn."""
        for part in self.parts:
            yield from torch.cat([part.log_density(x) for x in self.problem.test_x.split(ROWS)], 1)


def uniform(generators: Sequence[torch.Generator], shape: tuple[int, int]) -> Tensor:
    """Uniform noise ``[2, S, *shape]``, of each seed from its own generator."""
    noise = torch.empty(2, len(generators), *shape)
    for coordinate in noise:
        for own, generator in zip(coordinate, generators, strict=True):
            own.uniform_(generator=generator)
    return noise
