"""One visitor, from hello to goodbye."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from server import protocol
from server.batching import Batcher
from server.limits import Limits, Pace
from server.line import Goodbye, Line
from server.pictures import decode, encode, fitted
from server.protocol import ProtocolError
from server.recording import Recordings, VisitRecording
from server.sources import Cameras, Picture, Playback, ServerSource
from server.targets import VisitorTargets
from server.uploads import Uploads
from tracker.config import TrackerConfig
from tracker.online import as_tracks
from tracker.sources import SourceError

LOG = logging.getLogger(__name__)
VIOLATION, OVER, MISTAKE = 1008, 1000, 1011
"""Codes of closing (RFC 6455, section 7.4.1)."""
NO_ROOM = "the recording could not be written: the server's disk is full"
AS_LONG = "the recording is as long as it may be, and was ended"
T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """What all visitors share."""

    batcher: Batcher
    config: TrackerConfig
    limits: Limits
    uploads: Uploads
    recordings: Recordings
    cameras: Cameras
    executor: Executor
    """For short work that is not tracking: JPEG, files."""


class Session:
    """Everything that one visitor has, and the loop that serves it.

    One thing is done at a time: a message or a frame, in the order in which they come. What comes meanwhile waits in
    the visitor's own connection, which is read no further.

    Args:
        line: to the visitor.
        services: shared.
        visitor: a number of the visitor's own.
    """

    def __init__(self, line: Line, services: Services, visitor: int) -> None:
        self._line = line
        self._services = services
        self._limits = services.limits
        self._visitor = visitor
        self._targets = VisitorTargets(services.batcher, services.config, visitor)
        self._image: NDArray[np.uint8] | None = None
        self._energy: int | None = None
        self._paused = False
        self._source: ServerSource | None = None
        self._upload: str | None = None
        self._sent = 0
        self._acked = True
        self._recording: VisitRecording | None = None
        self._recording_key = ""
        self._recording_since = 0.0
        self._frame_pace = Pace(self._limits.frames_per_second, reserve=4)

    async def run(self) -> None:
        """Serves the visitor until one of the two leaves; raises nothing that a visitor can cause."""
        try:
            await self._greet()
            await self._serve()
        except ProtocolError as error:
            await self._line.part(str(error), VIOLATION)
        except TimeoutError:
            await self._line.part("nothing was heard for a long time: reload the page to go on", OVER)
        except Goodbye:
            pass
        except Exception:
            LOG.exception("a visitor's session failed")
            await self._line.part("the server made a mistake: reload the page to go on", MISTAKE)
        finally:
            await asyncio.shield(self._tidy())

    async def _greet(self) -> None:
        hello = await asyncio.wait_for(self._line.receive(), self._limits.hello_s)
        if not isinstance(hello, protocol.Hello):
            raise ProtocolError("the first message must be hello")
        if hello.version != protocol.VERSION:
            raise ProtocolError(f"this server speaks version {protocol.VERSION}: reload the page")
        await self._line.send(protocol.Welcome(limits=self._limits.bounds, cameras=self._services.cameras.indices))

    async def _serve(self) -> None:
        message = asyncio.ensure_future(self._line.receive())
        picture: asyncio.Future[Picture | None] | None = None
        try:
            while True:
                if picture is None and self._source and self._acked and not self._paused:
                    picture = asyncio.ensure_future(self._source.next())
                waited: set[asyncio.Future[Any]] = {message, picture} if picture and not self._paused else {message}
                done, _ = await asyncio.wait(waited, timeout=self._limits.idle_s, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    raise TimeoutError
                if message in done:
                    heard = message.result()
                    changed = isinstance(heard, protocol.PageSource | protocol.UploadSource | protocol.CameraSource)
                    if changed and picture:
                        await _stopped(picture)
                        picture = None
                    await self._answer(heard)
                    message = asyncio.ensure_future(self._line.receive())
                elif picture:
                    await self._play(picture)
                    picture = None
        finally:
            await _stopped(message)
            if picture:
                await _stopped(picture)

    async def _answer(self, message: protocol.ClientMessage | bytes) -> None:
        if isinstance(message, bytes):
            await self._frame(message)
            return
        try:
            await self._command(message)
        except (ValueError, SourceError) as error:
            await self._line.send(protocol.Error(message=str(error), to=message.type))

    async def _command(self, message: protocol.ClientMessage) -> None:
        match message:
            case protocol.Add(box=box):
                await self._line.send(protocol.Added(target=await self._add(box)))
            case protocol.Remove(target=target):
                self._targets.remove(target)
            case protocol.Reset():
                self._targets.reset()
            case protocol.WantEnergy(target=target):
                if target is not None:
                    self._targets.check(target)
                self._energy = target
            case protocol.Record(on=on):
                await (self._begin_recording() if on else self._end_recording())
            case protocol.Pause(on=on):
                if self._paused and not on:
                    self._targets.search()
                self._paused = on
            case protocol.Ack(frame=frame):
                self._acked = self._acked or frame == self._sent
            case protocol.Hello():
                raise ProtocolError("hello was said before")
            case _:
                await self._choose(message)

    async def _add(self, box: protocol.Box) -> int:
        if self._image is None:
            raise ValueError("send a frame before the box that is drawn in it")
        if len(self._targets.ids) >= self._limits.targets:
            raise ValueError(f"{self._limits.targets} targets are tracked already: remove one first")
        return await self._targets.add(self._image, box)

    async def _choose(self, message: protocol.PageSource | protocol.UploadSource | protocol.CameraSource) -> None:
        """Another source; its frames have nothing to do with those before, nor have their times."""
        if self._recording:
            await self._end_recording()
        await self._close_source()
        self._targets.reset()
        self._image, self._acked = None, True
        if isinstance(message, protocol.UploadSource):
            try:
                path = self._services.uploads.take(message.id)
            except KeyError:
                raise ValueError("this video is not there any more: upload it again") from None
            self._upload = message.id
            executor = self._services.executor
            self._source = await self._in_thread(lambda: Playback(path, executor))
        elif isinstance(message, protocol.CameraSource):
            self._source = await self._services.cameras.look(message.index)

    async def _frame(self, data: bytes) -> None:
        """Answers a frame of the page's."""
        await asyncio.sleep(self._frame_pace.wait())
        begin = monotonic()
        number, _, jpeg = protocol.unpack_frame(data)
        if self._source:
            return  # it was on its way when the source changed
        image = await self._in_thread(lambda: decode(jpeg, self._limits.frame_bytes, self._limits.frame_side))
        await self._track(image, number, begin, begin)

    async def _play(self, picture: asyncio.Future[Picture | None]) -> None:
        """Sends a frame of the server's, and its result."""
        try:
            got = picture.result()
        except SourceError as error:
            await self._close_source()
            await self._line.send(protocol.Error(message=str(error)))
            return
        if got is None:
            await self._close_source()
            await self._line.send(protocol.Error(message="the video is over: choose it again, or another source"))
            return
        await asyncio.sleep(self._frame_pace.wait())
        begin = monotonic()
        image = await self._in_thread(lambda: fitted(got.image, self._limits.frame_side))
        jpeg = await self._in_thread(lambda: encode(image))
        if got.cut:
            self._targets.search()
        self._sent = (self._sent + 1) % 2**32
        self._acked = False
        await self._line.send_frame(self._sent, got.ms, jpeg)
        await self._track(image, self._sent, begin, got.ms / 1000)

    async def _track(self, image: NDArray[np.uint8], number: int, begin: float, time_s: float) -> None:
        tracked = None
        if not self._paused:
            self._image = image
            tracked = await self._targets.advance(image, self._energy)
            if self._recording:
                tracks = as_tracks(tracked.boxes, tracked.posterior) if tracked else []
                await self._record(self._recording, image, time_s, tracks)
        energy = tracked.energy_map(self._energy) if tracked and self._energy is not None else None
        ms = round(1000 * (monotonic() - begin), 1)
        targets = self._targets.results
        if self._paused:  # nothing is new
            targets = [target.model_copy(update={"event": None}) for target in targets]
        await self._line.send(protocol.Result(frame=number, ms=ms, targets=tuple(targets), energy=energy))

    async def _record(
        self, recording: VisitRecording, image: NDArray[np.uint8], time_s: float, tracks: list[Any]
    ) -> None:
        if recording.frames == 0:
            self._recording_since = time_s
        since = max(0.0, time_s - self._recording_since)
        ids = list(self._targets.ids)
        try:
            await self._in_thread(lambda: recording.write(image, since, ids, tracks))
        except OSError:
            LOG.exception("a recording could not be written")
            await self._end_recording(NO_ROOM)
            return
        if recording.bytes > self._limits.recording_bytes or since > self._limits.recording_s:
            await self._end_recording(AS_LONG)

    async def _begin_recording(self) -> None:
        if self._recording:
            raise ValueError("a recording is on already")
        try:
            self._recording_key, folder = self._services.recordings.begin(self._visitor)
            self._recording = VisitRecording(folder)
        except OSError:
            raise ValueError(NO_ROOM) from None

    async def _end_recording(self, problem: str = "") -> None:
        """Offers the files, also where the disk did not take all of them, and says why where that was not asked for."""
        if self._recording is None:
            raise ValueError("no recording is on")
        recording, self._recording = self._recording, None
        try:
            await self._in_thread(recording.finish)
        except OSError:
            LOG.exception("a recording could not be finished")
            problem = NO_ROOM
        addresses = {name: f"/recordings/{self._recording_key}/{name}" for name in recording.names}
        await self._line.send(protocol.Recorded(files=addresses))
        if problem:
            await self._line.send(protocol.Error(message=problem))

    async def _close_source(self) -> None:
        source, self._source = self._source, None
        if source:
            await source.close()
        if self._upload:
            self._services.uploads.remove(self._upload)
            self._upload = None

    async def _tidy(self) -> None:
        """Gives back everything that the visitor held."""
        await self._close_source()
        recording, self._recording = self._recording, None
        if recording:
            try:
                await self._in_thread(recording.finish)
            except OSError:
                LOG.exception("a recording could not be finished")
        self._services.recordings.leave(self._visitor)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._services.executor, call)


async def _stopped(task: asyncio.Future[Any]) -> None:
    """Ends a task, whatever came of it."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
