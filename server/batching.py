"""All visitors' targets in one batch: one thread, one call of `Tracker.advance` a tick."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import reduce
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from networks.posterior import Posterior
from server.energy import SIZE, energy_maps
from server.protocol import EnergyMap
from server.results import corner_regions, describe
from tracker.online import Tracker, frame_sizes
from tracker.state import State

LOG = logging.getLogger(__name__)
MOST_TARGETS = 16
"""Targets of one batch; more are tracked in the order in which they came."""
GATHER = 0.3
"""Share of the last tick's time for which a tick waits for those visitors who were in it."""
MOST_GATHER_S = 0.05


@dataclass(frozen=True)
class Tracked:
    """One visitor's targets after a frame, ``N`` of them."""

    state: State
    boxes: torch.Tensor
    """``[N, 4]`` (cx, cy, w, h) in frame pixels."""
    posterior: Posterior
    fields: list[dict[str, Any]]
    """Of `describe`, a target each."""
    energy: tuple[tuple[float, float, float], list[float]] | None
    """Search region and values of the map that was asked for."""

    def energy_map(self, target: int) -> EnergyMap | None:
        """The map as a message, for the target of this number."""
        if self.energy is None:
            return None
        region, values = self.energy
        return EnergyMap(target=target, region=region, size=SIZE, values=tuple(values))


@dataclass
class _Job:
    visitor: int
    state: State
    image: NDArray[np.uint8]
    energy: int | None
    done: Future[Tracked] = field(default_factory=Future)

    @property
    def targets(self) -> int:
        return len(self.state.box)


class Batcher:
    """Tracks for many visitors at once; each awaits its own frame.

    Frames that come within a moment are tracked together, which costs less than one by one and gives every visitor
    the same share. A visitor never has more than one frame here, so nothing can queue up.

    Args:
        tracker: its networks, device, seed and settings serve all.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._jobs: deque[_Job] = deque()
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="tracker", daemon=True)
        self._thread.start()

    async def start(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> State:
        """The state of one new target, box (x, y, w, h) in pixels of the image."""
        done: Future[State] = Future()
        with self._change:
            self._calls.append((lambda: self._tracker.start([image], [box]), done))
            self._change.notify()
        return await asyncio.wrap_future(done)

    async def advance(self, visitor: int, state: State, image: NDArray[np.uint8], energy: int | None = None) -> Tracked:
        """One frame of a visitor's targets.

        Args:
            visitor: who asks; one frame each at a time.
            state: of the visitor's targets, at least one.
            image: H x W x 3 uint8 BGR.
            energy: row of the target whose energy map is wanted.
        """
        job = _Job(visitor, state, image, energy)
        with self._change:
            self._jobs.append(job)
            self._change.notify()
        return await asyncio.wrap_future(job.done)

    def close(self) -> None:
        """Ends the thread; whoever still waits is let go."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join()
        for done in (*(job.done for job in self._jobs), *(done for _, done in self._calls)):
            done.cancel()

    def _run(self) -> None:
        expected: set[int] = set()
        deadline = 0.0
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closed or self._jobs or self._calls)
                if self._closed:
                    return
                calls = [self._calls.popleft() for _ in range(len(self._calls))]
                if not calls:
                    self._gather(expected, deadline)
                    jobs = self._take()
            for call, done in calls:
                _settle(done, call)
            if calls:
                continue
            begin = monotonic()
            self._tick(jobs)
            end = monotonic()
            expected = {job.visitor for job in jobs}
            deadline = end + min(GATHER * (end - begin), MOST_GATHER_S)

    def _gather(self, expected: set[int], deadline: float) -> None:
        """Waits until those who were served together are all back, or the moment is over."""
        rest = deadline - monotonic()
        if rest > 0:
            self._change.wait_for(
                lambda: self._closed or self._calls or expected <= {job.visitor for job in self._jobs}, rest
            )

    def _take(self) -> list[_Job]:
        """The jobs that have waited longest, as many as make a batch."""
        taken: list[_Job] = []
        total = 0
        while self._jobs and (not taken or total + self._jobs[0].targets <= MOST_TARGETS):
            job = self._jobs.popleft()
            if job.done.set_running_or_notify_cancel():
                taken.append(job)
                total += job.targets
        return taken

    def _tick(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        try:
            results = self._track(jobs)
        except Exception as error:
            if len(jobs) == 1:
                LOG.exception("a visitor's frame could not be tracked")
                jobs[0].done.set_exception(error)
                return
            # One visitor's trouble must not be the others': each alone.
            for job in jobs:
                self._tick([job])
            return
        for job, result in zip(jobs, results, strict=True):
            job.done.set_result(result)

    def _track(self, jobs: Sequence[_Job]) -> list[Tracked]:
        images = [job.image for job in jobs for _ in range(job.targets)]
        before = reduce(State.join, (job.state for job in jobs))
        before = before.resized(frame_sizes(images, before.box.device))
        state, boxes, posterior = self._tracker.advance(before, images)
        fields = describe(boxes, posterior, before.region)
        maps = self._energy(jobs, before)
        results, first = [], 0
        for number, job in enumerate(jobs):
            rows = torch.arange(first, first + job.targets, device=boxes.device)
            part = slice(first, first + job.targets)
            results.append(Tracked(state.select(rows), boxes[rows], posterior[rows], fields[part], maps.get(number)))
            first += job.targets
        return results

    def _energy(self, jobs: Sequence[_Job], before: State) -> dict[int, tuple[tuple[float, float, float], list[float]]]:
        """Search region and values by job, of those that want a map."""
        first, rows, wanted = 0, [], []
        for number, job in enumerate(jobs):
            if job.energy is not None:
                wanted.append(number)
                rows.append(first + job.energy)
            first += job.targets
        if not wanted:
            return {}
        chosen = before.select(torch.tensor(rows, device=before.box.device))
        values = energy_maps(self._tracker.model, chosen, [jobs[number].image for number in wanted])
        plain = values.flatten(1).double().mul(1e3).round().div(1e3).tolist()
        return dict(zip(wanted, zip(corner_regions(chosen.region), plain, strict=True), strict=True))


def _settle(done: Future[Any], call: Callable[[], Any]) -> None:
    """Makes the call and puts what comes of it into the future."""
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(call())
    except Exception as error:
        done.set_exception(error)
