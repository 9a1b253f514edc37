"""One sequence tracked by a contestant."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch

from evaluation.contestants import Contestant
from evaluation.lockstep import AnnotatedSequence
from evaluation.results import LEVELS, Result
from tracker.track import Track

Box = tuple[float, float, float, float]


class TrackingError(Exception):
    """A contestant failed, or its sequence could not be read.

    Args:
        frame: at which, from 0.
        reason: why.
    """

    def __init__(self, frame: int, reason: Exception) -> None:
        super().__init__(str(reason))
        self.frame = frame
        self.reason = reason


def seed_all(seed: int) -> None:
    """Sets the generators that a contestant may draw from, so that a sequence depends on nothing before it."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # a contestant's own choice
    torch.manual_seed(seed)
    cv2.setRNGSeed(seed % 2**31)


def track_with(contestant: Contestant, sequence: AnnotatedSequence) -> Result:
    """Tracks a sequence from its first box.

    Returns:
        Presence, effective sample size and intervals only where all updates gave a `tracker.Track`.

    Raises:
        TrackingError: anything went wrong; it holds the frame.
    """
    count = len(sequence.groundtruth)
    boxes: list[Box] = [_box(sequence.groundtruth[0])]
    tracks: list[Track] = []
    seconds: list[float] = []
    try:
        for frame, image in _expected(sequence.frames(), count):
            begun = time.perf_counter()
            answer = contestant.update(image) if frame else contestant.init(image, boxes[0])
            took = time.perf_counter() - begun
            if frame:
                boxes.append(_answer(answer, boxes[-1]))
                if isinstance(answer, Track):
                    tracks.append(answer)
            seconds.append(took)
    except Exception as error:
        raise TrackingError(len(seconds), error) from error
    times = np.array(seconds)
    if len(tracks) != count - 1 or not tracks:
        return Result(sequence.name, np.array(boxes), seconds=times)
    return _with_posterior(Result(sequence.name, np.array(boxes), seconds=times), tracks)


def _expected(frames: Iterator[Any], count: int) -> Iterator[tuple[int, Any]]:
    """Numbered frames, as many as are annotated."""
    number = -1
    for number, image in enumerate(frames):
        if number == count:
            raise ValueError(f"the sequence has more frames, {count} are annotated")
        yield number, image
    if number + 1 < count:
        raise ValueError(f"the sequence ends after {number + 1} frames, {count} are annotated")


def _answer(answer: Any, last: Box) -> Box:
    if isinstance(answer, Track):
        return answer.box
    if isinstance(answer, tuple | list) and len(answer) == 2:
        found, answer = answer
        if not found:
            return last
    return _box(answer)


def _box(values: Any) -> Box:
    try:
        x, y, w, h = (float(value) for value in values)
    except (TypeError, ValueError):
        raise ValueError(f"update gave {values!r}, expected a box x, y, w, h, or (found, box)") from None
    if not np.isfinite((x, y, w, h)).all():
        raise ValueError(f"the box {values} is not finite")
    return x, y, w, h


def _with_posterior(result: Result, tracks: list[Track]) -> Result:
    def column(values: list[Any]) -> Any:
        return np.array([np.full_like(np.asarray(values[0], np.float64), np.nan), *values], np.float64)

    ends = [[track.posterior.interval(level) for level in LEVELS] for track in tracks]
    low, high = (
        np.stack([column([of[number][end].numpy() for of in ends]) for number in range(len(LEVELS))]) for end in (0, 1)
    )
    presence = column([track.presence for track in tracks])
    ess = column([float(track.posterior.ess) for track in tracks])
    return Result(result.name, result.boxes, presence, ess, LEVELS, low, high, result.seconds)
