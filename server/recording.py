"""What a visitor records: the annotated video and the boxes of targets that come and go."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from server.limits import Limits
from tracker.drawing import View, draw_tracks
from tracker.sinks.rows import COLUMNS, mot_row, table_row
from tracker.sinks.video import VideoWriter, open_video
from tracker.track import Track

VIDEO, TABLE, MOT = "annotated.mp4", "boxes.csv", "tracks.mot.txt"
NAMES = (VIDEO, TABLE, MOT)
TYPES = {VIDEO: "video/mp4", TABLE: "text/csv; charset=utf-8", MOT: "text/plain; charset=utf-8"}


class VisitRecording:
    """Writes the frames of a visit, as they were shown, into a folder.

    The table has the columns of ``ebtrack track``, and targets bear the numbers that the page shows.

    Args:
        folder: it exists and is empty.

    Raises:
        OSError: it cannot be written into.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._video: VideoWriter | None = None
        self.frames = 0
        with ExitStack() as opened:
            self._table = opened.enter_context((folder / TABLE).open("w", encoding="utf-8"))
            self._mot = opened.enter_context((folder / MOT).open("w", encoding="utf-8"))
            self._table.write(",".join(COLUMNS) + "\n")
            self._open = opened.pop_all()

    def write(self, image: NDArray[np.uint8], time_s: float, ids: Sequence[int], tracks: Sequence[Track]) -> None:
        """Adds a frame.

        Args:
            image: H x W x 3 uint8 BGR.
            time_s: since the recording began.
            ids: of the targets.
            tracks: of the targets in this frame.

        Raises:
            OSError: the disk does not take it.
        """
        picture = draw_tracks(
            image, tracks, View.whole(image), note=f"frame {self.frames}  {time_s:.2f} s", numbers=ids
        )
        if self._video is None:
            self._video = open_video(self._folder / VIDEO, picture, None)
        self._video.write(picture, time_s)
        for target, track in zip(ids, tracks, strict=True):
            self._table.write(table_row(self.frames, time_s, target, track) + "\n")
            self._mot.write(mot_row(self.frames + 1, target, track.box, track.presence) + "\n")
        self.frames += 1

    @property
    def bytes(self) -> int:
        """On the disk by now."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    @property
    def names(self) -> list[str]:
        """Of the files that are there."""
        return [name for name in NAMES if (self._folder / name).is_file()]

    def finish(self) -> None:
        """Closes the files.

        Raises:
            OSError: the disk does not take the rest.
        """
        with self._open:
            if self._video:
                self._video.close()


@dataclass
class _Kept:
    visitor: int
    folder: Path
    until: float | None = None


class Recordings:
    """The recordings of all visitors, under keys that cannot be guessed, until some time after their visits.

    Args:
        folder: of their own; it exists.
        limits: how many and how long.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._kept: dict[str, _Kept] = {}

    def begin(self, visitor: int) -> tuple[str, Path]:
        """A key and a new folder for a recording; the visitor's oldest makes room where there are many."""
        self._thin([key for key, kept in self._kept.items() if kept.visitor == visitor], self._limits.recordings - 1)
        key = secrets.token_urlsafe(24)
        folder = self._folder / key
        folder.mkdir()
        self._kept[key] = _Kept(visitor, folder)
        return key, folder

    def leave(self, visitor: int, now: float | None = None) -> None:
        """The visit is over: what it recorded is kept for a while."""
        now = monotonic() if now is None else now
        for kept in self._kept.values():
            if kept.visitor == visitor:
                kept.until = now + self._limits.kept_s
        left = [key for key, kept in self._kept.items() if kept.until is not None]
        self._thin(left, self._limits.recordings * self._limits.visitors)

    def sweep(self, now: float | None = None) -> None:
        """Removes what was kept long enough."""
        now = monotonic() if now is None else now
        self._thin([key for key, kept in self._kept.items() if kept.until is not None and kept.until <= now], 0)

    def file(self, key: str, name: str) -> Path | None:
        """A recording's file, or None where there is no such."""
        kept = self._kept.get(key)
        path = kept.folder / name if kept and name in NAMES else None
        return path if path and path.is_file() else None

    def _thin(self, keys: list[str], most: int) -> None:
        """Removes the oldest of these, but for so many."""
        for key in keys[: max(0, len(keys) - most)]:
            shutil.rmtree(self._kept.pop(key).folder, ignore_errors=True)
