"""Scores of a tracker's boxes on annotated sequences, by the rules of a convention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from evaluation.conventions import NORMALISED, PIXELS, Convention, convention_named
from evaluation.curves import FrameErrors, frame_errors, share_above, share_within
from evaluation.metrics import Bools, Floats, count_failures, mean_of_known

FIGURES = ("auc", "op50", "op75", "precision", "normalised_precision", "ao", "sr50", "sr75", "failures")
"""Names of the figures: shares between 0 and 1, but for ``failures``, which is a count."""
_PRECISION_AT, _NORMALISED_AT = 20, 20
_TO_ONE_BASED = np.array([1.0, 1.0, 0.0, 0.0])


class ScoreError(ValueError):
    """Boxes cannot be scored; the message names tracker, sequence, and the file where it is known."""


class Labelled(Protocol):
    """A sequence of ``T`` frames that boxes are compared with; its pictures need not be at hand."""

    @property
    def name(self) -> str:
        """Of the sequence."""

    @property
    def groundtruth(self) -> Floats:
        """``[T, 4]`` x, y, w, h in pixels; nan where the target is absent, or the frame is not annotated."""

    @property
    def absent(self) -> Bools:
        """``[T]`` labelled as absent."""


class SequenceScore(NamedTuple):
    """Scores of one sequence of ``T`` frames."""

    name: str
    frames: int
    """Frames that count: the divisor of the shares."""
    success: Floats
    """``[K]`` share of the frames whose overlap is above each threshold of the convention."""
    precision: Floats
    """``[51]`` share of the frames whose centres are within 0, 1, ..., 50 pixels."""
    normalised_precision: Floats
    """``[51]`` the same over 0, 0.01, ..., 0.5 of the target's size."""
    overlap: Floats
    """``[T]`` IoU with the box as it was tracked; nan where there is no target, or the frame does not count."""
    failures: int
    """How often the box left the target: frames without overlap that follow one with overlap, absent ones aside."""


@dataclass(frozen=True)
class TrackerScore:
    """Scores of one tracker on a set of sequences."""

    tracker: str
    convention: str
    sequences: tuple[SequenceScore, ...]
    """In the order of the data set; at least one with a frame that counts."""

    @cached_property
    def figures(self) -> dict[str, float]:
        """The `FIGURES` over all sequences: ``failures`` is their sum, the others means as the convention has them."""
        means = {name: self._mean(list(self.per_sequence(name).values())) for name in FIGURES[:-1]}
        return {name: float(value) for name, value in means.items()} | {
            "failures": float(sum(s.failures for s in self.sequences))
        }

    @property
    def weights(self) -> dict[str, float]:
        """What each sequence weighs in a mean: 1, or its frames where the convention's mean is over frames."""
        by_frames = convention_named(self.convention).over == "frames"
        return {s.name: float(s.frames if by_frames else 1) for s in self.sequences}

    def curve(self, name: str) -> tuple[Floats, Floats]:
        """Thresholds and the mean over sequences of ``success``, ``precision`` or ``normalised_precision``."""
        thresholds = {
            "success": convention_named(self.convention).overlaps,
            "precision": PIXELS,
            "normalised_precision": NORMALISED,
        }
        if name not in thresholds:
            raise ValueError(f"no curve {name!r}: choose one of {', '.join(thresholds)}")
        return thresholds[name], self._mean([getattr(s, name) for s in self.sequences])

    def per_sequence(self, figure: str) -> dict[str, float]:
        """One of the `FIGURES` of each sequence, by name; nan where no frame counts."""
        if figure not in FIGURES:
            raise ValueError(f"no figure {figure!r}: choose one of {', '.join(FIGURES)}")
        convention = convention_named(self.convention)
        return {s.name: _figure(s, figure, convention) for s in self.sequences}

    def _mean(self, values: list[Floats] | list[float]) -> Floats:
        table, weights = np.array(values), np.array(list(self.weights.values()))
        known = ~np.isnan(table).reshape(len(table), -1).any(1)
        if not known.any():
            return np.full(table.shape[1:], np.nan)
        mean: Floats = np.average(table[known], axis=0, weights=weights[known])
        return mean


def score_tracker(
    tracker: str,
    boxes: Mapping[str, Floats],
    sequences: Iterable[Labelled],
    convention: str = "otb",
    strict: bool = True,
    one_based: bool = False,
    files: Mapping[str, Path] | None = None,
) -> TrackerScore:
    """Compares a tracker's boxes with the ground truth.

    Args:
        tracker: its name.
        boxes: ``[T, 4]`` x, y, w, h in pixels by name of sequence; the first one is not looked at, it was given.
        sequences: what to score; boxes of others are left alone.
        convention: one of `evaluation.conventions.CONVENTIONS`.
        strict: every sequence must have a box for each frame. Otherwise sequences without boxes are left out, and
            where there are fewer boxes or annotations than the other, the frames that both have are compared.
        one_based: the boxes are 1-based, as in OTB's files; only the rules on boxes that are not positive look at it.
        files: where the boxes come from, for messages.

    Raises:
        ScoreError: boxes are missing, too few or too many, or not finite; nothing is annotated beyond a first frame.
        ValueError: there is no such convention.
    """
    rules, files = convention_named(convention), files or {}
    scores, missing = [], []
    for sequence in sequences:
        if sequence.name not in boxes:
            missing.append(sequence.name)
            continue
        where = f"{tracker} on {sequence.name}"
        where += f" ({files[sequence.name]})" if sequence.name in files else ""
        scores.append(_score(np.asarray(boxes[sequence.name], float), sequence, rules, strict, one_based, where))
    if missing and (strict or not scores):
        raise ScoreError(
            f"{tracker} has no boxes for {missing[0]} ({len(missing)} of {len(missing) + len(scores)} sequences are "
            "missing): complete them, or score those there are, without --strict"
        )
    if not any(score.frames for score in scores):
        raise ScoreError(f"{tracker}: no sequence has a frame that counts by the convention {convention}")
    return TrackerScore(tracker, convention, tuple(scores))


