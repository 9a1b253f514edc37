"""What ``ebtrack info`` shows: the record inside the weights, and the devices."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator

import torch
from rich.console import Console

from ebtrack.api import resolve_device, weights_path
from ebtrack.version import __version__
from networks.weights import load_weights


def describe(weights: str, console: Console) -> None:
    """Prints the record and the devices.

    Args:
        weights: ``default`` or the path of a weights file.
        console: where to.

    Raises:
        WeightsError: the weights file cannot be used.
    """
    _, info = load_weights(weights_path(weights))
    rows = [
        ("ebtrack", __version__),
        ("weights", str(info.path)),
        ("version", info.version),
        ("checksum", f"sha256 {info.checksum}"),
        ("parameters", f"{info.parameters:,}"),
        ("network", json.dumps(info.config.model_dump(mode="json"))),
        ("terms", str(info.training.get("terms", "the file says nothing of them"))),
        *(
            (f"training {name}", value if isinstance(value, str) else json.dumps(value))
            for name, value in info.training.items()
            if name != "terms"
        ),
        *_devices(),
        ("chosen", f"{resolve_device(None)}, unless --device says otherwise"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.print(f"{name:<{width}}  {value}", markup=False)


def _devices() -> Iterator[tuple[str, str]]:
    yield "cpu", f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        yield f"cuda:{index}", f"{device.name}, {device.total_memory / 2**30:.0f} GiB"
    if torch.backends.mps.is_available():
        yield "mps", "Apple GPU"
