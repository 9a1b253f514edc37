"""One frame of the Bayes filter over boxes: a pure, batched function of tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from networks.boxes import crop_iou, crop_to_frame, frame_to_crop
from networks.distributions import BOX_NOISE
from networks.model import EnergyTracker, SearchFeatures, Template
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.motion import log_motion
from tracker.noise import base_noise
from tracker.state import State, keep_sane
from tracker.template import NEAR, Views, sure_targets


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


def estimate(
    model: EnergyTracker,
    template: Template,
    crops: Tensor,
    uniform: Tensor,
    presence_before: Tensor,
    log_prior: Callable[[Tensor], Tensor] | None,
    config: TrackerConfig,
) -> Estimate:
    """Samples boxes, weighs and refines them.

    Args:
        model: the networks, in inference mode.
        template: of ``N`` targets.
        crops: ``[N, 3, S, S]`` uint8 BGR.
        uniform: ``[M, N, 5]`` base noise.
        presence_before: ``[N]`` P(present) before the crop is looked at.
        log_prior: maps crop boxes ``[N, K, 4]`` to ``[N, K]``, the motion term; none where nothing is known.
        config: how many boxes are refined how often.
    """
    trained = model.config.trained_presence
    with torch.no_grad():
        search = model.features(crops)
        proposal = model.propose(template, search)
        sampler = model.defend(proposal)
        drawn = sampler.from_uniform(uniform)
        samples = drawn.transpose(0, 1).contiguous()
        score = model.score(template, search, samples, proposal)
        log_sampler = sampler.log_prob(drawn).T
        posterior = Posterior.from_scores(samples, score - log_sampler, template.null)
        evidence = config.evidence * (posterior.log_z - template.null - math.log(trained / (1 - trained)))
        posterior = replace(posterior, presence=torch.sigmoid(torch.logit(presence_before) + evidence))
        target = score
        if log_prior is not None:
            # Presence reads Z without the motion term; the boxes' weights have it.
            prior = log_prior(samples)
            posterior = replace(posterior, log_weights=torch.log_softmax(posterior.log_weights + prior, 1))
            target = score + prior
        if config.estimate == "mode":

            def evaluate(boxes: Tensor) -> Tensor:
                value = model.score(template, search, boxes, proposal)
                return value if log_prior is None else value + log_prior(boxes)

            box = _peak(evaluate, posterior, target, config)
        else:
            box = posterior.mean if config.estimate == "mean" else proposal.best_component
    return Estimate(posterior, box, search, log_sampler)


def _peak(evaluate: Callable[[Tensor], Tensor], posterior: Posterior, target: Tensor, config: TrackerConfig) -> Tensor:
    """The strongest mode ``[N, 4]``: half way between its refined peak and the weighted mean of its samples.

    Args:
        evaluate: maps boxes ``[N, K, 4]`` to what refinement climbs, ``[N, K]``.
        posterior: batch ``[N]``.
        target: ``[N, M]`` what `evaluate` gives at the posterior's samples.
        config: how many boxes are refined how often.
    """
    samples, weights = posterior.samples, posterior.weights
    count = min(config.refine_boxes, samples.shape[1])
    best = target.topk(count, 1)
    boxes = samples.gather(1, best.indices.unsqueeze(-1).expand(-1, -1, 4))
    near = crop_iou(boxes.unsqueeze(2), samples.unsqueeze(1)) > NEAR
    mass = near * weights.unsqueeze(1)
    # The mode's own variance is the natural length of a step: for a normal mode it leads to the peak.
    local = mass / mass.sum(-1, keepdim=True).clamp_min(1e-12)
    centre = torch.einsum("nkm,nmd->nkd", local, samples)
    variance = torch.einsum("nkm,nkmd->nkd", local, (samples.unsqueeze(1) - centre.unsqueeze(2)).square())

    def score_with_gradient(at: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            at = at.detach().requires_grad_()
            value = evaluate(at)
            (gradient,) = torch.autograd.grad(value.sum(), at)
        return value.detach(), gradient

    refined = ascend(score_with_gradient, boxes, variance, config.refine_steps)
    chosen = (refined.value + mass.sum(-1).clamp_min(1e-12).log()).argmax(1)
    row = torch.arange(len(chosen), device=chosen.device)
    peak = refined.boxes[row, chosen]
    members = (crop_iou(peak.unsqueeze(1), samples) > NEAR) * weights
    total = members.sum(1, keepdim=True)
    mean = torch.einsum("nm,nmd->nd", members, samples) / total.clamp_min(1e-12)
    # A peak that no sample supports stands for itself.
    return torch.where(total > 1e-6, 0.5 * (mean + peak), peak)


class Ascent(NamedTuple):
    """Where gradient ascent ended."""

    boxes: Tensor
    """``[N, K, 4]``."""
    value: Tensor
    """``[N, K]``, nowhere below the start's."""


