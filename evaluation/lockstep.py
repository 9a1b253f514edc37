"""Many sequences tracked in lock step: a batch of targets, each in a video of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.boxes import cxcywh_to_xywh
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.frames import Box, check_box
from tracker.online import Tracker
from tracker.search import due
from tracker.state import State

Floats = NDArray[np.float64]


class AnnotatedSequence(Protocol):
    """What can be tracked and measured."""

    @property
    def name(self) -> str:
        """Of the sequence."""

    @property
    def groundtruth(self) -> Floats:
        """``[T, 4]`` x, y, w, h in 0-based pixels, nan where the target is absent; the first row is a box."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The ``T`` frames, H x W x 3 uint8 BGR."""


@dataclass(frozen=True)
class SequenceResult:
    """What tracking a sequence of ``T`` frames gave. The first frame's box is given; all else is nan there."""

    name: str
    groundtruth: Floats
    """``[T, 4]`` of the sequence."""
    boxes: Floats
    """``[T, 4]`` x, y, w, h in pixels."""
    presence: Floats
    """``[T]`` P(present)."""
    ess: Floats
    """``[T]`` effective sample size of the posterior."""
    low: Floats
    """``[L, T, 4]`` lower ends of the central credible intervals of (cx, cy, w, h) in pixels, one for each level."""
    high: Floats
    """``[L, T, 4]`` upper ends."""
    seconds: Floats
    """``[T]`` time of the tracker's start and steps, shared equally among the sequences of a batch; reading frames is
    left out."""


@dataclass(frozen=True)
class SequenceFailure:
    """A sequence that could not be tracked to its end."""

    name: str
    frame: int
    """At which it failed, from 0."""
    error: Exception


def track_sequences(
    tracker: Tracker, sequences: Sequence[AnnotatedSequence], batch: int, levels: Sequence[float] = (0.9,)
) -> list[SequenceResult]:
    """Tracks sequences from their first boxes, ``batch`` at a time; see `track_in_lockstep`.

    Returns:
        One result for each sequence, in their order.

    Raises:
        ValueError: ``batch`` is below 1, a sequence's first box cannot be used, or it has not one frame for each
            annotation.
    """
    found: dict[int, SequenceResult] = {}
    for number, ended in track_in_lockstep(tracker, sequences, min(batch, max(len(sequences), 1)), levels):
        if isinstance(ended, SequenceFailure):
            raise ended.error
        found[number] = ended
    return [found[number] for number in range(len(sequences))]


class Ended(NamedTuple):
    """A sequence that is over, one way or the other."""

    number: int
    """In the order of the sequences, from 0."""
    outcome: SequenceResult | SequenceFailure


def track_in_lockstep(
    tracker: Tracker, sequences: Iterable[AnnotatedSequence], batch: int, levels: Sequence[float]
) -> Iterator[Ended]:
    """Tracks sequences from their first boxes, ``batch`` at a time, and gives each when it ends.

    A sequence that ends makes room for the next one, which is asked for then. Frames are read as they are needed, so
    that memory does not grow with the sequences' length. What fails in one sequence does not touch the others.

    Each result is that of a run of its own but for float rounding, which differs with the size of a batch: over many
    frames a target that is nearly lost may be lost in one and kept in the other. So that it differs with nothing else,
    a batch always has ``batch`` rows, the free ones repeating another; and on the CPU a target goes through a frame
    alone where the tracker may treat only some of a batch, in parts whose size depends on the others.

    Args:
        tracker: the networks, and how to track.
        sequences: may differ in length and frame size.
        batch: sequences tracked together.
        levels: of the credible intervals, in (0, 1).

    Raises:
        ValueError: ``batch`` is below 1.
    """
    if batch < 1:
        raise ValueError(f"at least one sequence is tracked at a time, got a batch of {batch}")
    waiting = (_Run(number, sequence) for number, sequence in enumerate(sequences))
    active: list[_Run] = []
    parts: list[State] = []
    while True:
        while len(active) < batch and (run := next(waiting, None)) is not None:
            try:
                parts.append(run.begin(tracker))
                active.append(run)
            except Exception as error:
                yield run.failed(error)
        if not active:
            return
        state = _joined(parts)
        images: dict[int, NDArray[np.uint8]] = {}
        for row, run in enumerate(active):
            try:
                image = run.next_frame()
            except Exception as error:
                yield run.failed(error)
                continue
            if image is None:
                yield run.result(levels)
            else:
                images[row] = image
        runs, active, parts = active, [], []
        for outcome in _advance(tracker, state, images, batch, levels):
            if isinstance(outcome, _Stepped):
                parts.append(outcome.state)
                for row, values in zip(outcome.rows, outcome.values, strict=True):
                    runs[row].add(values, outcome.seconds / len(outcome.rows))
                    active.append(runs[row])
            else:
                yield runs[outcome[0]].failed(outcome[1])


