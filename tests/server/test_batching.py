"""Many visitors' targets in one batch: the same results as alone, and nobody's trouble but one's own."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

import torch
from numpy.typing import NDArray

from server.batching import MOST_TARGETS, Batcher, Tracked
from tests.server.visitor import clip, truth
from tracker.online import Tracker
from tracker.state import State

BOXES = ([43.0, 168.0, 54.0, 50.0], [200.0, 40.0, 60.0, 60.0], [100.0, 100.0, 80.0, 40.0])


class Watched:
    """A tracker that counts its batches, waits at a gate, and fails for pictures that are all 13."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self.model, self.config = tracker.model, tracker.config
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.start = tracker.start

    def advance(self, state: State, images: Sequence[NDArray[np.uint8]]) -> Any:
        self.gate.wait(10)
        self.batches.append(len(images))
        if any((image == 13).all() for image in images):
            raise RuntimeError("unlucky")
        return self._tracker.advance(state, images)


def run(tracker: Any, jobs: list[tuple[State, NDArray[np.uint8]]]) -> list[Any]:
    """What comes of jobs that are there while another one is tracked."""

    async def all_() -> list[Any]:
        batcher = Batcher(tracker)
        try:
            first = asyncio.create_task(batcher.advance(-1, *jobs[0]))
            await asyncio.sleep(0.05)  # it waits at the gate
            rest = [asyncio.create_task(batcher.advance(k, *job)) for k, job in enumerate(jobs)]
            await asyncio.sleep(0.05)
            tracker.gate.set()
            return (await asyncio.gather(first, *rest, return_exceptions=True))[1:]
        finally:
            batcher.close()

    return asyncio.run(all_())


def test_a_batch_gives_what_each_would_get_alone(tracker: Tracker) -> None:
    watched = Watched(tracker)
    small = np.ascontiguousarray(clip()[1][:240, :320])  # frames of the same batch may differ in size
    jobs = [
        (tracker.start([image] * len(boxes), boxes), image)  # type: ignore[arg-type]
        for image, boxes in ((clip()[1], BOXES[:2]), (small, BOXES[1:2]), (clip()[2], BOXES))
    ]
    results: list[Tracked] = run(watched, jobs)
    assert watched.batches == [2, 6]
    for (state, image), result in zip(jobs, results, strict=True):
        alone, boxes, posterior = tracker.advance(state, [image] * len(state.box))
        torch.testing.assert_close(result.boxes, boxes, atol=0.02, rtol=1e-3)
        torch.testing.assert_close(result.state.presence, alone.presence, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(result.posterior.mean, posterior.mean, atol=0.05, rtol=1e-3)
        assert [fields["presence"] for fields in result.fields] == pytest.approx(posterior.presence.tolist(), abs=1e-3)


def test_a_large_crowd_is_tracked_in_several_batches(tracker: Tracker) -> None:
    watched = Watched(tracker)
    state = tracker.start([clip()[0]] * 6, [tuple(truth(0))] * 6)  # type: ignore[list-item]
    results = run(watched, [(state, clip()[0])] * 3)
    assert all(isinstance(result, Tracked) for result in results)
    assert max(watched.batches) <= MOST_TARGETS
    assert sum(watched.batches) == 4 * 6


def test_one_visitors_trouble_is_not_the_others(tracker: Tracker) -> None:
    state = tracker.start([clip()[0]], [tuple(truth(0))])  # type: ignore[list-item]
    unlucky = np.full_like(clip()[0], 13)
    results = run(Watched(tracker), [(state, clip()[0]), (state, unlucky), (state, clip()[0])])
    assert isinstance(results[1], RuntimeError)
    assert isinstance(results[0], Tracked)
    assert isinstance(results[2], Tracked)


def test_who_waits_when_the_server_ends_is_let_go(tracker: Tracker) -> None:
    watched = Watched(tracker)
    state = tracker.start([clip()[0]], [tuple(truth(0))])  # type: ignore[list-item]

    async def cut() -> list[Any]:
        batcher = Batcher(watched)  # type: ignore[arg-type]
        waiting = [asyncio.create_task(batcher.advance(0, state, clip()[0]))]
        await asyncio.sleep(0.05)
        waiting.append(asyncio.create_task(batcher.advance(1, state, clip()[0])))
        await asyncio.sleep(0.05)
        threading.Timer(0.1, watched.gate.set).start()
        batcher.close()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second = asyncio.run(cut())
    assert isinstance(first, Tracked)
    assert isinstance(second, asyncio.CancelledError)
