"""Sources that never lag: a thread takes every frame, keeps the newest alone, and connects again after a cut."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tracker.sources import Source, SourceDamaged, SourceError, open_source
from tracker.sources.capture import Live

LiveState = Literal["live", "reconnecting", "ended"]
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 8.0
"""Seconds before the first attempt to connect again, and the most that they double to."""
RATE_FRAMES = 30
"""Arrivals from which the rate is taken."""
CLOSE_S = 3.0


class Clock(Protocol):
    """Time as a live source lives it."""

    def now(self) -> float:
        """Seconds since some fixed moment."""

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        """Waits so long, or until ``stop`` is set."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        """Waits so long, or until ``stop`` is set."""
        stop.wait(seconds)


@dataclass(frozen=True)
class LiveFrame:
    """A frame as it came."""

    index: int
    """0 for the first that arrived; dropped ones count too, so that gaps tell of them."""
    image: NDArray[np.uint8]
    """H x W x 3, BGR."""
    captured: float
    """When it arrived, on the source's clock (monotonic seconds)."""
    connection: int
    """0 until the first reconnection; where it has grown, anything may have moved meanwhile."""


class LiveSource:
    """The newest frame of a camera, a stream, or a file that plays in real time; a context manager.

    A camera or stream that breaks off is tried again, after 0.5 s, then twice as long each time up to 8 s, for as long
    as the source is open. A file, an image folder or a video behind an http address keeps its own frame times and ends.

    Args:
        location: as `open_source` takes it.
        opener: opens it, at the beginning and at each reconnection.
        clock: time stamps and waiting.

    Raises:
        SourceError: it cannot be opened at the beginning.
    """

    def __init__(
        self, location: str, opener: Callable[[str], Source] = open_source, clock: Clock | None = None
    ) -> None:
        self._location = location
        self._opener = opener
        self.clock = clock or SystemClock()
        opened = opener(location)
        self.location = opened.location
        """What the user named, without passwords."""
        self.name = opened.name
        """A short name, fit for a folder."""
        self._declared_fps = opened.fps
        self._arrivals: deque[float] = deque(maxlen=RATE_FRAMES)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._newest: LiveFrame | None = None
        self._state: LiveState = "live"
        self._problem: str | None = None
        self._error: Exception | None = None
        self._count = self._dropped = self._connection = 0
        self._thread = threading.Thread(target=self._run, args=(opened,), name="ebtrack-newest", daemon=True)
        self._thread.start()

    @property
    def state(self) -> LiveState:
        """Whether frames come; a frame that came before may still wait in `newest`."""
        return self._state

    @property
    def problem(self) -> str | None:
        """Why no frames come, one line; None while they do, and at the usual end of a file."""
        return self._problem

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before they were taken."""
        return self._dropped

    @property
    def fps(self) -> float | None:
        """Frames that arrived per second lately; the source's own word until they can be counted, if it gives any."""
        with self._changed:
            if len(self._arrivals) > 1 and self._arrivals[-1] > self._arrivals[0]:
                return (len(self._arrivals) - 1) / (self._arrivals[-1] - self._arrivals[0])
        return self._declared_fps

    def newest(self, timeout: float | None = None) -> LiveFrame | None:
        """The newest frame, each at most once.

        Args:
            timeout: seconds to wait for a frame that was not given yet; without end when left out.

        Returns:
            The frame; None where none came in time, or the source has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._state == "ended", timeout)
            if self._error:
                raise self._error
            frame, self._newest = self._newest, None
            return frame

    def close(self) -> None:
        """Ends the source; a camera that hangs in its driver is left to its thread."""
        self._stop.set()
        self._thread.join(timeout=CLOSE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, opened: Source | None) -> None:
        try:
            while opened is not None:
                self._play(opened)
                opened = self._reconnected() if isinstance(opened, Live) else None
        except Exception as error:  # a bug: raised where the frames are taken
            self._error = error
        finally:
            self._change("ended", self._problem)

    def _play(self, opened: Source) -> None:
        """Takes frames until the source ends, breaks off or is closed."""
        paced = not isinstance(opened, Live)
        begin: float | None = None
        try:
            with opened:
                for frame in opened:
                    if paced:
                        begin = self.clock.now() - frame.time_s if begin is None else begin
                        self._sleep(begin + frame.time_s - self.clock.now())
                    if self._stop.is_set():
                        return
                    self._put(frame.image)
            self._problem = None if paced else f"{self.location}: the connection ended"
        except SourceDamaged as damage:
            self._problem = str(damage)

    def _reconnected(self) -> Source | None:
        """The source opened again; None where it was closed first."""
        delay = FIRST_DELAY_S
        self._change("reconnecting", self._problem)
        while True:
            self._sleep(delay)
            if self._stop.is_set():
                return None
            try:
                opened = self._opener(self._location)
            except SourceError as error:
                self._change("reconnecting", str(error))
                delay = min(2 * delay, LONGEST_DELAY_S)
                continue
            with self._changed:
                self._connection += 1
                self._arrivals.clear()
            self._change("live", None)
            return opened

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.clock.sleep(seconds, self._stop)

    def _put(self, image: NDArray[np.uint8]) -> None:
        now = self.clock.now()
        with self._changed:
            self._dropped += self._newest is not None
            self._newest = LiveFrame(self._count, image, now, self._connection)
            self._count += 1
            self._arrivals.append(now)
            self._changed.notify_all()

    def _change(self, state: LiveState, problem: str | None) -> None:
        with self._changed:
            self._state, self._problem = state, problem
            self._changed.notify_all()
