"""One run from a source to a folder of results."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel

from networks.posterior import Posterior
from networks.weights import WeightsInfo
from tracker.display import Window
from tracker.interrupt import CtrlC
from tracker.sinks import OutputFolder, Recording
from tracker.sinks.boxes import read_table
from tracker.sources import Frame, Source, SourceDamaged, open_source
from tracker.track import Track

Box = tuple[float, float, float, float]
SPEED = "frames after the first divided by summed update time; reading, drawing and writing excluded"


class SessionTracker(Protocol):
    """What a session needs of a tracker; `tracker.Tracker` is one."""

    weights_info: WeightsInfo
    device: torch.device
    seed: int

    @property
    def config(self) -> BaseModel:
        """How it tracks, for the record."""

    def init(self, frame: NDArray[np.uint8], box: list[Box]) -> None:
        """Begins with the targets' boxes."""

    def update(self, frame: NDArray[np.uint8]) -> Track | list[Track]:
        """A track a target."""


@dataclass(frozen=True)
class Step:
    """One frame of a run, as it is reported while the run goes on."""

    frame: Frame
    tracks: list[Track]
    fps: float
    """Speed so far, as `SPEED` defines it; 0 in the first frame."""


@dataclass(frozen=True)
class RunSummary:
    """What a run made."""

    out: Path
    frames: int
    """Frames written, the first one included."""
    targets: int
    files: dict[str, Path]
    """By key: boxes, boxes_txt (or boxes_txt_1, ...), mot (several targets), annotated, summary, run."""
    seconds: float
    """Summed update time."""
    interrupted: bool
    damaged: str | None
    """Why the source broke off."""
    notes: list[str]
    """What the user should know of the files."""

    @property
    def fps(self) -> float:
        """Speed, as `SPEED` defines it."""
        return (self.frames - 1) / self.seconds if self.seconds > 0 else 0.0

    @property
    def boxes(self) -> list[list[Box]]:
        """Boxes (x, y, w, h), a list a target with an entry a frame; read from the file when asked for."""
        return read_table(self.files["boxes"], self.targets)[0]

    @property
    def presence(self) -> list[list[float]]:
        """P(present), a list a target with an entry a frame; read from the file when asked for."""
        return read_table(self.files["boxes"], self.targets)[1]


def track_to_folder(
    source: str | Source,
    boxes: Sequence[Box],
    out: Path,
    tracker: SessionTracker,
    *,
    max_frames: int | None = None,
    show: bool = False,
    overwrite: bool = False,
    on_frame: Callable[[Step], None] | None = None,
) -> RunSummary:
    """Tracks targets through a source and writes boxes, annotated video, summary and record into a folder.

    Outputs are written while the run goes on, in memory that does not grow with it. Ctrl-C, a damaged source and a
    full disk end the run; what was written up to there is then complete and valid.

    Args:
        source: as `open_source` takes it, or an open source.
        boxes: (x, y, w, h) of each target in the first frame, 0-based pixels.
        out: the folder; it is made where needed.
        tracker: not yet begun.
        max_frames: stop after so many frames, the first one included.
        show: show the frames in a window.
        overwrite: replace the results of an earlier run in the folder; other files stay.
        on_frame: called after each frame.

    Raises:
        SourceError: the source cannot be opened.
        ValueError: a box cannot be used, or there is none.
        OutputError: the folder holds results and ``overwrite`` is false, or cannot be written.
        DisplayError: ``show`` is set where no window can be shown.
    """
    if not boxes:
        raise ValueError("give at least one box x, y, w, h")
    if max_frames is not None and max_frames < 1:
        raise ValueError(f"max_frames must be at least 1, got {max_frames}")
    folder = OutputFolder(out, overwrite)
    with ExitStack() as stack:
        opened = source if isinstance(source, Source) else stack.enter_context(open_source(source))
        first = opened.first().image
        tracker.init(first, list(boxes))
        window = Window(f"ebtrack {opened.name}") if show else None
        if window:
            stack.callback(window.close)
        folder.prepare(opened.location)
        recording = Recording(folder, len(boxes), opened.fps, f"{opened.name}   (ebtrack {version('ebtrack')})")
        options = {"boxes": [list(map(float, box)) for box in boxes], "max_frames": max_frames, "show": show}
        size = (first.shape[1], first.shape[0])
        return _Run(opened, tracker, recording, options, size).go(list(boxes), max_frames, window, on_frame)