def ascend(
    score_with_gradient: Callable[[Tensor], tuple[Tensor, Tensor]],
    boxes: Tensor,
    variance: Tensor,
    steps: int,
) -> Ascent:
    """Gradient ascent on the score, each step accepted only where the score rises.

    Args:
        score_with_gradient: maps boxes ``[N, K, 4]`` to scores ``[N, K]`` and gradients ``[N, K, 4]``.
        boxes: ``[N, K, 4]`` where to start.
        variance: ``[N, K, 4]`` scales the steps.
        steps: how many; a rejected step is tried again at a quarter of its length.
    """
    value, gradient = score_with_gradient(boxes)
    length = torch.ones_like(value)
    limit = variance.sqrt() * 2 + 1e-3
    for _ in range(steps):
        move = length.unsqueeze(-1) * variance * gradient
        tried = boxes + torch.minimum(torch.maximum(move, -limit), limit)
        tried_value, tried_gradient = score_with_gradient(tried)
        rises = tried_value > value
        boxes = torch.where(rises.unsqueeze(-1), tried, boxes)
        gradient = torch.where(rises.unsqueeze(-1), tried_gradient, gradient)
        value = torch.where(rises, tried_value, value)
        length = torch.where(rises, length, 0.25 * length)
    return Ascent(boxes, value)


def presence_prior(presence: Tensor, config: TrackerConfig) -> Tensor:
    """P(present) of the next frame before it is looked at: a Markov chain of leaving and returning.

    Args:
        presence: ``[N]`` P(present) in the last frame.
        config: the chain's two rates.
    """
    prior = presence * (1 - config.leave_rate) + (1 - presence) * config.return_rate
    return prior.clamp(1e-4, 1 - 1e-4)


def step(model: EnergyTracker, state: State, crops: Tensor, config: TrackerConfig) -> tuple[State, Posterior, Views]:
    """Tracks every target of a batch through one frame.

    Args:
        model: the networks, in inference mode.
        state: of ``N`` targets.
        crops: ``[N, 3, search_size, search_size]`` uint8 BGR, cut at ``state.region``.
        config: how to track.

    Returns:
        The new state; the posterior over (cx, cy, w, h) in frame pixels, batch ``[N]``; and the views from which
        templates are to be renewed.
    """
    region = state.region
    uniform = base_noise(state.seed, state.frame, config.samples, BOX_NOISE)
    last = frame_to_crop(state.box, region)

    def log_prior(boxes: Tensor) -> Tensor:
        return log_motion(boxes, last, config)

    prior = presence_prior(state.presence, config)
    found = estimate(model, state.template, crops, uniform, prior, log_prior if config.motion else None, config)
    box = crop_to_frame(found.box, region)
    posterior = found.posterior.map(lambda y: crop_to_frame(y, region.unsqueeze(1)))
    sure = sure_targets(model, state, *found, config)
    after = advance(state, box, posterior.presence, model.config.search_factor, config)
    return after, posterior, Views(sure, box[sure])


def advance(state: State, box: Tensor, presence: Tensor, factor: float, config: TrackerConfig) -> State:
    """The next state, given a frame's estimate.

    Args:
        state: of ``N`` targets.
        box: ``[N, 4]`` estimated (cx, cy, w, h) in frame pixels.
        presence: ``[N]``.
        factor: the normal search region's side over the target's.
        config: thresholds and rates.
    """
    seen = presence >= config.present_above if config.search else torch.ones_like(presence, dtype=torch.bool)
    size = torch.exp(torch.lerp(state.box[:, 2:].log(), box[:, 2:].log(), config.size_rate))
    steady = torch.exp(torch.lerp(state.steady_size.log(), size.log(), config.steady_rate))
    # A lost target is followed to the best guess, which blur often leaves right, but at its steady size: what hides a
    # target makes it seem to shrink first, and a search at that scale would not know it again.
    steady = torch.where(seen.unsqueeze(1), steady, state.steady_size)
    size = torch.where(seen.unsqueeze(1), size, steady)
    grown = (state.factor * config.region_growth).clamp_max(factor * config.region_growth_limit)
    return state._replace(
        box=keep_sane(torch.cat((box[:, :2], size), 1), state.frame_size),
        steady_size=steady,
        factor=torch.where(seen, torch.full_like(grown, factor), grown),
        presence=presence,
        lost=torch.where(seen, torch.zeros_like(state.lost), state.lost + 1),
        frame=state.frame + 1,
    )
