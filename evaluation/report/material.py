"""What a report is made of: the scores of trackers on the same sequences, and what they said of their certainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from evaluation.calibration import Calibration, calibrate
from evaluation.conventions import CONVENTIONS
from evaluation.metrics import Floats, box_iou, frames_per_second
from evaluation.results import POSTERIOR, Result, read_result
from evaluation.scoring import Labelled, TrackerScore
from evaluation.stored import read_times


@dataclass(frozen=True)
class Answers:
    """What a tracker said beside what was there, where that is known; one `evaluation.calibration.Judged`."""

    groundtruth: Floats
    boxes: Floats
    presence: Floats
    low: Floats
    high: Floats

    @property
    def overlap(self) -> Floats:
        """``[T]`` IoU; nan where the target is absent."""
        return box_iou(self.boxes, self.groundtruth)


def answers(result: Result, sequence: Labelled) -> Answers | None:
    """Leaves out the frames that are neither annotated nor labelled as absent, and those that only one of the two has;
    None where presence is not given."""
    if result.presence is None:
        return None
    annotated = ~np.isnan(sequence.groundtruth).any(1) | sequence.absent
    annotated[0] = True
    known = np.flatnonzero(annotated[: len(result.boxes)])
    nothing = np.empty((0, len(result.boxes), 4))
    low, high = (nothing if ends is None else ends for ends in (result.low, result.high))
    return Answers(
        sequence.groundtruth[known], result.boxes[known], result.presence[known], low[:, known], high[:, known]
    )


@dataclass(frozen=True)
class Certainty:
    """How true the probabilities of one tracker are."""

    sequences: int
    calibration: Calibration
    levels: tuple[float, ...]
    """Of the intervals; none where the tracker gives none."""
    overlap: tuple[Floats, ...]
    """``[T]`` IoU of each sequence, first frames left out; nan where the target is absent."""
    presence: tuple[Floats, ...]
    """``[T]`` P(present) in the same frames."""


@dataclass(frozen=True)
class Speed:
    """Time of a tracker over all of its sequences."""

    frames_a_second: float
    """As the convention defines it, over the frames after the first of each sequence."""
    frames: int
    """These frames."""
    seconds: float
    """Of the tracker in them."""
    start_seconds: float
    """Mean of the first frames."""


@dataclass(frozen=True)
class Contestant:
    """A tracker with all that is known of it."""

    name: str
    score: TrackerScore
    boxes: Mapping[str, Floats]
    """``[T, 4]`` by sequence."""
    folder: Path
    certainty: Certainty | None
    """None where it says nothing of presence in one of the sequences or more."""
    speed: Speed | None
    """None where times were not kept of each sequence."""


@dataclass(frozen=True)
class Material:
    """All of a report, read and scored."""

    dataset: str
    sequences: Sequence[Labelled]
    """Those that have ``frames()`` too are shown in pictures."""
    attributes: Mapping[str, Sequence[str]]
    """Names of the sequences by attribute."""
    contestants: Sequence[Contestant]
    """The tracker that the report is about comes first, the others by their figure."""
    notes: Sequence[str] = ()
    """What of the results is not compared."""

    @property
    def first(self) -> Contestant:
        """The tracker that stands out."""
        return self.contestants[0]

    @property
    def trackers(self) -> list[str]:
        """Names of all."""
        return [contestant.name for contestant in self.contestants]

    @property
    def frames(self) -> int:
        """Of all sequences."""
        return sum(len(sequence.groundtruth) for sequence in self.sequences)


def contestant(
    files: Mapping[str, Path], boxes: Mapping[str, Floats], score: TrackerScore, sequences: Sequence[Labelled]
) -> Contestant:
    """Adds to a tracker's scored boxes what lies beside their files: times, and posteriors of `evaluation.results`.

    Raises:
        ValueError: a file of posteriors or times is damaged.
    """
    tracked = [sequence for sequence in sequences if sequence.name in boxes]
    folder = files[tracked[0].name].parent
    found: list[Result] = []
    if (folder / POSTERIOR).is_dir():
        found = [read_result(folder, files[sequence.name].stem) for sequence in tracked]
    speed = _speed(read_times(files, boxes), CONVENTIONS[score.convention].speed)
    return Contestant(score.tracker, score, boxes, folder, _certainty(found, tracked), speed)


def _certainty(results: Sequence[Result], sequences: Sequence[Labelled]) -> Certainty | None:
    judged = [answers(result, sequence) for result, sequence in zip(results, sequences, strict=False)]
    known = [one for one in judged if one is not None]
    levels = {result.levels for result in results}
    if not known or len(known) < len(judged):
        return None
    if len(levels) > 1:
        # Made by versions of a program that differ: their intervals are not those of one tracker.
        known = [Answers(one.groundtruth, one.boxes, one.presence, one.low[:0], one.high[:0]) for one in known]
    return Certainty(
        len(known),
        calibrate(known),
        levels.pop() if len(levels) == 1 else (),
        tuple(one.overlap[1:] for one in known),
        tuple(one.presence[1:] for one in known),
    )


def _speed(times: Sequence[Floats], definition: Literal["n / sum of t", "mean of 1 / t"]) -> Speed | None:
    seconds = float(sum(of[1:].sum() for of in times))
    if not seconds > 0:
        return None
    rate = frames_per_second([of[1:] for of in times], definition)
    return Speed(rate, sum(len(of) - 1 for of in times), seconds, float(np.mean([of[0] for of in times])))


def by_attribute(sequences: Sequence[Labelled]) -> dict[str, list[str]]:
    """Names of the sequences by attribute, the most common attribute first."""
    found: dict[str, list[str]] = {}
    for sequence in sequences:
        for attribute in getattr(sequence, "attributes", ()):
            found.setdefault(attribute, []).append(sequence.name)
    return dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])))
