"""Short clips rendered from cut-outs and pictures, with exact ground truth in every frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.bank import Bank
from ltr_train.data.clip_config import RenderConfig
from ltr_train.data.clip_staging import stage_clip
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.cv2_photometry import changed
from ltr_train.data.paths import wander
from ltr_train.data.photometric import Change, Photometry
from ltr_train.data.stage import Stage
from networks.config import ModelConfig

ABSENT = 0.1
"""A target of whose area less than this lies in the frame, not hidden, is absent."""
_DRAWS = 40
_THINNEST = 12.0
_WIDEST = 0.5
_STRETCH = 0.15
"""Most change of log w or log h from a frame to the next."""
_CLEAR_AT_FIRST = 0.85
_CONTRAST = 20.0
"""Grey levels by which a target must differ from what is behind it when both are seen coarsely."""


@dataclass(frozen=True)
class RenderedClip:
    """A clip that is rendered as it is read; an `evaluation.lockstep.AnnotatedSequence`."""

    name: str
    category: str
    """Of the target, as its source names it; ``patch`` where it is no annotated object."""
    stage: Stage
    changes: tuple[Change, ...]
    """Photometric change of every frame."""
    groundtruth: NDArray[np.float64]
    """``[T, 4]`` x, y, w, h of what of the whole target lies in the frame, also where something hides it; nan where
    less than ``ABSENT`` of the target is visible."""
    extents: NDArray[np.float64]
    """``[T, 4]`` of the whole target, also of what is outside."""
    visible: NDArray[np.float64]
    """``[T]`` share of the target's area in the frame and behind nothing."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The frames, H x W x 3 uint8 BGR."""
        for number, change in enumerate(self.changes):
            yield changed(self.stage.frame(number), change)


def rendered_clips(corpus: Corpus, pairs: PairConfig, config: RenderConfig, seed: int) -> list[RenderedClip]:
    """Clips of one split of a corpus, each determined by seed and number alone.

    Args:
        corpus: Pictures, annotations and tracks.
        pairs: Names the split, the weights of sources, and how often there is blur, noise and the like.
        config: How many clips, and what they are like.
        seed: Together with a clip's number determines the clip.

    Returns:
        The clips; those are left out for which many draws gave no target that can be told from what is behind it, of
        fit size and speed. In ``config.leaving`` of them it is absent for a while, and there before and after.

    Raises:
        ValueError: The split holds no picture.
    """
    bank = Bank(corpus, pairs, ModelConfig())
    drawn = (_clip(bank, pairs, config, seed, number) for number in range(config.clips))
    return [clip for clip in drawn if clip is not None]


def _clip(bank: Bank, pairs: PairConfig, config: RenderConfig, seed: int, number: int) -> RenderedClip | None:
    leaves = math.floor((number + 1) * config.leaving) > math.floor(number * config.leaving)
    for draw in range(_DRAWS):
        rng = np.random.default_rng([seed, number, draw])
        staged = stage_clip(bank, config, rng, leaves)
        if staged is None:
            continue
        stage, annotation = staged
        extents = np.array([stage.actors[stage.target].extent(frame) for frame in range(config.frames)])
        if not _smooth(extents, config):
            continue
        visible = np.array([stage.clear(frame)[1] for frame in range(config.frames)])
        if not (_in_order(visible, leaves) and _of_fit_size(extents[visible >= ABSENT], config)):
            continue
        drift = rng.uniform(0.0, 0.3) * wander(rng, config.frames, 7, 60.0, 240.0)
        changes = Photometry(pairs, rng).clip(drift, config.width, config.height)
        if not _distinct(stage, changes, extents, visible):
            continue
        category = "patch" if annotation is None else annotation.category
        name = f"rendered_{pairs.split}_{seed}_{number:04d}"
        boxes = np.array([stage.box(frame) for frame in range(config.frames)])
        truth = np.where(visible[:, None] < ABSENT, np.nan, boxes)
        return RenderedClip(name, category, stage, tuple(changes), truth, extents, visible)
    return None


def _smooth(extents: NDArray[np.float64], config: RenderConfig) -> bool:
    """The target neither leaps, where any of it is in the frame, nor swells."""
    x, y, w, h = extents.T
    inside = (x + w > 0.0) & (y + h > 0.0) & (x < config.width) & (y < config.height)
    steps = np.linalg.norm(np.diff(extents[:, :2] + 0.5 * extents[:, 2:], axis=0), axis=1)
    sizes = np.sqrt(extents[:-1, 2] * extents[:-1, 3])
    stretch = np.abs(np.diff(np.log(extents[:, 2:]), axis=0))
    slow = (steps <= config.speed * sizes) | ~(inside[:-1] | inside[1:])
    return bool(slow.all() and (stretch <= _STRETCH).all())


def _in_order(visible: NDArray[np.float64], leaves: bool) -> bool:
    """The target is there at first; it leaves and returns where it is to, and is never absent elsewhere."""
    absent = visible < ABSENT
    if visible[0] < _CLEAR_AT_FIRST or absent.any() != leaves:
        return False
    return not leaves or bool(absent.sum() >= 3 and absent.mean() <= 0.5 and not absent[-3:].any())


def _of_fit_size(extents: NDArray[np.float64], config: RenderConfig) -> bool:
    """The target is neither tiny nor wider or higher than half of the frame."""
    largest = np.array([config.width, config.height]) * _WIDEST
    return bool((extents[:, 2:] >= _THINNEST).all() and (extents[:, 2:] <= largest).all())


def _distinct(stage: Stage, changes: list[Change], extents: NDArray[np.float64], visible: NDArray[np.float64]) -> bool:
    """The target can be told from what is behind it: in the first frame, and in most of some others."""
    clear = np.flatnonzero(visible > 0.5)
    differences = []
    for number in (0, *(int(clear[len(clear) * part // 4]) for part in (1, 2, 3))):
        # What is a quarter of the target's size; a fine pattern hides in another one.
        grain = max(1.0, math.sqrt(extents[number, 2] * extents[number, 3]) / 8.0)
        shown, bare = (
            cv2.GaussianBlur(changed(stage.frame(number, without), changes[number]), (0, 0), grain).astype(np.int16)
            for without in ((), (stage.target,))
        )
        columns, rows = stage.clear(number)[0].astype(np.intp).T
        differences.append(np.abs(shown - bare)[rows, columns].max(axis=1).mean())
    return bool(differences[0] >= _CONTRAST and np.count_nonzero(np.array(differences) >= _CONTRAST) >= 3)
