"""Many sequences tracked in lock step: a batch of targets, each in a video of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.boxes import cxcywh_to_xywh
from networks.posterior import Posterior
from tracker.frames import Box, check_box
from tracker.online import Tracker
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
    seconds: float
    """Time of the tracker's steps, shared equally among the sequences of a batch; reading frames is left out."""


def track_sequences(
    tracker: Tracker, sequences: Sequence[AnnotatedSequence], batch: int, levels: Sequence[float] = (0.9,)
) -> list[SequenceResult]:
    """Tracks sequences from their first boxes, ``batch`` at a time; each result is that of a run of its own.

    It is so but for float rounding, which differs with the size of a batch: over many frames a target that is nearly
    lost may be lost in one and kept in the other. A sequence that ends makes room for the next one. Frames are read as
    they are needed, so that memory does not grow with the sequences' length.

    Args:
        tracker: the networks, and how to track.
        sequences: may differ in length and frame size.
        batch: most sequences tracked together.
        levels: of the credible intervals, in (0, 1).

    Returns:
        One result for each sequence, in their order.

    Raises:
        ValueError: ``batch`` is below 1, a sequence's first box cannot be used, or it has not one frame for each
            annotation.
    """
    if batch < 1:
        raise ValueError(f"at least one sequence is tracked at a time, got a batch of {batch}")
    runs = [_Run(sequence) for sequence in sequences]
    waiting = iter(runs)
    active: list[_Run] = []
    state: State | None = None
    while True:
        fresh = list(islice(waiting, batch - len(active)))
        if fresh:
            images, boxes = zip(*(run.begin() for run in fresh), strict=True)
            started = tracker.start(images, boxes)
            state = started if state is None else state.join(started)
            active += fresh
        if state is None or not active:
            return [run.result(levels) for run in runs]
        read = [(i, image) for i, run in enumerate(active) if (image := run.next_frame()) is not None]
        if len(read) < len(active):
            active = [active[i] for i, _ in read]
            state = state.select(torch.tensor([i for i, _ in read], dtype=torch.int64, device=state.box.device))
        if active:
            begun = time.perf_counter()
            state, centre_boxes, posterior = tracker.advance(state, [image for _, image in read])
            rows = _rows(centre_boxes, posterior, levels)
            share = (time.perf_counter() - begun) / len(active)
            for run, row in zip(active, rows, strict=True):
                run.add(row, share)


def _rows(boxes: Tensor, posterior: Posterior, levels: Sequence[float]) -> NDArray[np.float32]:
    """What is kept of a frame, ``[N, 6 + 8 L]``: box, presence, ESS, low and high ends; one copy from the device."""
    ends = [end for level in levels for end in posterior.interval(level)]
    scalars = torch.stack((posterior.presence, posterior.ess), 1)
    rows: NDArray[np.float32] = torch.cat((cxcywh_to_xywh(boxes), scalars, *ends), 1).cpu().numpy()
    return rows


class _Run:
    """One sequence while it is tracked."""

    def __init__(self, sequence: AnnotatedSequence) -> None:
        self._sequence = sequence
        self._first: Box = (0.0, 0.0, 0.0, 0.0)
        self._rows: list[NDArray[np.float32]] = []
        self._seconds = 0.0

    def begin(self) -> tuple[NDArray[np.uint8], Box]:
        """The first frame and its box."""
        self._frames = self._sequence.frames()
        name, image = self._sequence.name, next(self._frames, None)
        if image is None:
            raise ValueError(f"sequence {name} has no frames")
        try:
            self._first = check_box(self._sequence.groundtruth[0].tolist(), image.shape[1], image.shape[0])
        except ValueError as error:
            raise ValueError(f"sequence {name} cannot be tracked from its first frame: {error}") from error
        return image, self._first

    def next_frame(self) -> NDArray[np.uint8] | None:
        """The next frame, or None after the last one."""
        image = next(self._frames, None)
        tracked, annotated = len(self._rows) + 1, len(self._sequence.groundtruth)
        if (image is None) != (tracked == annotated):
            said = f"ends after {tracked} frames" if image is None else "has more frames"
            raise ValueError(f"sequence {self._sequence.name} {said}, {annotated} are annotated")
        return image

    def add(self, row: NDArray[np.float32], seconds: float) -> None:
        """Keeps what was found in a frame."""
        self._rows.append(row)
        self._seconds += seconds

    def result(self, levels: Sequence[float]) -> SequenceResult:
        """All of it, after the last frame."""
        width = 6 + 8 * len(levels)
        first = np.full((1, width), np.nan)
        first[0, :4] = self._first
        table = np.concatenate((first, np.array(self._rows, np.float64).reshape(-1, width)))
        ends = table[:, 6:].reshape(len(table), len(levels), 2, 4).transpose(2, 1, 0, 3)
        return SequenceResult(
            self._sequence.name,
            self._sequence.groundtruth,
            table[:, :4],
            table[:, 4],
            table[:, 5],
            ends[0],
            ends[1],
            self._seconds,
        )
