"""Boxes as text: a table with everything, a plain file a target, and the MOT format."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tracker.sinks.rows import COLUMNS, mot_row, plain_row, table_row
from tracker.sources import Frame
from tracker.track import Track


class BoxFiles:
    """Writes ``boxes.csv``, ``boxes.txt`` (or one a target) and, for several targets, ``tracks.mot.txt``.

    Frames count from 0 in ``boxes.csv`` and from 1 in the MOT file,
    where the confidence is the presence; targets count from 1. The first frame's boxes are given, not estimated:
    their ``ess`` is nan, and their intervals have no width.

    Args:
        folder: where to.
        targets: how many.
    """

    def __init__(self, folder: Path, targets: int) -> None:
        self.table = folder / "boxes.csv"
        self.plain = [
            folder / ("boxes.txt" if targets == 1 else f"boxes_{number}.txt") for number in range(1, targets + 1)
        ]
        self.mot = folder / "tracks.mot.txt" if targets > 1 else None
        with ExitStack() as opened:
            paths = (self.table, *self.plain, *((self.mot,) if self.mot else ()))
            files = [opened.enter_context(_Lines(path)) for path in paths]
            files[0].write(",".join(COLUMNS) + "\n")
            files[0].keep()
            self._files = files
            self._open = opened.pop_all()

    def write(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Adds a frame's tracks, in the order of the targets: to every file, or to none.

        Raises:
            OSError: the disk does not take them.
        """
        table, *others = self._files
        try:
            for number, track in enumerate(tracks, start=1):
                table.write(table_row(frame.index, frame.time_s, number, track, given=frame.index == 0) + "\n")
                others[number - 1].write(plain_row(track.box) + "\n")
                if self.mot:
                    others[-1].write(mot_row(frame.index + 1, number, track.box, track.presence) + "\n")
        except OSError:
            for file in self._files:
                file.cut()
            raise
        for file in self._files:
            file.keep()

    def close(self) -> None:
        """Closes the files."""
        self._open.close()


class _Lines:
    """A text file without a buffer: a run that is killed leaves every finished frame."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._end = 0

    def write(self, text: str) -> None:
        rest = text.encode()
        while rest:
            rest = rest[self._file.write(rest) :]

    def keep(self) -> None:
        self._end = self._file.tell()

    def cut(self) -> None:
        """Goes back to what was kept."""
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_table(table: Path, targets: int) -> tuple[list[list[tuple[float, float, float, float]]], list[list[float]]]:
    """Boxes (x, y, w, h) and presence, a list a target with an entry a frame, from ``boxes.csv``."""
    boxes: list[list[tuple[float, float, float, float]]] = [[] for _ in range(targets)]
    presence: list[list[float]] = [[] for _ in range(targets)]
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            target = int(row["target"]) - 1
            boxes[target].append((float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"])))
            presence[target].append(float(row["presence"]))
    return boxes, presence
