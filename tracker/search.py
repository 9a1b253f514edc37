"""The search of a whole frame for lost targets, in one batch of crops (docs/method.md, section 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.boxes import crop_to_frame
from networks.distributions import BOX_NOISE
from networks.model import EnergyTracker
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.noise import base_noise
from tracker.regions import crop
from tracker.state import State, keep_sane
from tracker.step import estimate, presence_prior

BATCH_MULTIPLE = 4
"""The last crop is repeated up to such a number: kernels are compiled and kept for every size of batch, so that few
sizes keep memory flat."""
REACH = 0.35
"""Farthest that a place may lie from the centre of the nearest crop, in sides; training showed targets up to 0.42."""


def covering_regions(frame_size: tuple[float, float], side: float, most: int, turn: int) -> tuple[Tensor, int]:
    """Square regions for one search: a grid over the frame, or the next part of it where there are too many.

    Args:
        frame_size: (width, height) in pixels.
        side: of the regions in pixels.
        most: largest number of regions in one search.
        turn: how many searches went before; they take turns over the grid.

    Returns:
        ``[R, 3]`` (cx, cy, side), and how many regions the whole grid has.
    """
    width, height = frame_size
    columns, rows = (max(1, math.ceil(extent / (2 * REACH * side))) for extent in (width, height))
    x = (torch.arange(columns) + 0.5) * width / columns
    y = (torch.arange(rows) + 0.5) * height / rows
    cy, cx = torch.meshgrid(y, x, indexing="ij")
    grid = torch.stack((cx.flatten(), cy.flatten(), torch.full((columns * rows,), side)), 1)
    if len(grid) <= most:
        return grid, len(grid)
    return grid[(turn * most + torch.arange(most)) % len(grid)], len(grid)


def due(state: State, config: TrackerConfig) -> Tensor:
    """Indices of the targets whose whole frame is to be searched now."""
    waited = state.lost - config.search_after
    return ((waited >= 0) & (waited % config.search_every == 0)).nonzero().flatten()


def search_frame(
    model: EnergyTracker,
    state: State,
    frames: Sequence[NDArray[np.uint8]],
    config: TrackerConfig,
) -> tuple[State, Posterior, Tensor]:
    """Looks for lost targets everywhere in their frames.

    Crops overlap, so a target may be seen by several: the crop with the greatest evidence alone counts, once. Its
    log-odds of presence pay log R for the R crops of the grid, or false alarms would grow with their number.

    Args:
        model: the networks.
        state: of the ``N`` lost targets.
        frames: their frames, H x W x 3 uint8 BGR.
        config: how to search.

    Returns:
        The state, moved where a target was found; the posteriors ``[N]`` of the best crops over (cx, cy, w, h) in frame
        pixels; and ``[N]`` bool, whether each was found.
    """
    grids, totals = [], []
    turns = (state.lost - config.search_after) // config.search_every
    for size, box, turn in zip(state.frame_size.tolist(), state.box.tolist(), turns.tolist(), strict=True):
        side = model.config.search_factor * config.search_zoom * math.sqrt(box[2] * box[3])
        grid, total = covering_regions((size[0], size[1]), side, config.search_crops, turn)
        grids.append(grid)
        totals.append(total)
    device = state.box.device
    counts = torch.tensor([len(grid) for grid in grids], device=device)
    owner = torch.repeat_interleave(torch.arange(len(grids), device=device), counts)
    regions = torch.cat(grids).to(state.box)
    number = torch.cat([torch.arange(len(grid), device=device) for grid in grids])
    last = len(owner) - 1
    filled = torch.arange(last + 1 + -(last + 1) % BATCH_MULTIPLE, device=device).clamp_max(last)
    owner, regions, number = owner[filled], regions[filled], number[filled]
    crops = crop([frames[i] for i in owner.tolist()], regions, model.config.search_size)
    # Every crop has noise of its own, apart from that of the normal steps and whoever else is searched for.
    uniform = base_noise(
        ~state.seed[owner], state.frame[owner] * config.search_crops + number, config.samples, BOX_NOISE
    )
    # Who is not where it was looked for may have come back elsewhere: one more step of the chain.
    prior = presence_prior(state.presence, config)
    # By the first view: the recent one may be what led astray.
    found = estimate(model, state.first.select(owner), crops, uniform, prior[owner], None, config)
    boxes = crop_to_frame(found.box, regions)
    posterior = found.posterior.map(lambda y: crop_to_frame(y, regions.unsqueeze(1)))
    best = torch.stack(
        [(owner == i).nonzero().flatten()[posterior.log_z[owner == i].argmax()] for i in range(len(grids))]
    )
    presence = torch.sigmoid(torch.logit(posterior.presence[best]) - torch.tensor(totals, device=device).log())
    seen = presence >= config.found_above
    chosen = posterior[best]
    chosen = Posterior(chosen.samples, chosen.log_weights, chosen.log_z, presence)
    return (
        state._replace(
            box=torch.where(seen.unsqueeze(1), keep_sane(boxes[best], state.frame_size), state.box),
            factor=torch.where(seen, torch.full_like(state.factor, model.config.search_factor), state.factor),
            presence=torch.where(seen, presence, state.presence),
            lost=torch.where(seen, torch.zeros_like(state.lost), state.lost),
        ),
        chosen,
        seen,
    )
