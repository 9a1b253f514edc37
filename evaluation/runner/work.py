"""What a tracking process does: takes sequences one after the other and reports how each ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import ebtrack
from evaluation.contestants import make_contestant
from evaluation.contestants.python import told
from evaluation.contestants.tracking import TrackingError, seed_all, track_with
from evaluation.lockstep import AnnotatedSequence, SequenceFailure, SequenceResult, track_in_lockstep
from evaluation.results import LEVELS, Result
from evaluation.runner.plan import TrackerPlan
from evaluation.runner.reading import ReadAhead


@dataclass(frozen=True)
class Progress:
    """A frame was handed to the tracker."""

    name: str
    frame: int


@dataclass(frozen=True)
class Failed:
    """A sequence was given up."""

    name: str
    frame: int
    reason: str


Report = Progress | Failed | Result
Reporter = Callable[[Report], None]


def work(
    plan: TrackerPlan, device: str, readers: int, sequences: Iterable[AnnotatedSequence], report: Reporter
) -> None:
    """Tracks sequences as they come. The CPU is used by one thread, so that numbers do not depend on its cores.

    Args:
        plan: the tracker.
        device: where our tracker runs.
        readers: processes that decode its frames.
        sequences: the next one is asked for when there is room for it.
        report: called with the result or failure of each, and with each frame.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    # Some of its trackers warn once a sequence.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    with ReadAhead(readers) as ahead:
        coming = (_Ahead(sequence, ahead, report) for sequence in sequences)
        track = _track_others if plan.contestant else _track_ours
        for outcome in track(plan, device, coming):
            report(outcome)


class _Ahead:
    """A sequence whose frames are read ahead, and reported as they are handed out."""

    def __init__(self, sequence: AnnotatedSequence, ahead: ReadAhead, report: Reporter) -> None:
        self.name = sequence.name
        self.groundtruth = sequence.groundtruth
        self._sequence = sequence
        self._ahead = ahead
        self._report = report

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        for number, image in enumerate(self._ahead.frames(self._sequence)):
            self._report(Progress(self.name, number))
            yield image


def _track_ours(plan: TrackerPlan, device: str, sequences: Iterable[AnnotatedSequence]) -> Iterator[Result | Failed]:
    tracker = ebtrack.load(plan.weights, device, plan.seed, plan.config)
    for ended in track_in_lockstep(tracker, sequences, plan.batch, LEVELS):
        outcome = ended.outcome
        if isinstance(outcome, SequenceFailure):
            yield Failed(outcome.name, outcome.frame, _said(outcome.error))
        else:
            yield stored_form(outcome)


def _track_others(plan: TrackerPlan, device: str, sequences: Iterable[AnnotatedSequence]) -> Iterator[Result | Failed]:
    assert plan.contestant is not None
    for sequence in sequences:
        seed_all(plan.seed)
        try:
            yield track_with(make_contestant(plan.contestant), sequence)
        except TrackingError as error:
            yield Failed(sequence.name, error.frame, told(error.reason))


def stored_form(found: SequenceResult) -> Result:
    """A result of lock step as it is kept: the first box as it was given, not as it was clipped to the frame."""
    boxes = np.concatenate((found.groundtruth[:1], found.boxes[1:]))
    return Result(found.name, boxes, found.presence, found.ess, LEVELS, found.low, found.high, found.seconds)


def _said(error: Exception) -> str:
    """Users' mistakes are said as they are; of anything else the kind of error matters too."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
