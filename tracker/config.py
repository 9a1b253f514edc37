"""How the tracker works online; one setting for all sequences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from networks.config import StrictModel


class TrackerConfig(StrictModel):
    """Sampling, refinement, motion, presence, the template over time, and search."""

    samples: int = Field(128, ge=8)
    """M, boxes drawn from the sampler in each crop."""
    estimate: Literal["mode", "mean", "proposal"] = "mode"
    """The point estimate: the strongest mode, the mean of all weighted samples, or the proposal's best component."""
    refine_steps: int = Field(1, ge=0)
    """Steps of gradient ascent on the score, each to the best of several places along the gradient."""
    refine_boxes: int = Field(3, ge=1)
    """Best samples that are refined."""
    motion_scale: float = Field(0.2, gt=0)
    """Scale of the heavy-tailed prior of the centre's displacement between frames, in units of the crop."""
    motion_log_size: float = Field(0.3, gt=0)
    """Scale of the prior of the change of log width and log height between frames."""
    motion: bool = True
    """Whether the motion prior takes part in the weights."""
    size_rate: float = Field(0.5, gt=0, le=1)
    """Share of a frame's estimate in the smoothed size."""
    steady_rate: float = Field(0.03, gt=0, le=1)
    """Share of the smoothed size in the steady size, which a lost target goes back to."""
    evidence: float = Field(0.6, gt=0, le=1)
    """Power of a frame's evidence for presence: neighbouring frames err alike, so that they count for less than frames
    that are independent."""
    leave_rate: float = Field(0.2, gt=0, lt=1)
    """Prior probability that a target which is present is absent in the next frame."""
    return_rate: float = Field(0.05, gt=0, lt=1)
    """Prior probability that a target which is absent is present in the next frame."""
    present_above: float = Field(0.5, ge=0, le=1)
    """Presence from which a frame's estimate changes the target's size; below it the target counts as lost."""
    found_above: float = Field(0.05, ge=0, le=1)
    """Presence, after paying for the number of crops, from which the target is looked for where the whole-frame search
    places it. It counts as found from `present_above` on, which the next frames there may bring."""
    template_share: float = Field(0.0, ge=0, lt=1)
    """Share of a recent view in the template, for example 0.35; 0 keeps to the first view alone."""
    template_every: int = Field(5, ge=1)
    """Frames between two looks at whether the recent view may be renewed."""
    template_above: float = Field(0.98, ge=0, le=1)
    """P(present and near the estimate) above which a view may be kept."""
    template_known: float = Field(0.8, ge=0, le=1)
    """The same by the first view alone, which must recognise a view that is kept."""
    region_growth: float = Field(1.05, ge=1)
    """Growth of the search region for each lost frame."""
    region_growth_limit: float = Field(1.25, ge=1)
    """Largest search region over the normal one."""
    search_after: int = Field(3, ge=1)
    """Lost frames before the whole frame is searched."""
    search_every: int = Field(2, ge=1)
    """Lost frames between two searches of the whole frame."""
    search_zoom: float = Field(1.0, ge=1)
    """Side of a crop of the whole-frame search over that of the normal search region."""
    search_crops: int = Field(16, ge=1)
    """Most crops of one whole-frame search; a larger grid is searched in turns."""
    search: bool = True
    """Whether presence drives the search region and the whole-frame search."""
