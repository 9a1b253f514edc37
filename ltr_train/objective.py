"""The joint objective of proposal and energy, for any y: it knows nothing of boxes or images.

Gustafsson, Danelljan, Schön, *Learning Proposals for Practical Energy-Based Regression* (AISTATS 2022), with the
defensive sampler and the null hypothesis of docs/method.md, section 5. All in log space.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Objective(NamedTuple):
    """Losses and diagnostics of a batch; losses ``[N]``, per example."""

    nce: Tensor
    """L_nce: ranking of the label among the samples; teaches f."""
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


def joint_objective(
    f_label: Tensor,
    f_samples: Tensor,
    log_sampler_label: Tensor,
    log_sampler_samples: Tensor,
    log_q_label: Tensor,
    log_q_samples: Tensor,
) -> Objective:
    """The terms of the joint objective, with the detach pattern in this one place.

    The samples themselves must carry no gradient (draw them with `from_uniform` or `sample`).

    Args:
        f_label: ``[N]`` score of the label.
        f_samples: ``[N, M]`` scores of the samples.
        log_sampler_label: ``[N]`` log density of the sampler q' at the label.
        log_sampler_samples: ``[N, M]`` log density of q' at the samples.
        log_q_label: ``[N]`` log density of the plain proposal q at the label.
        log_q_samples: ``[N, M]`` log density of q at the samples.
    """
    weights = f_samples - log_sampler_samples.detach()
    label = f_label - log_sampler_label.detach()
    log_z = torch.logsumexp(weights, 1) - math.log(weights.shape[1])
    nce = torch.logsumexp(torch.cat((label.unsqueeze(1), weights), 1), 1) - label
    normalised = torch.softmax(weights.detach(), 1)
    # The plain log q, not log q': through q' the gradient to a mode that q misses is gated away.
    kl = -(normalised * log_q_samples).sum(1)
    with torch.no_grad():
        ess = 1.0 / (normalised.square().sum(1) * weights.shape[1])
        effective_kl = (normalised * (f_samples - log_q_samples)).sum(1) - log_z
    return Objective(nce, kl, -log_q_label, log_z, ess, effective_kl)


def presence_loss(log_z: Tensor, null: Tensor, present: Tensor) -> Tensor:
    """Binary cross-entropy ``[N]`` of P(present) = Z / (Z + exp b).

    Args:
        log_z: ``[N]`` estimate of log Z.
        null: ``[N]`` log-mass b of the null hypothesis.
        present: ``[N]`` bool labels.
    """
    return torch.nn.functional.binary_cross_entropy_with_logits(log_z - null, present.to(log_z.dtype), reduction="none")
