"""Validation of a training run by tracking whole clips from their first boxes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field

from evaluation.figures import tracking_figures
from evaluation.lockstep import AnnotatedSequence, track_sequences
from evaluation.sequences import read_sequences
from ltr_train.data.bank import in_split
from ltr_train.data.clip_config import RenderConfig
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.rendered import rendered_clips
from ltr_train.validation_clips import LEAST_FRAMES, held_out_clips
from networks.config import StrictModel
from networks.model import EnergyTracker
from networks.weights import WeightsInfo
from tracker.config import TrackerConfig
from tracker.online import Tracker

LEVEL = 0.9
"""Of the credible intervals whose coverage is measured."""
FIGURES = {
    "ao": "track_ao",
    "sr50": "track_sr50",
    "coverage": "track_coverage90",
    "sharpness": "track_sharpness90",
    "presence_auroc": "track_presence_auroc",
    "presence_ece": "track_presence_ece",
}
"""Names of the figures of `evaluation.figures.tracking_figures` in a run's log."""


class ValidationConfig(StrictModel):
    """What is tracked to validate."""

    clips: int = Field(16, ge=1)
    """Most clips of what the training data holds out, or of ``sequences``."""
    rendered: int = Field(16, ge=0)
    """Clips rendered from what the training data holds out; in half of them the target leaves and returns. None where
    ``sequences`` are given."""
    frames: int = Field(60, ge=2 * LEAST_FRAMES)
    """Most frames of a clip."""
    sequences: Path | None = None
    """Folder of annotated sequences, one folder each with ``groundtruth.txt`` and ``video.mp4`` or numbered pictures,
    to validate on instead of held-out data; relative to the working folder."""
    batch: int = Field(16, ge=1)
    """Clips that are tracked together."""


def validation_clips(
    corpus: Corpus, pairs: PairConfig, config: ValidationConfig, seed: int
) -> Sequence[AnnotatedSequence]:
    """What a run is validated on: the configured folder's sequences, or clips made of what the corpus holds out.

    Sequences are cut to the configured number of frames, and chosen evenly by name where there are too many.

    Args:
        corpus: of training.
        pairs: names the held-out share.
        config: how many clips and frames.
        seed: of the choice among held-out clips, and of the rendered ones.

    Returns:
        None at all where the corpus holds out nothing that can be tracked.

    Raises:
        ValueError: the configured folder holds no sequences.
    """
    if config.sequences is None:
        held_out = pairs.model_copy(update={"split": "val"})
        if not any(in_split(picture.clip, held_out) for picture in corpus.pictures):
            return []
        render = RenderConfig(clips=config.rendered, frames=config.frames)
        return [
            *held_out_clips(corpus, pairs, config.clips, config.frames, seed),
            *rendered_clips(corpus, held_out, render, seed),
        ]
    found = read_sequences(config.sequences)
    even = np.linspace(0, len(found) - 1, min(config.clips, len(found))).round().astype(int)
    return [replace(found[i], groundtruth=found[i].groundtruth[: config.frames]) for i in even]


def validate_by_tracking(
    model: EnergyTracker, clips: Sequence[AnnotatedSequence], tracker_config: TrackerConfig, batch: int, seed: int
) -> dict[str, float]:
    """Figures of a model in training on whole clips, tracked as a user would, from their first boxes.

    Args:
        model: stays as it is; a fused copy of it tracks, on the same device.
        clips: from `validation_clips`.
        tracker_config: how to track.
        batch: clips tracked together.
        seed: of the sampler.

    Returns:
        The mean over clips of ``track_ao`` and ``track_sr50``; over the frames of all, ``track_coverage90`` and
        ``track_sharpness90`` of the 90 % intervals where IoU is above 0, ``track_presence_auroc`` and
        ``track_presence_ece``, in which frames with and without the target weigh the same. A figure that is not defined
        is left out, for example those of presence where no target is ever absent.
    """
    if not clips:
        return {}
    device = next(model.parameters()).device
    parameters = sum(parameter.numel() for parameter in model.parameters())
    info = WeightsInfo(Path("in training"), "in training", "none", parameters, model.config, {})
    tracker = Tracker(copy.deepcopy(model), info, device, seed, tracker_config)
    found = tracking_figures(track_sequences(tracker, clips, batch, (LEVEL,)))
    return {FIGURES[name]: value for name, value in found.items() if name in FIGURES}
