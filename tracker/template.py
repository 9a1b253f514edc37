"""The template over time: the first view for ever, blended with a recent sure one (docs/method.md, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.boxes import crop_iou, frame_to_crop, region_around
from networks.model import EnergyTracker, Template
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.filter import Tracked
from tracker.mode import NEAR
from tracker.regions import crop
from tracker.state import State


class Views(NamedTuple):
    """Sure views of ``K`` targets of a batch."""

    target: Tensor
    """``[K]`` int64, which targets."""
    box: Tensor
    """``[K, 4]`` (cx, cy, w, h) in frame pixels."""


def confidence(posterior: Posterior, box: Tensor) -> Tensor:
    """P(the target is present and near a box), ``[N]``: low where it may be absent, and where modes compete.

    Args:
        posterior: over crop boxes, batch ``[N]``.
        box: ``[N, 4]`` in the same crops.
    """
    near = crop_iou(box.unsqueeze(1), posterior.samples) > NEAR
    return posterior.presence * (near * posterior.weights).sum(1)


def sure_views(model: EnergyTracker, state: State, tracked: Tracked, config: TrackerConfig) -> Views | None:
    """The views of a frame from which templates are to be renewed, if there are any.

    Of those targets whose turn it is, that the template in use is sure of, and that the first view alone, which no
    estimate has touched, recognises at the same place: what the template drifts to cannot vouch for itself.

    Args:
        model: the networks, in inference mode.
        state: of ``N`` targets, before the frame.
        tracked: what the frame told, all of it.
        config: how often, and how sure.
    """
    if tracked.search is None or tracked.log_sampler is None:
        return None
    region = state.region
    turn = (state.frame + 1) % config.template_every == 0
    box = frame_to_crop(tracked.box, region)
    posterior = tracked.posterior.map(lambda y: frame_to_crop(y, region.unsqueeze(1)))
    sure = (turn & (confidence(posterior, box) > config.template_above)).nonzero().flatten()
    if not len(sure):
        return None
    first, seen, samples = state.first.select(sure), tracked.search.select(sure), posterior.samples[sure]
    score = model.scores(first, seen)(samples)
    alone = Posterior.from_scores(samples, score - tracked.log_sampler[sure], first.null)
    sure = sure[confidence(alone, box[sure]) > config.template_known]
    return Views(sure, tracked.box[sure]) if len(sure) else None


def renew(
    model: EnergyTracker, state: State, frames: Sequence[NDArray[np.uint8]], views: Views | None, config: TrackerConfig
) -> State:
    """The state with the templates of some targets renewed: a blend of the first view's code and the present one's.

    Both are averaged as in FEAR (Borsuk et al., ECCV 2022), from the first view again each time, so that errors do not
    add up.

    Args:
        model: the networks, in inference mode.
        state: of ``N`` targets, after the frame.
        frames: their frames, H x W x 3 uint8 BGR.
        views: of the targets in these frames.
        config: the share of the present view.
    """
    if views is None:
        return state
    fresh = encode_views(model, [frames[i] for i in views.target.tolist()], views.box)
    renewed = (
        whole.index_copy(0, views.target, torch.lerp(first[views.target], now, config.template_share))
        for whole, first, now in zip(state.template, state.first, fresh, strict=True)
    )
    return state._replace(template=Template(*renewed))


def encode_views(model: EnergyTracker, frames: Sequence[NDArray[np.uint8]], boxes: Tensor) -> Template:
    """The template of each box ``[N, 4]`` (cx, cy, w, h) in a frame of its own, H x W x 3 uint8 BGR."""
    region = region_around(boxes, model.config.template_factor)
    return model.encode_template(crop(frames, region, model.config.template_size), frame_to_crop(boxes, region))