class _Stepped(NamedTuple):
    """Some rows of a batch after a frame."""

    rows: list[int]
    state: State
    values: NDArray[np.float32]
    """What is kept of the frame, as `_values` gives it."""
    seconds: float


def _advance(
    tracker: Tracker, state: State, images: dict[int, NDArray[np.uint8]], batch: int, levels: Sequence[float]
) -> Iterator[_Stepped | tuple[int, Exception]]:
    """One frame of the rows that have an image; rows that fail come with their errors."""
    alone = _alone(state, tracker.config) & images.keys() if batch > 1 and state.box.device.type == "cpu" else set()
    groups = [([row], 1) for row in sorted(alone)]
    if together := [row for row in images if row not in alone]:
        groups.append((together, batch))
    while groups:
        rows, size = groups.pop()
        filled = [*rows, *rows[:1] * (size - len(rows))]
        try:
            begun = time.perf_counter()
            # A caller's inference mode would make states that refinement cannot use.
            with torch.inference_mode(False):
                index = torch.tensor(filled, dtype=torch.int64, device=state.box.device)
                after, boxes, posterior = tracker.advance(state.select(index), [images[row] for row in filled])
                values = _values(boxes, posterior, levels)[: len(rows)]
                kept = after.select(torch.arange(len(rows), device=index.device))
        except Exception as error:
            if len(rows) == 1:
                yield rows[0], error
            else:
                groups += [([row], size) for row in rows]
            continue
        yield _Stepped(rows, kept, values, _since(begun))


def _alone(state: State, config: TrackerConfig) -> set[int]:
    """Rows that may be searched for, or whose template may be renewed, in the next frame."""
    lost = due(state._replace(lost=state.lost + 1), config) if config.search else state.lost[:0]
    renewed = (state.frame + 1) % config.template_every == 0
    return {*lost.tolist(), *(renewed.nonzero().flatten().tolist() if config.template_share > 0 else ())}


def _joined(parts: list[State]) -> State:
    state, *others = parts
    for other in others:
        state = state.join(other)
    return state


def _since(begun: float) -> float:
    return time.perf_counter() - begun


def _values(boxes: Tensor, posterior: Posterior, levels: Sequence[float]) -> NDArray[np.float32]:
    """What is kept of a frame, ``[N, 6 + 8 L]``: box, presence, ESS, low and high ends; one copy from the device."""
    ends = [end for level in levels for end in posterior.interval(level)]
    scalars = torch.stack((posterior.presence, posterior.ess), 1)
    values: NDArray[np.float32] = torch.cat((cxcywh_to_xywh(boxes), scalars, *ends), 1).cpu().numpy()
    return values


class _Run:
    """One sequence while it is tracked."""

    def __init__(self, number: int, sequence: AnnotatedSequence) -> None:
        self._number = number
        self._sequence = sequence
        self._first: Box = (0.0, 0.0, 0.0, 0.0)
        self._rows: list[NDArray[np.float32]] = []
        self._seconds: list[float] = []

    def begin(self, tracker: Tracker) -> State:
        """The state at the first frame, of this target alone."""
        self._frames = self._sequence.frames()
        name, image = self._sequence.name, next(self._frames, None)
        if image is None:
            raise ValueError(f"sequence {name} has no frames")
        try:
            self._first = check_box(self._sequence.groundtruth[0].tolist(), image.shape[1], image.shape[0])
        except ValueError as error:
            raise ValueError(f"sequence {name} cannot be tracked from its first frame: {error}") from error
        begun = time.perf_counter()
        state = tracker.start([image], [self._first])
        self._seconds.append(_since(begun))
        return state

    def next_frame(self) -> NDArray[np.uint8] | None:
        """The next frame, or None after the last one."""
        image = next(self._frames, None)
        tracked, annotated = len(self._seconds), len(self._sequence.groundtruth)
        if (image is None) != (tracked == annotated):
            said = f"ends after {tracked} frames" if image is None else "has more frames"
            raise ValueError(f"sequence {self._sequence.name} {said}, {annotated} are annotated")
        return image

    def add(self, row: NDArray[np.float32], seconds: float) -> None:
        """Keeps what was found in a frame."""
        self._rows.append(row)
        self._seconds.append(seconds)

    def failed(self, error: Exception) -> Ended:
        """The end at the frame that comes next."""
        return Ended(self._number, SequenceFailure(self._sequence.name, len(self._seconds), error))

    def result(self, levels: Sequence[float]) -> Ended:
        """All of it, after the last frame."""
        width = 6 + 8 * len(levels)
        first = np.full((1, width), np.nan)
        first[0, :4] = self._first
        table = np.concatenate((first, np.array(self._rows, np.float64).reshape(-1, width)))
        ends = table[:, 6:].reshape(len(table), len(levels), 2, 4).transpose(2, 1, 0, 3)
        result = SequenceResult(
            self._sequence.name,
            self._sequence.groundtruth,
            table[:, :4],
            table[:, 4],
            table[:, 5],
            ends[0],
            ends[1],
            np.array(self._seconds),
        )
        return Ended(self._number, result)
