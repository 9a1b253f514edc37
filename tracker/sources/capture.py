"""Cameras and streams through OpenCV, and video files where PyAV is missing."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.sources.base import USUAL_FPS, Frame, Source, SourceDamaged, SourceError

OPEN_TIMEOUT_MS = 10_000
SLACK_FRAMES = 3
SLACK_GUESSED_S = 2.0
COUNTING = frozenset((".avi", ".m4v", ".mov", ".mp4"))
"""Containers that declare how many frames they hold."""
Image = NDArray[np.uint8]


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keeps OpenCV and its FFmpeg from writing on stderr about what an error of ours says already."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logging = cv2.utils.logging
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


class Capture(Source):
    """An OpenCV capture whose frames wait for their reader: a video file, also one behind an http address."""

    def __init__(self, location: str, name: str, capture: cv2.VideoCapture) -> None:
        super().__init__(location, name)
        self._capture = capture
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.fps = rate if math.isfinite(rate) and 0 < rate <= 1000 else None
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = int(count) if math.isfinite(count) and count > 0 else None

    def _read(self) -> Generator[Frame, None, None]:
        step = 1 / (self.fps or USUAL_FPS)
        time_s, index = 0.0, 0
        begin = None
        while True:
            taken, image = self._capture.read()
            if not taken:
                break
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if begin is None:
                begin = stamp
            later = stamp - begin
            time_s = later if index == 0 or later > time_s else time_s + step
            yield Frame(image, index, time_s)  # type: ignore[arg-type]
            index += 1
        # Count over rate is the declared duration; frames may be fewer where they are unevenly spaced. Where the
        # container declares no count, it is OpenCV's guess from a duration that may be the sound's.
        exact = Path(urlsplit(self.location).path).suffix.lower() in COUNTING
        slack = SLACK_FRAMES if exact else max(SLACK_FRAMES, SLACK_GUESSED_S / step)
        if self.frame_count is not None and max(index, time_s / step + 1) < self.frame_count - slack:
            raise SourceDamaged(
                f"{self.location}: damaged or cut short after {index} frames of about {self.frame_count}; "
                "to track past the damage, mend a copy first, with ffmpeg say"
            )

    def _release(self) -> None:
        self._capture.release()


class Live(Source):
    """A camera or stream, which does not wait: a thread takes every frame and keeps the newest.

    Args:
        location: what the user named, without passwords.
        name: short name of the source.
        capture: open.
        ends: whether an end is in the nature of the source, as a broadcast's is; a camera's is a failure.
    """

    def __init__(self, location: str, name: str, capture: cv2.VideoCapture, ends: bool) -> None:
        super().__init__(location, name)
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.fps = rate if math.isfinite(rate) and 0 < rate <= 1000 else None
        self._capture = capture
        self._ends = ends
        self._newest: tuple[Image, float] | None = None
        self._over = False
        self._stop = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._take, name="ebtrack-live", daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while not self._stop:
            taken, image = self._capture.read()
            with self._changed:
                if not taken:
                    break
                self._newest = (image, time.monotonic())  # type: ignore[assignment]
                self._changed.notify()
        # The thread that reads is the one that releases: releasing under a reader crashes.
        self._capture.release()
        with self._changed:
            self._over = True
            self._changed.notify()

    def _read(self) -> Generator[Frame, None, None]:
        begin, index = None, 0
        while True:
            with self._changed:
                # Woken now and then, so that Ctrl-C is heard while no frame comes.
                while self._newest is None and not self._over:
                    self._changed.wait(0.2)
                if self._newest is None:
                    break
                (image, stamp), self._newest = self._newest, None
            if begin is None:
                begin = stamp
            yield Frame(image, index, stamp - begin)
            index += 1
        if not self._ends or index == 0:
            raise SourceDamaged(
                f"{self.location}: gave no more frames after {index}; is it plugged in, and free of other programs?"
            )

    def _release(self) -> None:
        self._stop = True
        self._thread.join(timeout=2.0)


def open_camera(index: int) -> Live:
    """The camera of this number.

    Raises:
        SourceError: there is none, or it cannot be opened.
    """
    with quiet_opencv():
        capture = cv2.VideoCapture(index)
    if not capture.isOpened():
        device = Path(f"/dev/video{index}")
        if device.exists() and not os.access(device, os.R_OK | os.W_OK):
            raise SourceError(f"camera {index}: no permission for {device}; join the group 'video'")
        raise SourceError(
            f"camera {index}: there is none, or another program has it; plug it in, close the other program, "
            f"or give another number (a folder of this name is ./{index})"
        )
    return Live(f"camera {index}", f"camera-{index}", capture, ends=False)


def open_stream(address: str) -> Capture | Live:
    """A stream address; a file behind an http address waits for its reader, everything else is live.

    Raises:
        SourceError: nothing answers there.
    """
    shown = without_password(address)
    timeouts: Sequence[int] = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
    ]
    with quiet_opencv():
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
    if not capture.isOpened():
        raise SourceError(f"{shown}: no video stream answers; check address, network and password")
    parts = urlsplit(address)
    name = f"{parts.hostname or parts.scheme}-{Path(parts.path).stem or 'stream'}"
    if parts.scheme in ("http", "https") and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
        return Capture(shown, name, capture)
    return Live(shown, name, capture, ends=True)


def open_file(path: Path) -> Capture:
    """A video file, where PyAV is missing.

    Raises:
        SourceError: it is no video, or nothing of it can be read.
    """
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(f"{path}: no readable video; another kind of file, empty, or cut short before its index?")
    return Capture(str(path), path.stem, capture)


def without_password(address: str) -> str:
    """The address as it may be shown and stored."""
    parts = urlsplit(address)
    if "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))
