"""The search of a whole frame for lost targets, in one batch of crops (docs/method.md, section 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.engines import Engine
from tracker.filter import Settings
from tracker.noise import box_noise
from tracker.regions import crop
from tracker.state import State, keep_sane

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
    waited = [lost - config.search_after for lost in state.lost.tolist()]
    found = [i for i, frames in enumerate(waited) if frames >= 0 and frames % config.search_every == 0]
    return torch.tensor(found, dtype=torch.int64, device=state.lost.device) if found else state.lost[:0]


def search_frame(
    engine: Engine,
    state: State,
    frames: Sequence[NDArray[np.uint8]],
    config: TrackerConfig,
) -> tuple[State, Posterior, Tensor]:
    """Looks for lost targets everywhere in their frames.

    Crops overlap, so a target may be seen by several: the crop with the greatest evidence alone counts, once. Its
    log-odds of presence pay log R for the R crops of the grid, or false alarms would grow with their number. What is
    left is the presence of the target, also where it was followed to a place of its own: that is but one of the R.
    One frame rarely pays for them all, so that where presence is fair the target is looked for there from now on, and
    the evidence of the next frames decides.

    Args:
        engine: what runs the networks.
        state: of the ``N`` lost targets.
        frames: their frames, H x W x 3 uint8 BGR.
        config: how to search.

    Returns:
        The state, moved where a target may be, and lost no more where it was found; the posteriors ``[N]`` of the best
        crops over (cx, cy, w, h) in frame pixels; and ``[N]`` bool, whether each was moved.
    """
    model = engine.model
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
    noise = box_noise(~state.seed[owner], state.frame[owner] * config.search_crops + number, config.samples)
    # By the first view: the recent one may be what led astray. Who is not where it was looked for may have come back
    # elsewhere: one more step of the chain, and no motion prior.
    sides = regions[:, 2:] / model.config.search_factor
    looked = state.select(owner)._replace(
        template=state.first.select(owner),
        box=torch.cat((regions[:, :2], sides, sides), 1),
        factor=torch.full_like(sides[:, 0], model.config.search_factor),
    )
    settings = Settings.of(model.config, config, motion=False)
    found = engine.estimate(looked, crops, noise, settings, config)
    boxes, posterior = found.box, found.posterior
    best = torch.stack(
        [(owner == i).nonzero().flatten()[posterior.log_z[owner == i].argmax()] for i in range(len(grids))]
    )
    presence = torch.sigmoid(torch.logit(posterior.presence[best]) - torch.tensor(totals, device=device).log())
    seen, found_again = presence >= config.found_above, presence >= config.present_above
    chosen = posterior[best]
    chosen = Posterior(chosen.samples, chosen.log_weights, chosen.log_z, presence)
    return (
        state._replace(
            box=torch.where(seen.unsqueeze(1), keep_sane(boxes[best], state.frame_size), state.box),
            factor=torch.where(seen, torch.full_like(state.factor, model.config.search_factor), state.factor),
            presence=presence,
            lost=torch.where(found_again, torch.zeros_like(state.lost), state.lost),
        ),
        chosen,
        seen,
    )