def _score(
    boxes: Floats, sequence: Labelled, rules: Convention, strict: bool, one_based: bool, where: str
) -> SequenceScore:
    groundtruth, absent = sequence.groundtruth, sequence.absent
    _check(boxes, groundtruth, absent, strict, where)
    frames = min(len(boxes), len(groundtruth))
    groundtruth, absent = groundtruth[:frames], absent[:frames].copy()
    boxes = np.concatenate((groundtruth[:1], boxes[1:frames]))
    if rules.empty_boxes == "previous":
        boxes = _without_empty(boxes)
    known = np.isfinite(groundtruth).all(1)
    empty = known & (groundtruth[:, 2:] <= 0).any(1)
    if rules.unusual == "absent":
        absent |= empty
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = frame_errors(boxes, groundtruth)
    counted = (known | absent) if rules.absent == "failure" else (known & ~absent)
    counted[0] &= rules.first_frame
    overlap = np.where(counted & ~absent & ~empty, errors.overlap, np.nan)
    overlaps, *distances = (values[counted] for values in _marked(errors, groundtruth, absent, rules, one_based))
    return SequenceScore(
        sequence.name,
        len(overlaps),
        share_above(overlaps, rules.overlaps),
        share_within(distances[0], PIXELS),
        share_within(distances[1], NORMALISED),
        overlap,
        count_failures(overlap),
    )


def _check(boxes: Floats, groundtruth: Floats, absent: Bools, strict: bool, where: str) -> None:
    if boxes.ndim != 2 or boxes.shape[1:] != (4,) or not len(boxes):
        raise ScoreError(f"{where}: boxes of shape {list(boxes.shape)}, expected x, y, w, h for each frame")
    wrong = np.flatnonzero(~np.isfinite(boxes).all(1))
    if len(wrong):
        raise ScoreError(f"{where}: line {wrong[0] + 1} is {boxes[wrong[0]].tolist()}, expected four finite numbers")
    if strict and len(boxes) != len(groundtruth):
        fewer = "ends after" if len(boxes) < len(groundtruth) else "has"
        raise ScoreError(
            f"{where}: {fewer} {len(boxes)} lines, {len(groundtruth)} frames are annotated; without --strict the "
            "frames that both have are compared"
        )
    if len(groundtruth) > 1 and not (np.isfinite(groundtruth).all(1) | absent)[1:].any():
        raise ScoreError(
            f"{where}: only the first frame is annotated; the ground truth of this benchmark is not public, and its "
            "server scores the boxes"
        )


def _marked(
    errors: FrameErrors, groundtruth: Floats, absent: Bools, rules: Convention, one_based: bool
) -> tuple[Floats, Floats, Floats]:
    """Overlap and distances with the values that the convention gives to frames that cannot be compared."""
    pixels = groundtruth if one_based else groundtruth + _TO_ONE_BASED
    centre = pixels[:, :2] + 0.5 * (pixels[:, 2:] - 1)
    if rules.unusual == "otb":
        no_overlap = near = _any_not_above_zero(pixels)
    elif rules.unusual == "pysot":
        no_overlap, near = _any_not_above_zero(pixels[:, 2:]), _any_not_above_zero(centre)
    else:
        no_overlap = near = np.zeros(len(pixels), bool)
    distance, normalised = (np.where(absent, np.inf, np.where(near, -1.0, values)) for values in errors[1:])
    return np.where(no_overlap | absent, -1.0, errors.overlap), distance, normalised


def _any_not_above_zero(rows: Floats) -> Bools:
    return np.any(rows <= 0, axis=1)


def _without_empty(boxes: Floats) -> Floats:
    """Boxes without width or height replaced by the last one that has both; the first is the ground truth."""
    index = np.where((boxes[:, 2:] > 0).all(1), np.arange(len(boxes)), 0)
    filled: Floats = boxes[np.maximum.accumulate(index)]
    return filled


def _figure(score: SequenceScore, figure: str, rules: Convention) -> float:
    def success_at(threshold: float) -> float:
        return float(score.success[round(threshold * (rules.success_thresholds - 1))])

    # AO and SR are GOT-10k's in every convention: the first frame, whose box is given, is no achievement.
    after_first = score.overlap[1:]
    if figure == "auc":
        return float(score.success.mean())
    if figure in ("op50", "op75"):
        return success_at(int(figure[2:]) / 100)
    if figure == "precision":
        return float(score.precision[_PRECISION_AT])
    if figure == "normalised_precision":
        curve = score.normalised_precision
        return float(curve.mean() if rules.normalised == "mean of 0 to 0.5" else curve[_NORMALISED_AT])
    if figure == "ao":
        return mean_of_known(after_first)
    if figure == "failures":
        return float(score.failures)
    return mean_of_known(np.where(np.isnan(after_first), np.nan, after_first > int(figure[2:]) / 100))
