"""All outputs of a run, written frame by frame."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.drawing import Image, View, draw_tracks
from tracker.sinks.boxes import BoxFiles
from tracker.sinks.folder import OutputError, OutputFolder
from tracker.sinks.video import VideoWriter, open_video
from tracker.sources import Frame
from tracker.summary import Summary
from tracker.track import Track

# Smaller videos are enlarged, so that the text on them can be read.
READABLE_SIDE = 640


class Recording:
    """Writes boxes, video, summary and record into a folder, whatever ends the run.

    Args:
        folder: prepared.
        targets: how many.
        fps: of the source, if it has one.
        title: the line over the summary picture.

    Raises:
        OutputError: a file cannot be written.
    """

    def __init__(self, folder: OutputFolder, targets: int, fps: float | None, title: str) -> None:
        self._folder = folder.path
        self._fps = fps
        self._title = title
        try:
            self._boxes = BoxFiles(folder.path, targets)
        except OSError as error:
            raise _output_error(self._folder, error) from error
        self._video: VideoWriter | None = None
        self._summary = Summary(targets)
        self._scale = 1.0
        self.frames = 0

    @property
    def files(self) -> dict[str, Path]:
        """Every output by its key."""
        plain = self._boxes.plain
        keys = ["boxes_txt"] if len(plain) == 1 else [f"boxes_txt_{number}" for number in range(1, len(plain) + 1)]
        files = {"boxes": self._boxes.table, **dict(zip(keys, plain, strict=True))}
        if self._boxes.mot:
            files["mot"] = self._boxes.mot
        for key, name in (("annotated", "annotated.mp4"), ("summary", "summary.png"), ("run", "run.json")):
            files[key] = self._folder / name
        return files

    @property
    def notes(self) -> list[str]:
        """What the user should know of the files."""
        return [self._video.note] if self._video and self._video.note else []

    def write(self, frame: Frame, tracks: Sequence[Track]) -> Image:
        """Adds a frame with its tracks to every output.

        Returns:
            The annotated picture.

        Raises:
            OutputError: the disk does not take it.
        """
        try:
            if self._video is None:
                self._scale = max(1, round(READABLE_SIDE / max(frame.image.shape[:2])))
            view = View.whole(frame.image, self._scale)
            picture = draw_tracks(frame.image, tracks, view, note=f"frame {frame.index}  {frame.time_s:.2f} s")
            self._boxes.write(frame, tracks)
            self.frames += 1
            if self._video is None:
                self._video = open_video(self.files["annotated"], picture, self._fps)
            self._video.write(picture, frame.time_s)
        except OSError as error:
            raise _output_error(self._folder, error) from error
        self._summary.write(frame, tracks)
        return picture

    def write_record(self, record: dict[str, Any]) -> None:
        """Replaces ``run.json``, whole or not at all.

        Raises:
            OutputError: the disk does not take it.
        """
        path = self.files["run"]
        partial = path.with_name(path.name + ".partial")
        try:
            partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            os.replace(partial, path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise _output_error(self._folder, error) from error

    def finish(self, record: dict[str, Any]) -> None:
        """Closes every file, draws the summary and writes the record; one failure does not keep the others back.

        Raises:
            OutputError: the first failure.
        """
        steps: list[Callable[[], None]] = [self._boxes.close]
        if self._video:
            steps.append(self._video.close)
        if self.frames:
            steps.append(lambda: self._summary.save(self.files["summary"], self._title))
        steps.append(lambda: self.write_record(record))
        failure: OutputError | None = None
        for step in steps:
            try:
                step()
            except OutputError as error:
                failure = failure or error
            except OSError as error:
                failure = failure or _output_error(self._folder, error)
        if failure:
            raise failure


def _output_error(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write into {folder}: {error.strerror or error}; free space or name another folder with --out"
    )
