"""The joint objective of a proposal q and an energy f, for any y: it knows nothing of boxes or images.

Gustafsson, Danelljan, Schön, *Learning Proposals for Practical Energy-Based Regression* (AISTATS 2022), with the
defensive sampler and the null hypothesis of docs/method.md, section 5. f is the score: high is likely. All in log
space. Every function also runs under `torch.func.vmap`.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from networks.distributions import DefensiveMixture

Theta = Literal["nce", "importance"]
"""How f learns: by ranking the label among the samples, or by the importance-sampled likelihood."""


class Objective(NamedTuple):
    """Losses and diagnostics of a batch; ``[N]`` each, one an example."""

    nce: Tensor
    """L_nce: ranking of the label among the samples; teaches f."""
    importance: Tensor
    """Importance-sampled negative log-likelihood of the label, log Z - f; teaches f."""
    kl: Tensor
    """L_kl: its gradient is that of KL(p || q); its value is not to be selected on. Teaches q."""
    nll: Tensor
    """L_nll: minus the proposal's log density at the label; teaches q."""
    log_z: Tensor
    """Importance-sampled log Z, with gradient into f."""
    ess: Tensor
    """Effective sample size over M, in (0, 1]."""
    effective_kl: Tensor
    """sum_m w_m (f - log q) - log Z: the estimate of KL(p || q) that may be reported."""

    def energy(self, theta: Theta) -> Tensor:
        """The loss ``[N]`` that teaches f by the chosen estimator."""
        return self.nce if theta == "nce" else self.importance


def joint_objective(
    f_label: Tensor,
    f_samples: Tensor,
    label: Tensor,
    samples: Tensor,
    q: Distribution,
    sampler: DefensiveMixture | None = None,
) -> Objective:
    """The terms of the joint objective (docs/method.md, sections 2 and 5), with the detach pattern in this one place.

    f learns against fixed densities of the sampler; q learns from fixed samples and fixed weights. Without the detach
    of the samples the proposal's gradient falls as 1/M and points the wrong way, so `samples` must carry none.

    Args:
        f_label: ``[N]`` scores of the labels.
        f_samples: ``[N, M]`` scores of the samples.
        label: ``[N, D]``.
        samples: ``[M, N, D]`` draws from the sampler.
        q: the proposal, batch ``[N]``, events ``[D]``.
        sampler: the defensive mixture with q that the samples were drawn from; q itself when left out.

    Raises:
        ValueError: the samples carry a gradient.
    """
    if samples.requires_grad:
        raise ValueError("the samples carry a gradient; draw them with sample() or from_uniform(), or detach() them")
    values = torch.cat((label.unsqueeze(0), samples))
    log_q = q.log_prob(values)
    log_sampler = (log_q if sampler is None else sampler.log_prob(values, log_q)).detach()
    weights = f_samples - log_sampler[1:].T
    ranked = f_label - log_sampler[0]
    log_z = torch.logsumexp(weights, 1) - math.log(weights.shape[1])
    nce = torch.logsumexp(torch.cat((ranked.unsqueeze(1), weights), 1), 1) - ranked
    normalised = torch.softmax(weights.detach(), 1)
    log_q_samples = log_q[1:].T
    # The plain log q, not the sampler's: through that the gradient to a mode that q misses is gated away.
    kl = -(normalised * log_q_samples).sum(1)
    ess = 1.0 / (normalised.square().sum(1) * weights.shape[1])
    effective_kl = (normalised * (f_samples - log_q_samples)).sum(1) - log_z
    return Objective(nce, log_z - f_label, kl, -log_q[0], log_z, ess, effective_kl.detach())


def presence_loss(log_z: Tensor, null: Tensor, present: Tensor) -> Tensor:
    """Binary cross-entropy ``[N]`` of P(present) = Z / (Z + exp b).

    Args:
        log_z: ``[N]`` estimate of log Z.
        null: ``[N]`` log-mass b of the null hypothesis.
        present: ``[N]`` bool labels.
    """
    return torch.nn.functional.binary_cross_entropy_with_logits(log_z - null, present.to(log_z.dtype), reduction="none")
