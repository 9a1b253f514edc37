"""The public functions: load a tracker, track a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import torch

from networks.weights import load_weights
from tracker.config import TrackerConfig
from tracker.engines import EngineName
from tracker.online import Tracker
from tracker.sources import Source, open_source
from tracker.track import Track


def load(
    name_or_path: str | Path = "default",
    device: str | torch.device | None = None,
    seed: int = 0,
    config: TrackerConfig | None = None,
    engine: EngineName = "auto",
) -> Tracker:
    """Loads a tracker.

    Args:
        name_or_path: ``default`` for the weights that ship with ebtrack, or the path of a weights file.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; the best at hand when left out.
        seed: of the sampler; the same seed gives the same boxes.
        config: how to track, where it should differ from the default.
        engine: what runs the networks: ``onnx`` (onnxruntime, on a CPU), ``torch``, or the faster one of those at hand.

    Raises:
        WeightsError: the weights file cannot be used; the message says why.
        ValueError: the device does not exist here, or the engine does not exist.

    Warns:
        UserWarning: the onnx engine was asked for and is not to be had; the torch engine takes its place.
    """
    # The networks are to be of use also to a caller who is in inference mode now and is not later.
    with torch.inference_mode(False):
        model, info = load_weights(weights_path(name_or_path))
        return Tracker(model, info, resolve_device(device), seed, config, engine)


def weights_path(name_or_path: str | Path) -> Path:
    """The file that ``default`` or a path means."""
    if name_or_path == "default":
        return Path(str(files("ebtrack") / "weights" / "default.safetensors"))
    return Path(name_or_path)


def resolve_device(device: str | torch.device | None) -> torch.device:
    """The device that a name means here; the best at hand for none.

    Raises:
        ValueError: there is no such device here.
    """
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"no device {str(device)!r} here: choose cpu, or leave the device out") from error
    return found


def track(
    source: str | Path,
    box: Sequence[float],
    name_or_path: str | Path = "default",
    device: str | torch.device | None = None,
    seed: int = 0,
) -> Iterator[Track]:
    """Tracks one target through a video file, an image folder or glob, a camera or a stream.

    Args:
        source: as ``ebtrack track`` takes it.
        box: (x, y, w, h) of the target in the first frame, 0-based pixels.
        name_or_path: see `load`, as ``device`` and ``seed``.

    Returns:
        An iterator that gives a `Track` for each frame after the first.

    Raises:
        SourceError: the source cannot be opened.
        ValueError: the box cannot be used.
    """
    tracker = load(name_or_path, device, seed)
    opened = open_source(str(source))
    try:
        tracker.init(opened.first().image, box)
    except ValueError:
        opened.close()
        raise
    return _tracks(tracker, opened)


def _tracks(tracker: Tracker, opened: Source) -> Iterator[Track]:
    with opened:
        for frame in opened:
            if frame.index == 0:
                continue
            result = tracker.update(frame.image)
            assert isinstance(result, Track)
            yield result
