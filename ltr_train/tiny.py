"""Any configuration in miniature: the same parts, in seconds on a CPU."""

from __future__ import annotations

from typing import Any

SMALL = (
    "model.backbone.stem_width=16",
    "model.backbone.widths=[16, 16, 32]",
    "model.backbone.depths=[1, 1, 1]",
    # It would fix the network's size.
    "model.backbone.timm_start=null",
    "model.channels=16",
    "model.energy_channels=8",
    "model.proposal_width=16",
    "model.energy_width=16",
    "model.template_size=64",
    "model.search_size=128",
    "data.workers=0",
    # Of a few clips, a twentieth would be none.
    "pairs.holdout=0.5",
    "validation.clips=2",
    "validation.rendered=2",
    "validation.frames=16",
    "validation.batch=2",
    "steps=6",
    "batch=4",
    "samples=8",
    "warmup=2",
    "log_every=2",
    "validate_every=3",
    "validation_pairs=8",
)
PICTURES = 24
"""Most stills or clips of each data set."""


def miniature(content: dict[str, Any]) -> list[str]:
    """Overrides that make a configuration small: the network, the steps, and what is read of each data set.

    Method, kind of blocks, readers and recipe stay.

    Args:
        content: of the configuration's file.
    """
    data = content.get("data")
    sets = data.get("sets") if isinstance(data, dict) else None
    if not isinstance(sets, list):
        return [*SMALL, f"data.sets=[{{reader: coco_tracks, limit: {PICTURES}}}]"]
    return [*SMALL, *(f"data.sets.{number}.limit={PICTURES}" for number in range(len(sets)))]
