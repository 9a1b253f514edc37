"""The small networks of the regression problems, and the proposal that they parametrise.

All keep the M values of y of one example in a row of memory: products of small matrices with long rows are what these
networks spend their time on, and they are several times faster that way than with M rows of ten numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from networks.distributions import DenseMixture

HIDDEN = 10
DEVIATION = 0.5
"""Standard deviation over the data of what a unit sums, at the start."""
SMALLEST_DEVIATION = 1e-6


class ScalarFeatures(nn.Module):
    """Features of a scalar input: 1-10-10.

    Args:
        inputs: ``[n, 1]`` training inputs, for the initial weights.
    """

    def __init__(self, inputs: Tensor) -> None:
        super().__init__()
        first, second = nn.Linear(1, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        start(second, start(first, inputs))
        self.layers = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """``[N, 1]`` inputs to features ``[N, 10]``."""
        return self.layers(x)


class ProposalHead(nn.Module):
    """The proposal's parameters from features: three networks W-10-K.

    Args:
        width: W.
        components: K.
        labels: ``[n]`` the training labels: at first the components lie among them, each as wide as they all.
    """

    def __init__(self, width: int, components: int, labels: Tensor) -> None:
        super().__init__()
        last = [nn.Linear(HIDDEN, components) for _ in range(3)]
        self.mean, self.log_variance, self.logits = (
            nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), layer) for layer in last
        )
        with torch.no_grad():
            last[0].bias.copy_(torch.quantile(labels, spread(components)))
            last[1].bias.fill_(labels.var().log())

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, means and standard deviations, ``[N, K]`` each, from features ``[N, W]``."""
        return self.logits(features), self.mean(features), torch.exp(0.5 * self.log_variance(features))


class EnergyHead(nn.Module):
    """The score f(x, y): y 1-10-10, then with the features (10 + W)-10, 10-10 with a residual, 10-1.

    Args:
        features: ``[n, W]`` of the training inputs, for the initial weights.
        labels: ``[n]`` the training labels, likewise.
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.value_1, self.value_2 = nn.Linear(1, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.joint = nn.Linear(HIDDEN + features.shape[1], HIDDEN)
        self.residual, self.score = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 1)
        # Every input with some label, as the samples will be.
        values = labels[torch.randperm(len(labels))].unsqueeze(1)
        values = start(self.value_2, start(self.value_1, values))
        start(self.residual, start(self.joint, torch.cat((values, features), 1)))
        nn.init.zeros_(self.score.weight)

    def forward(self, features: Tensor, y: Tensor) -> Tensor:
        """Scores ``[N, M]`` of values ``[N, M]`` given features ``[N, W]``."""
        # The joint layer in two: what the features add is the same for all M values of y.
        of_value, of_features = self.joint.weight.split((HIDDEN, features.shape[1]), 1)
        given = (features @ of_features.T + self.joint.bias).unsqueeze(-1)
        first = torch.cat((self.value_1.weight, self.value_1.bias.unsqueeze(1)), 1)
        h = _product(first, torch.stack((y, torch.ones_like(y)), 1)).relu_()
        h = _layer(self.value_2, h).relu_()
        h = _product(of_value, h).add_(given).relu_()
        deeper = _layer(self.residual, h).relu_()
        scores = _product(self.score.weight, h) + _product(self.score.weight, deeper)
        return scores.squeeze(1) + self.score.bias


class ScalarMixture(DenseMixture):
    """`DenseMixture` of scalars: the same density, computed along rows of values, several times faster.

    Args:
        logits: ``[N, K]`` unnormalised log weights.
        loc: ``[N, K]`` means.
        scale: ``[N, K]`` standard deviations.
    """

    def __init__(self, logits: Tensor, loc: Tensor, scale: Tensor) -> None:
        super().__init__(logits, loc.unsqueeze(-1), scale.unsqueeze(-1))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density ``[M, N]`` of values ``[M, N, 1]``."""
        rows = value.squeeze(-1).T
        inverse = self.scale.reciprocal()
        # (y - mean) / scale as one product of matrices.
        z = torch.bmm(torch.cat((inverse, -self.loc * inverse), -1), torch.stack((rows, torch.ones_like(rows)), 1))
        level = self.mixture_distribution.logits.unsqueeze(-1) - self.scale.log() - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(torch.addcmul(level, z, z, value=-0.5), 1).T


@torch.no_grad()
def start(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """Initial weights of a layer before a ReLU that suit the data.

    Orthogonal directions, scaled so that all sums spread equally over the data, and biases that make the units bend at
    places spread over the data. With torch's own initial weights many units of so small a network bend outside the
    data: then they are linear or dead. (Cf. Krähenbühl et al., *Data-dependent initializations of convolutional neural
    networks*, ICLR 2016.)

    Args:
        layer: To set.
        inputs: ``[n, I]`` what the layer will see.

    Returns:
        ``[n, O]`` what the units give for it.
    """
    nn.init.orthogonal_(layer.weight)
    layer.weight *= DEVIATION / (inputs @ layer.weight.T).std(0).clamp_min(SMALLEST_DEVIATION).unsqueeze(1)
    sums = inputs @ layer.weight.T
    share = spread(layer.out_features)
    layer.bias.copy_(-torch.stack([torch.quantile(*unit) for unit in zip(sums.T, share, strict=True)]))
    return layer(inputs).relu()


def spread(count: int) -> Tensor:
    """Random numbers, one in each of ``count`` equal parts of (0, 1), in random order."""
    return (torch.randperm(count) + torch.rand(count)) / count


def _product(weight: Tensor, rows: Tensor) -> Tensor:
    """``[O, I]`` weights times ``[N, I, M]``."""
    return torch.bmm(weight.expand(len(rows), -1, -1), rows)


def _layer(layer: nn.Linear, rows: Tensor) -> Tensor:
    return _product(layer.weight, rows).add_(layer.bias.unsqueeze(1))
