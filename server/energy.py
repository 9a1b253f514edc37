"""The energy map: the score over positions in the search region (docs/method.md, section 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.model import EnergyTracker
from tracker.regions import crop
from tracker.state import State

SIZE = 24
"""Rows and columns of a map."""


def energy_maps(model: EnergyTracker, state: State, images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """The score f of boxes of the targets' present sizes, centred on a grid over their search regions.

    Args:
        model: the networks, in inference mode.
        state: of ``N`` targets, before the frame.
        images: their frames, H x W x 3 uint8 BGR.

    Returns:
        ``[N, SIZE, SIZE]``, rows from the top, scaled to run from 0 to 1 in each map.
    """
    region = state.region
    with torch.inference_mode(False), torch.no_grad():
        search = model.features(crop(images, region, model.config.search_size))
        centre = (torch.arange(SIZE, device=region.device) + 0.5) / SIZE - 0.5
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        centres = torch.stack((x.flatten(), y.flatten()), 1).expand(len(region), -1, -1)
        sizes = (state.box[:, 2:] / region[:, 2:]).log().unsqueeze(1).expand_as(centres)
        score = model.score(state.template, search, torch.cat((centres, sizes), 2))
    low, high = score.amin(1, keepdim=True), score.amax(1, keepdim=True)
    return ((score - low) / (high - low).clamp_min(1e-9)).reshape(-1, SIZE, SIZE)
