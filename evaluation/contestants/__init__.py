"""Trackers other than ours, behind one interface: `Contestant`, made by `make_contestant` from its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.contestants.opencv import OpenCVTracker, model_files
from evaluation.contestants.python import load_class, source_file, told

OPENCV, PYTHON = "opencv:", "python:"


class Contestant(Protocol):
    """What can be evaluated. Frames are H x W x 3 uint8 BGR, boxes (x, y, w, h) in 0-based pixels."""

    def init(self, frame: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Any:
        """Begins with the target's box; what it returns is not looked at."""

    def update(self, frame: NDArray[np.uint8]) -> Any:
        """A box, or (found, box), or a `tracker.Track`; where it is not found the last box stays."""


@dataclass(frozen=True)
class ContestantName:
    """A checked name of a tracker that is not ours."""

    text: str
    """``opencv:NAME`` or ``python:module:Class``."""
    models: Path | None = None
    """Folder of the model files that OpenCV's Nano and Vit need."""

    def files(self) -> Mapping[str, Path]:
        """The files that make it what it is: models, or the module's source."""
        if self.text.startswith(OPENCV):
            return model_files(self.text.removeprefix(OPENCV), self.models)
        source = source_file(self.text.removeprefix(PYTHON))
        return {source.name: source} if source else {}


def is_contestant(text: str) -> bool:
    """Whether a name is one of a tracker that is not ours."""
    return text.startswith((OPENCV, PYTHON))


def make_contestant(name: ContestantName) -> Contestant:
    """A tracker, made anew for a sequence.

    Raises:
        ValueError: there is no such tracker here, or model files are missing, or the class cannot be made without
            arguments; the message says how to mend it.
    """
    if name.text.startswith(OPENCV):
        return OpenCVTracker(name.text.removeprefix(OPENCV), name.models)
    of = load_class(name.text.removeprefix(PYTHON))
    try:
        made: Contestant = of()
    except Exception as error:
        raise ValueError(f"{name.text} cannot be made, as {of.__name__}(): {told(error)}") from error
    return made
