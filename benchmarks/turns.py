"""Trackers that work in turn, each in a process of its own; `benchmarks.speed` makes the table of it."""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tracker.config import TrackerConfig
    from tracker.online import Tracker

Box = tuple[float, float, float, float]

REFERENCE = "NanoTrack"
PAUSE_S = 0.02
"""Between two blocks: threads that wait for more work spin for a moment."""


@dataclass(frozen=True)
class Job:
    """What a tracker's process is told at its start."""

    name: str
    """``ebtrack, ENGINE``, or one of OpenCV's trackers."""
    weights: str
    device: str
    models: Path | None
    threads: int
    cores: tuple[int, ...]
    frames: Path
    """A file of ``[T, H, W, 3]`` uint8 BGR."""
    shape: tuple[int, int, int, int]
    box: Box
    """In the first frame."""


class Timed(NamedTuple):
    """One frame of one pass."""

    number: int
    """Of the frame, from 0."""
    seconds: float
    """Of `update`."""
    box: Box
    """The last one where the tracker does not find the target."""


@dataclass
class Measured:
    """What one tracker did."""

    name: str
    start_s: float
    blocks: list[list[Timed]] = field(default_factory=list)
    memory_mib: float = 0.0

    @property
    def frames(self) -> list[Timed]:
        """Of all blocks."""
        return [frame for block in self.blocks for frame in block]

    @property
    def block_seconds(self) -> NDArray[np.float64]:
        """Sum of each block."""
        return np.array([sum(frame.seconds for frame in block) for block in self.blocks])

    @property
    def quickest(self) -> dict[int, float]:
        """Seconds of each frame of the sequence in the pass where it took least."""
        found: dict[int, float] = {}
        for frame in self.frames:
            found[frame.number] = min(frame.seconds, found.get(frame.number, np.inf))
        return found


def maker(job: Job) -> Callable[[], Any]:
    """Gives a tracker that has not begun; libraries are imported and their threads set, and ours is loaded once.

    Raises:
        ValueError: it cannot be had here; the message says how to mend it.
    """
    import cv2

    cv2.setNumThreads(job.threads)
    name, _, engine = job.name.partition(", ")
    if not engine:
        from evaluation.contestants.opencv import OpenCVTracker

        return lambda: OpenCVTracker("Nano" if name == REFERENCE else name, job.models)
    import torch

    torch.set_num_threads(job.threads)
    tracker = load_with(engine, job.weights, job.device)
    return lambda: tracker


def load_with(engine: str, weights: str, device: str = "cpu", config: TrackerConfig | None = None) -> Tracker:
    """Our tracker with an engine, and with no other in its place.

    Raises:
        ValueError: the engine is not to be had; the message says why.
    """
    import ebtrack

    with warnings.catch_warnings():
        warnings.filterwarnings("error", "the .* engine takes the place")
        try:
            return ebtrack.load(weights, device=device, config=config, engine=engine)  # type: ignore[arg-type]
        except UserWarning as warning:
            raise ValueError(str(warning)) from None


def passes(make: Callable[[], Any], frames: NDArray[np.uint8], box: Box) -> Iterator[Timed]:
    """Tracks through frames from the first one's box on, and again from there on, for ever.

    Returns:
        Each frame but the first.
    """
    while True:
        tracker, last = make(), box
        tracker.init(frames[0], box)
        for number in range(1, len(frames)):
            begun = time.perf_counter()
            answer = tracker.update(frames[number])
            took = time.perf_counter() - begun
            if hasattr(answer, "box"):
                last = answer.box
            elif answer[0]:
                last = answer[1]
            yield Timed(number, took, last)


def work(job: Job, parent: Connection) -> None:
    """A tracker's process.

    It sends the seconds of its start-up; then, for each number of frames that it is sent, what `passes` gives for them;
    last, for 0, its memory in MiB. Where it fails it sends the reason and ends.
    """
    # A private map: every tracker may write into its frames.
    frames = np.asarray(np.memmap(job.frames, np.uint8, "c", shape=job.shape))
    frames.sum()
    before = resident()
    begun = time.perf_counter()
    try:
        hold_to(job.cores)
        tracked = passes(maker(job), frames, job.box)
        next(tracked)
        parent.send(time.perf_counter() - begun)
        while count := parent.recv():
            parent.send(list(islice(tracked, count)))
        parent.send(resident() - before)
    except EOFError:
        return  # the others' end is this one's, too
    except Exception as error:
        parent.send(str(error))


def hold_to(cores: Sequence[int]) -> None:
    """Holds this process to some cores, where there are any.

    Raises:
        ValueError: there are no such cores, or this system does not hold processes to cores.
    """
    if not cores:
        return
    try:
        os.sched_setaffinity(0, cores)
    except (AttributeError, OSError) as error:
        raise ValueError(f"this process cannot be held to the cores {list(cores)}: {error}") from error


def resident() -> float:
    """Resident memory of this process in MiB; nan where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return float("nan")


def race(jobs: Sequence[Job], rounds: int, block: int, warm: int) -> tuple[list[Measured], dict[str, str]]:
    """Lets the trackers work in turn.

    Args:
        jobs: a tracker each.
        rounds: how often each has its turn.
        block: frames of a turn.
        warm: frames that each tracks before, which do not count.

    Returns:
        What was measured, and why trackers are missing, by their names.
    """
    context = multiprocessing.get_context("spawn")
    found: dict[str, tuple[Measured, Connection]] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:

        def ask(name: str, connection: Connection, count: int | None) -> Any:
            """What a process answers; None where it failed."""
            try:
                if count is not None:
                    connection.send(count)
                answer = connection.recv()
            except (EOFError, BrokenPipeError):
                answer = "its process broke off"
            if not isinstance(answer, str):
                return answer
            missing[name] = answer
            found.pop(name, None)
            return None

        for job in jobs:
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(ours.close)
            start_s = ask(job.name, ours, None)
            if start_s is not None:
                found[job.name] = Measured(job.name, start_s), ours
                ask(job.name, ours, warm)
        for turn in range(rounds):
            for one, connection in list(found.values())[:: 1 if turn % 2 == 0 else -1]:
                time.sleep(PAUSE_S)
                one.blocks.append(ask(one.name, connection, block) or [])
        for one, connection in list(found.values()):
            one.memory_mib = ask(one.name, connection, 0)
    return [one for one, _ in found.values()], missing
