"""A camera of the machine, shared by those who look at it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

from server.sources import Cameras
from tracker.live import LiveFrame
from tracker.sources import SourceError


@dataclass
class FakeCamera:
    """Gives the frames that a test puts in."""

    location: str
    gone: threading.Event = field(default_factory=threading.Event)
    state: str = "live"
    problem: str | None = None
    waiting: list[LiveFrame] = field(default_factory=list)
    change: threading.Condition = field(default_factory=threading.Condition)
    let_go: threading.Event | None = None
    """Until when closing it takes."""

    def put(self, index: int, connection: int = 0) -> None:
        with self.change:
            image = np.full((8, 8, 3), index, np.uint8)
            self.waiting = [LiveFrame(index, image, index / 10, connection)]
            self.change.notify()

    def newest(self, timeout: float) -> LiveFrame | None:
        with self.change:
            self.change.wait_for(lambda: self.waiting or self.state == "ended", min(timeout, 0.05))
            return self.waiting.pop() if self.waiting else None

    def __enter__(self) -> "FakeCamera":
        return self

    def __exit__(self, *error: object) -> None:
        if self.let_go:
            self.let_go.wait(5)
        self.gone.set()


def run(test: Callable[[Cameras, list[FakeCamera]], Coroutine[Any, Any, None]]) -> None:
    opened: list[FakeCamera] = []

    def opener(location: str) -> Any:
        if location == "1":
            raise SourceError("camera 1 cannot be opened")
        opened.append(FakeCamera(location))
        return opened[-1]

    async def limited() -> None:
        async with asyncio.timeout(10):
            await test(Cameras((0, 1), opener), opened)

    asyncio.run(limited())


def test_two_visitors_share_one_camera_and_the_last_closes_it() -> None:
    async def test(cameras: Cameras, opened: list[FakeCamera]) -> None:
        one, two = await asyncio.gather(cameras.look(0), cameras.look(0))
        (camera,) = opened
        camera.put(1)
        first = await one.next()
        again = await two.next()
        assert first is not None
        assert again is not None
        assert (first.image[0, 0, 0], first.ms, again.ms, first.cut) == (1, 100, 100, False)
        slow = asyncio.create_task(one.next())
        await asyncio.sleep(0.02)
        assert not slow.done()  # no frame is given twice
        camera.put(2)
        assert (await slow) is not None
        camera.put(3, connection=1)
        while (after := await two.next()) is not None and after.ms < 300:
            pass
        assert after is not None
        assert after.cut
        await one.close()
        await one.close()
        assert not camera.gone.is_set()
        await two.close()
        assert await asyncio.to_thread(camera.gone.wait, 5)
        fresh = await cameras.look(0)
        assert len(opened) == 2
        await fresh.close()

    run(test)


def test_a_camera_is_opened_again_only_once_it_is_closed() -> None:
    async def test(cameras: Cameras, opened: list[FakeCamera]) -> None:
        view = await cameras.look(0)
        opened[0].let_go = threading.Event()
        await view.close()
        again = asyncio.create_task(cameras.look(0))
        await asyncio.sleep(0.1)
        assert len(opened) == 1
        opened[0].let_go.set()
        await (await again).close()
        assert opened[0].gone.is_set()
        assert len(opened) == 2

    run(test)


def test_a_camera_that_cannot_be_opened_or_is_not_offered_is_told() -> None:
    async def test(cameras: Cameras, opened: list[FakeCamera]) -> None:
        for _ in range(2):
            with pytest.raises(SourceError, match="cannot be opened"):
                await cameras.look(1)
        for index in (2, -1):
            with pytest.raises(SourceError, match="no camera"):
                await cameras.look(index)
        assert opened == []

    run(test)


def test_a_camera_that_ends_is_told_and_can_be_tried_again() -> None:
    async def test(cameras: Cameras, opened: list[FakeCamera]) -> None:
        view = await cameras.look(0)
        with opened[0].change:
            opened[0].state = "ended"
            opened[0].change.notify()
        with pytest.raises(SourceError, match="no more frames"):
            await view.next()
        again = await cameras.look(0)  # also while somebody still holds the ended one
        await view.close()
        opened[1].put(5)
        assert (await again.next()) is not None
        await again.close()

    run(test)
