"""Recordings and snapshots of a live picture; each has a name of its own, so nothing is ever overwritten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import cv2

from tracker.drawing import Image
from tracker.live.source import LiveFrame, LiveSource
from tracker.live.targets import LiveTracker
from tracker.sinks import OutputError, OutputFolder, Recording
from tracker.sources import Frame
from tracker.track import Track

WAITING = 16
"""Most frames that wait to be written; then the live picture waits too, so that none is missing in the recording."""


@dataclass
class _Part:
    """One recording of one set of targets."""

    recording: Recording
    ids: tuple[int, ...]
    begin_s: float
    record: dict[str, Any]
    given: int = 0
    """Frames so far, those that wait included."""
    failed: bool = False


class Recorder:
    """Writes recordings through the sinks of `ebtrack track`, in a thread of its own beside the live picture.

    A recording's files have a fixed number of targets: where one comes or goes, the next part begins in a folder of its
    own.

    Args:
        out: the folder in which recordings and snapshots are made.
        source: what is recorded.
        tracker: what tracks, for the record.
    """

    def __init__(self, out: Path, source: LiveSource, tracker: LiveTracker) -> None:
        self._out = out
        self._source = source
        self._tracker = tracker
        self._part: _Part | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ebtrack-recording")
        self._room = threading.Semaphore(WAITING)
        self._tasks: list[Future[None]] = []
        self.on = False
        self.folders: list[Path] = []
        """Of all recordings so far, in the order of time."""

    def write(self, frame: LiveFrame, ids: Sequence[int], tracks: Sequence[Track]) -> None:
        """Adds a frame, while `on`; where the targets are others than before, to a new part.

        Args:
            frame: with its image.
            ids: of its targets, at least one.
            tracks: of the targets.

        Raises:
            OutputError: no folder can be made; the recording has ended. Later failures come from `failures`.
        """
        if self._part is not None and self._part.ids != tuple(ids):
            self._finish_part()
        if self._part is None:
            try:
                self._part = self._new_part(frame, tuple(ids))
            except OutputError:
                self.on = False
                raise
        part = self._part
        shot = Frame(frame.image, part.given, frame.captured - part.begin_s)
        part.given += 1
        self._room.acquire()
        self._tasks.append(self._writer.submit(self._write, part, shot, list(tracks)))

    def end(self) -> None:
        """Ends the recording; its files are finished meanwhile."""
        self.on = False
        self._finish_part()

    def snapshot(self, picture: Image) -> Path:
        """Writes a picture.

        Returns:
            The new file.

        Raises:
            OutputError: it cannot be written.
        """
        _, data = cv2.imencode(".png", picture)

        def create(path: Path) -> None:
            with path.open("xb") as file:
                file.write(data.tobytes())

        return self._new(time.strftime("snapshot-%Y%m%d-%H%M%S"), ".png", create)

    def failures(self) -> list[str]:
        """What went wrong since the last call; the recording has ended then."""
        done = [task for task in self._tasks if task.done()]
        self._tasks = [task for task in self._tasks if not task.done()]
        errors = [error for task in done if (error := task.exception())]
        for error in errors:
            if not isinstance(error, OutputError):
                raise error
        failures = [str(error) for error in errors]
        if failures:
            self.end()
        return failures

    def close(self) -> list[str]:
        """Ends what goes on and waits for its files; returns what went wrong."""
        self.end()
        self._writer.shutdown(wait=True)
        return self.failures()

    def _new_part(self, frame: LiveFrame, ids: tuple[int, ...]) -> _Part:
        folder = self._new(time.strftime("recording-%Y%m%d-%H%M%S"), "", Path.mkdir)
        output = OutputFolder(folder)
        output.prepare(self._source.location)
        title = f"{self._source.name}   (ebtrack {version('ebtrack')})"
        recording = Recording(output, len(ids), self._source.fps, title)
        part = _Part(recording, ids, frame.captured, self._record(frame, ids))
        recording.write_record({**part.record, "status": "running"})
        self.folders.append(folder)
        return part

    def _new(self, stem: str, suffix: str, create: Callable[[Path], None]) -> Path:
        """Creates a file or folder under the first name that is free."""
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            for number in count(1):
                path = self._out / (stem + (f"-{number}" if number > 1 else "") + suffix)
                try:
                    create(path)
                    break
                except FileExistsError:
                    continue
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"cannot write into {self._out}: {reason}; name another folder with --out") from error
        return path

    def _finish_part(self) -> None:
        if self._part is not None:
            self._tasks.append(self._writer.submit(self._finish, self._part))
            self._part = None

    def _write(self, part: _Part, frame: Frame, tracks: list[Track]) -> None:
        try:
            if not part.failed:
                part.recording.write(frame, tracks)
        except Exception:
            part.failed = True
            raise
        finally:
            self._room.release()

    def _finish(self, part: _Part) -> None:
        status = "failed" if part.failed else "complete"
        part.recording.finish({**part.record, "status": status, "frames": part.recording.frames})

    def _record(self, frame: LiveFrame, ids: tuple[int, ...]) -> dict[str, Any]:
        """What made the files, for ``run.json``."""
        weights = self._tracker.weights_info
        return {
            "ebtrack": version("ebtrack"),
            "source": self._source.location,
            "resolution": [frame.image.shape[1], frame.image.shape[0]],
            "source_fps": self._source.fps,
            # Those on the screen, of the targets that the files count from 1.
            "numbers": list(ids),
            "weights": {"path": str(weights.path), "version": weights.version, "checksum": weights.checksum},
            "seed": self._tracker.seed,
            "options": {"tracker": self._tracker.config.model_dump(mode="json")},
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
