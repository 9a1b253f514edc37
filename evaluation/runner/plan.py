"""What is run: a tracker with all that its results depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from evaluation.contestants import ContestantName, is_contestant, make_contestant
from evaluation.lockstep import AnnotatedSequence
from networks.weights import load_weights
from tracker.config import TrackerConfig

_TRACKING = ("networks", "tracker", "evaluation/lockstep.py")
_CONTESTING = ("evaluation/contestants",)


@dataclass(frozen=True)
class TrackerPlan:
    """One tracker with one seed."""

    tracker: str
    """``default``, the path of a weights file, ``opencv:NAME`` or ``python:MODULE:CLASS``."""
    name: str
    """Of its folder."""
    seed: int = 0
    config: TrackerConfig = field(default_factory=TrackerConfig)
    """Of our tracker."""
    batch: int = 1
    """Sequences that our tracker takes in lock step."""
    device: str = "cpu"
    """The first of those it runs on."""
    models: Path | None = None
    """Folder of model files of OpenCV's trackers."""

    @property
    def contestant(self) -> ContestantName | None:
        """The tracker where it is not ours."""
        return ContestantName(self.tracker, self.models) if is_contestant(self.tracker) else None

    @property
    def weights(self) -> Path:
        """The weights file of our tracker."""
        if self.tracker == "default":
            return Path(str(files("ebtrack") / "weights" / "default.safetensors"))
        return Path(self.tracker)

    def made_by(self) -> dict[str, Any]:
        """All that the results depend on, for the record; its parts are compared before a run is resumed.

        Raises:
            WeightsError: the weights file cannot be used.
            ValueError: there is no such tracker here; the message says how to mend it.
        """
        libraries = {"opencv": cv2.__version__, "numpy": np.__version__}
        common = {"version": version("ebtrack"), "seed": self.seed}
        if name := self.contestant:
            make_contestant(name)
            return {
                "tracker": name.text,
                "files": {key: _checksum([file]) for key, file in name.files().items()},
                "code": source_checksum(_CONTESTING),
                **common,
                "libraries": libraries,
            }
        return {
            "tracker": "ebtrack",
            "weights": load_weights(self.weights)[1].checksum,
            "code": source_checksum(_TRACKING),
            **common,
            "settings": self.config.model_dump(),
            "batch": self.batch,
            "device": _device_name(self.device),
            "libraries": {**libraries, "torch": torch.__version__},
        }


def sequence_record(sequence: AnnotatedSequence) -> dict[str, Any]:
    """What a result depends on beside the tracker."""
    return {"frames": len(sequence.groundtruth), "box": sequence.groundtruth[0].tolist()}


def tracker_name(tracker: str) -> str:
    """The folder's name of a tracker for which the user gives none."""
    if tracker == "default":
        return "ebtrack"
    if is_contestant(tracker):
        return tracker.rsplit(":", 1)[1]
    return Path(tracker).stem


@lru_cache
def source_checksum(parts: tuple[str, ...] = _TRACKING) -> str:
    """SHA-256 over the names and contents of the Python files that results depend on."""
    root = Path(__file__).resolve().parents[2]
    found = [sorted(path.rglob("*.py")) if path.is_dir() else [path] for path in (root / part for part in parts)]
    return _checksum(chain.from_iterable(found), root)


def _checksum(paths: Iterable[Path], root: Path | None = None) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if root:
            digest.update(path.relative_to(root).as_posix().encode() + b"\n")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _device_name(device: str) -> str:
    kind = torch.device(device)
    return f"cuda ({torch.cuda.get_device_name(kind)})" if kind.type == "cuda" else kind.type
