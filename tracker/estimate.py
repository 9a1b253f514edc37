"""What the networks say of some crops: a pure, batched function of tensors, which graphs are traced from."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from networks.energy import BoxScores
from networks.model import EnergyTracker, SearchFeatures, Template
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.mode import strongest_mode
from tracker.motion import log_motion, log_motion_with_gradient


class Given(NamedTuple):
    """What is known of some crops before they are looked at."""

    uniform: Tensor
    """``[N, M, 3]`` base noise: for the sample's component, and for its centre in the broad one."""
    normal: Tensor
    """``[N, M, 4]`` normal base noise."""
    log_odds: Tensor
    """``[N]`` of presence, less the evidence that training's share of crops with the target stands for."""
    evidence: Tensor
    """``[N]`` power of the crop's evidence for presence."""
    last: Tensor
    """``[N, 4]`` the last box, a crop box."""
    motion_scale: Tensor
    """``[N, 2]`` scales of the motion prior: centre and log sides; infinity where the last box tells nothing."""


class Estimate(NamedTuple):
    """What the networks say of some crops."""

    posterior: Posterior
    """Over crop boxes, batch ``[N]``."""
    box: Tensor
    """``[N, 4]`` crop boxes: the point estimate."""
    search: SearchFeatures
    """Of the crops."""
    log_sampler: Tensor
    """``[N, M]`` log q' of the posterior's samples."""


@torch.no_grad()
def estimate(model: EnergyTracker, template: Template, crops: Tensor, known: Given, config: TrackerConfig) -> Estimate:
    """Samples boxes, weighs and refines them.

    Args:
        model: the networks, in inference mode.
        template: of ``N`` targets.
        crops: ``[N, 3, S, S]`` uint8 BGR.
        known: of the crops beforehand.
        config: which point estimate, and how many boxes are refined how often.
    """
    search = model.features(crops)
    proposal = model.propose(template, search)
    sampler = model.defend(proposal)
    drawn = sampler.draw(known.uniform.transpose(0, 1), known.normal.transpose(0, 1))
    samples = drawn.transpose(0, 1)
    log_sampler = sampler.log_prob(drawn).T
    target = Target(model.scores(template, search, proposal), known.last, known.motion_scale)
    score, prior = target.parts(samples)
    ratio = score - log_sampler
    # Presence reads Z without the motion term; the boxes' weights have it.
    log_z = ratio.logsumexp(1) - math.log(ratio.shape[1])
    presence = torch.sigmoid(known.log_odds + known.evidence * (log_z - template.null))
    posterior = Posterior(samples, torch.log_softmax(ratio + prior, 1), log_z, presence)
    if config.estimate == "mode":
        box = strongest_mode(target, posterior, score + prior, config.refine_boxes, config.refine_steps)
    else:
        box = posterior.mean if config.estimate == "mean" else proposal.best_component
    return Estimate(posterior, box, search, log_sampler)


class Target(NamedTuple):
    """What the estimate climbs: the score and the motion prior; itself a `BoxScores`."""

    scores: BoxScores
    last: Tensor
    motion_scale: Tensor

    def parts(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """The score and the motion prior, ``[N, M]`` each, of boxes ``[N, M, 4]``."""
        return self.scores(boxes), log_motion(boxes, self.last, self.motion_scale)

    def __call__(self, boxes: Tensor) -> Tensor:
        """Their sum ``[N, M]``."""
        score, prior = self.parts(boxes)
        return score + prior

    def with_gradient(self, boxes: Tensor) -> Tensor:
        """Their sum at boxes ``[N, K, 4]`` and its derivatives, ``[N, K, 5]``."""
        return self.scores.with_gradient(boxes) + log_motion_with_gradient(boxes, self.last, self.motion_scale)
