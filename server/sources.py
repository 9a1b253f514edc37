"""Frames that the server brings: a visitor's uploaded video, or a camera of the machine."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tracker.live import LiveFrame, LiveSource
from tracker.sources import Frame, SourceDamaged, SourceError, open_source

LOG = logging.getLogger(__name__)
UNREADABLE = "the video cannot be read: upload another one, for example MP4 with H.264"
POLL_S = 0.5
CLOSE_S = 5.0
"""Until a camera that hangs while it is closed is not waited for any more."""
LATE_S = 0.1
"""What a video may lag behind its times before the rest of it is shifted."""


@dataclass(frozen=True)
class Picture:
    """One frame of a source."""

    image: NDArray[np.uint8]
    """H x W x 3, BGR."""
    ms: int
    """Milliseconds on the source's own clock."""
    cut: bool
    """Whether the source was interrupted before it, so that anything may have moved meanwhile."""


class ServerSource(Protocol):
    """What a visitor's session reads."""

    async def next(self) -> Picture | None:
        """The next frame when it is due, or None after the last.

        Raises:
            SourceError: the source broke off; the message is for the visitor.
        """

    async def close(self) -> None:
        """Lets the source go."""


class Playback:
    """An uploaded video: every frame, no faster than its own times; it stands still while nobody reads.

    Args:
        path: of the file.
        executor: where it is decoded.

    Raises:
        SourceError: it cannot be played; the message is for the visitor.
    """

    def __init__(self, path: Path, executor: Executor) -> None:
        self._executor = executor
        self._begin: float | None = None
        # A read that nobody waits for any more may still run when the file is closed.
        self._alone = threading.Lock()
        try:
            self._source = open_source(str(path))
        except SourceError as error:
            raise self._told(error) from None

    async def next(self) -> Picture | None:
        """See `ServerSource`."""
        try:
            frame = await asyncio.get_running_loop().run_in_executor(self._executor, self._read)
        except SourceError as error:
            raise self._told(error) from None
        if frame is None:
            return None
        now = monotonic()
        # Where it was read late (a pause, a slow tracker), the rest is that much later too.
        if self._begin is None or now > self._begin + frame.time_s + LATE_S:
            self._begin = now - frame.time_s
        await asyncio.sleep(self._begin + frame.time_s - now)
        return Picture(frame.image, round(1000 * frame.time_s), False)

    async def close(self) -> None:
        """See `ServerSource`."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)

    def _read(self) -> Frame | None:
        with self._alone:
            return next(self._source, None)

    def _close(self) -> None:
        with self._alone:
            self._source.close()

    def _told(self, error: SourceError) -> SourceError:
        """The error without the path, which is the server's own affair."""
        return SourceError("the video is damaged from here on" if isinstance(error, SourceDamaged) else UNREADABLE)


class Cameras:
    """The machine's cameras, each opened once however many visitors look at it, and closed after the last.

    Args:
        indices: those that visitors may choose.
        opener: opens one.
    """

    def __init__(self, indices: tuple[int, ...], opener: Callable[[str], LiveSource] = LiveSource) -> None:
        self.indices = indices
        self._opener = opener
        self._open: dict[int, _SharedCamera] = {}
        self._closing: dict[int, _SharedCamera] = {}

    async def look(self, index: int) -> CameraView:
        """One visitor's view of a camera.

        Raises:
            SourceError: it is none of ours, or cannot be opened.
        """
        if index not in self.indices:
            raise SourceError(f"there is no camera {index} here: choose one of {list(self.indices)}")
        camera = self._open.get(index)
        if camera is None or camera.ended:
            camera = self._open[index] = _SharedCamera(self._closing.pop(index, None))
            camera.start(lambda: self._opener(str(index)))
        camera.viewers += 1
        view = CameraView(self, index, camera)
        try:
            await asyncio.shield(camera.opened)
        except BaseException:
            await view.close()
            raise
        return view

    def leave(self, index: int, camera: _SharedCamera) -> None:
        """One viewer less."""
        camera.viewers -= 1
        if camera.viewers == 0:
            if self._open.get(index) is camera:
                self._closing[index] = self._open.pop(index)
            camera.stop.set()


class _SharedCamera:
    """A camera and the thread that takes its newest frame for all viewers.

    Args:
        before: the one whose last viewer has left; a device cannot be opened twice, so it is closed first.
    """

    def __init__(self, before: _SharedCamera | None) -> None:
        self.viewers = 0
        self.closed = threading.Event()
        self._before = before
        self.stop = threading.Event()
        self.newest: LiveFrame | None = None
        self.ended = False
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.changed = asyncio.Condition()

    def start(self, opener: Callable[[], LiveSource]) -> None:
        """Opens the camera in a thread of its own, which ends when `stop` is set."""
        threading.Thread(target=self._run, args=(opener,), name="camera", daemon=True).start()

    def _run(self, opener: Callable[[], LiveSource]) -> None:
        if self._before:
            self._before.closed.wait(CLOSE_S)
            self._before = None
        try:
            with opener() as source:
                self._tell(None, None)
                while not self.stop.is_set():
                    frame = source.newest(POLL_S)
                    if frame is not None:
                        self._tell(frame, None)
                    elif source.state == "ended":
                        break
            self._tell(None, SourceError("the camera gives no more frames"))
        except SourceError as error:
            self._tell(None, error)
        except Exception:
            LOG.exception("a camera failed")
            self._tell(None, SourceError("the camera failed"))
        finally:
            self.closed.set()

    def _tell(self, frame: LiveFrame | None, error: SourceError | None) -> None:
        change = self._change(frame, error)
        try:
            asyncio.run_coroutine_threadsafe(change, self._loop)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            change.close()

    async def _change(self, frame: LiveFrame | None, error: SourceError | None) -> None:
        if not self.opened.done():
            if error:
                self.opened.set_exception(error)
                self.opened.exception()  # seen, also where every viewer has left
            else:
                self.opened.set_result(None)
        async with self.changed:
            self.newest, self.ended = frame or self.newest, self.ended or error is not None
            self.changed.notify_all()


class CameraView:
    """One visitor's view of a camera: always the newest frame, none of them twice."""

    def __init__(self, cameras: Cameras, index: int, camera: _SharedCamera) -> None:
        self._cameras = cameras
        self._index = index
        self._camera = camera
        self._last: LiveFrame | None = None
        self._left = False

    async def next(self) -> Picture | None:
        """See `ServerSource`."""
        camera, last = self._camera, self._last
        async with camera.changed:
            await camera.changed.wait_for(lambda: camera.ended or camera.newest is not last)
        frame = camera.newest
        if frame is None or frame is last:
            raise SourceError("the camera gives no more frames: choose it again, or another source")
        self._last = frame
        cut = last is not None and frame.connection != last.connection
        return Picture(frame.image, round(1000 * frame.captured), cut)

    async def close(self) -> None:
        """See `ServerSource`."""
        if not self._left:
            self._left = True
            self._cameras.leave(self._index, self._camera)
