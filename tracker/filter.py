"""One frame of the Bayes filter over boxes, crops and noise given: a pure, batched function of tensors."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from networks.boxes import crop_to_frame, frame_to_crop
from networks.config import ModelConfig
from networks.model import EnergyTracker, SearchFeatures
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.estimate import Given, estimate
from tracker.noise import Noise
from tracker.state import State, keep_sane

Number = float | Tensor


class Settings(NamedTuple):
    """The numbers that a frame is tracked with; tensors ``[1]`` where a graph takes them as inputs."""

    trained_log_odds: Number
    """Of the share of training crops that showed the target."""
    evidence: Number
    leave_rate: Number
    return_rate: Number
    motion_scale: Number
    motion_log_size: Number
    """Both infinite where the last box tells nothing of the next."""
    size_rate: Number
    steady_rate: Number
    present_above: Number
    """Minus infinity where presence drives nothing."""
    region_growth: Number
    region_growth_limit: Number

    @classmethod
    def of(cls, model: ModelConfig, config: TrackerConfig, motion: bool = True) -> Settings:
        """Those of configurations.

        Args:
            model: of the networks.
            config: of the tracker.
            motion: whether the motion prior may take part.
        """
        known = motion and config.motion
        return cls(
            math.log(model.trained_presence / (1 - model.trained_presence)),
            config.evidence,
            config.leave_rate,
            config.return_rate,
            config.motion_scale if known else math.inf,
            config.motion_log_size if known else math.inf,
            config.size_rate,
            config.steady_rate,
            config.present_above if config.search else -math.inf,
            config.region_growth,
            config.region_growth_limit,
        )


class Tracked(NamedTuple):
    """What a frame tells of ``N`` targets, in frame pixels."""

    after: State
    """The next state."""
    posterior: Posterior
    """Over (cx, cy, w, h), batch ``[N]``."""
    box: Tensor
    """``[N, 4]`` the estimate (cx, cy, w, h), not smoothed."""
    log_sampler: Tensor | None
    """``[N, M]`` log q' of the posterior's samples, as densities over crop boxes; none where templates stay."""
    search: SearchFeatures | None
    """Of the crops; none where templates stay."""


def look(
    model: EnergyTracker,
    state: State,
    crops: Tensor,
    noise: Noise,
    settings: Settings,
    config: TrackerConfig,
) -> Tracked:
    """Tracks every target of a batch through one frame.

    Args:
        model: the networks, in inference mode.
        state: of ``N`` targets.
        crops: ``[N, 3, S, S]`` uint8 BGR, cut at ``state.region``.
        noise: of as many boxes as are drawn.
        settings: the numbers to track with.
        config: which point estimate, and how many boxes are refined how often.

    Returns:
        The next state, the posterior and the estimate, in frame pixels.
    """
    region = state.region
    before = presence_prior(state.presence, settings)
    one = torch.ones_like(before)
    known = Given(
        *noise,
        torch.logit(before) - settings.evidence * settings.trained_log_odds,
        one * settings.evidence,
        frame_to_crop(state.box, region),
        torch.stack((one * settings.motion_scale, one * settings.motion_log_size), 1),
    )
    found = estimate(model, state.template, crops, known, config)
    box = crop_to_frame(found.box, region)
    posterior = found.posterior.map(lambda y: crop_to_frame(y, region.unsqueeze(1)))
    after = advance(state, box, posterior.presence, model.config.search_factor, settings)
    if not config.template_share:
        return Tracked(after, posterior, box, None, None)
    return Tracked(after, posterior, box, found.log_sampler, found.search)


def presence_prior(presence: Tensor, settings: Settings) -> Tensor:
    """P(present) of the next frame before it is looked at: a Markov chain of leaving and returning.

    Args:
        presence: ``[N]`` P(present) in the last frame.
        settings: the chain's two rates.
    """
    prior = presence * (1 - settings.leave_rate) + (1 - presence) * settings.return_rate
    return prior.clamp(1e-4, 1 - 1e-4)


def advance(state: State, box: Tensor, presence: Tensor, factor: float, settings: Settings) -> State:
    """The next state, given a frame's estimate.

    Args:
        state: of ``N`` targets.
        box: ``[N, 4]`` estimated (cx, cy, w, h) in frame pixels.
        presence: ``[N]``.
        factor: the normal search region's side over the target's.
        settings: thresholds and rates.
    """
    seen = presence >= settings.present_above
    size = _between(state.box[:, 2:], box[:, 2:], settings.size_rate)
    steady = _between(state.steady_size, size, settings.steady_rate)
    # A lost target is followed to the best guess, which blur often leaves right, but at its steady size: what hides a
    # target makes it seem to shrink first, and a search at that scale would not know it again.
    steady = torch.where(seen.unsqueeze(1), steady, state.steady_size)
    size = torch.where(seen.unsqueeze(1), size, steady)
    grown = torch.minimum(
        state.factor * settings.region_growth, torch.ones_like(state.factor) * (factor * settings.region_growth_limit)
    )
    return state._replace(
        box=keep_sane(torch.cat((box[:, :2], size), 1), state.frame_size),
        steady_size=steady,
        factor=torch.where(seen, factor, grown),
        presence=presence,
        lost=torch.where(seen, 0, state.lost + 1),
        frame=state.frame + 1,
    )


def _between(a: Tensor, b: Tensor, share: Number) -> Tensor:
    """The sizes between two, geometrically: the first at share 0, the second at 1."""
    return a * (b / a) ** share