class _Run:
    """The loop over the frames, and its ending in good order."""

    def __init__(
        self,
        source: Source,
        tracker: SessionTracker,
        recording: Recording,
        options: dict[str, Any],
        size: tuple[int, int],
    ) -> None:
        self._source = source
        self._tracker = tracker
        self._recording = recording
        self._options = options
        self._size = size
        self._seconds = 0.0
        self._reason: str | None = None
        self._started = time.strftime("%Y-%m-%dT%H:%M:%S%z")

    def go(
        self,
        boxes: list[Box],
        max_frames: int | None,
        window: Window | None,
        on_frame: Callable[[Step], None] | None,
    ) -> RunSummary:
        self._recording.write_record(self._record("running"))
        status = "failed"
        with CtrlC() as ctrl_c:
            try:
                for frame in self._source:
                    tracks = self._tracks(frame, boxes)
                    with ctrl_c.held():
                        picture = self._recording.write(frame, tracks)
                    if on_frame:
                        on_frame(Step(frame, tracks, self._fps))
                    if window and not window.show(picture):
                        raise KeyboardInterrupt
                    if frame.index + 1 == max_frames:
                        break
                status = "complete"
            except KeyboardInterrupt:
                status = "interrupted"
            except SourceDamaged as damage:
                self._reason, status = str(damage), "damaged"
            except Exception as error:
                self._reason = str(error)
                raise
            finally:
                ctrl_c.ignore()
                self._recording.finish(self._record(status))
        return RunSummary(
            out=self._recording.files["run"].parent,
            frames=self._recording.frames,
            targets=len(boxes),
            files=self._recording.files,
            seconds=self._seconds,
            interrupted=status == "interrupted",
            damaged=self._reason if status == "damaged" else None,
            notes=self._recording.notes,
        )

    def _tracks(self, frame: Frame, boxes: list[Box]) -> list[Track]:
        if frame.index == 0:
            return [_given(box) for box in boxes]
        begin = time.perf_counter()
        tracks = self._tracker.update(frame.image)
        self._seconds += time.perf_counter() - begin
        assert isinstance(tracks, list)  # init was given a list
        return tracks

    @property
    def _fps(self) -> float:
        return (self._recording.frames - 1) / self._seconds if self._seconds > 0 else 0.0

    def _record(self, status: str) -> dict[str, Any]:
        """What made the outputs, for ``run.json``."""
        weights, device = self._tracker.weights_info, self._tracker.device
        return {
            "ebtrack": version("ebtrack"),
            "status": status,
            "reason": self._reason,
            "source": self._source.location,
            "resolution": list(self._size),
            "source_fps": self._source.fps,
            "frames": self._recording.frames,
            "weights": {
                "path": str(weights.path),
                "version": weights.version,
                "checksum": weights.checksum,
                "parameters": weights.parameters,
            },
            "seed": self._tracker.seed,
            "options": {**self._options, "tracker": self._tracker.config.model_dump(mode="json")},
            "speed": {"fps": round(self._fps, 3), "update_seconds": round(self._seconds, 6), "definition": SPEED},
            "platform": {
                "system": platform.platform(),
                "python": platform.python_version(),
                "torch": torch.__version__,
                "device": str(device),
                "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
                "threads": torch.get_num_threads(),
            },
            "started": self._started,
            "files": sorted(path.name for path in self._recording.files.values()),
        }


def _given(box: Box) -> Track:
    """The first frame's track: the given box, without doubt."""
    x, y, w, h = (float(value) for value in box)
    same = torch.tensor([[x + w / 2, y + h / 2, w, h]]).repeat(2, 1)
    certain = Posterior(same, torch.full((2,), 0.5).log(), torch.zeros(()), torch.ones(()))
    return Track((x, y, w, h), 1.0, certain)
