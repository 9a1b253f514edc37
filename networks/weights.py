"""Weights files: safetensors with the network's configuration, version, training record and a checksum inside.

Loading reads tensors and JSON only; no code in a file is ever run.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from networks.config import ModelConfig
from networks.model import EnergyTracker

FORMAT = "ebtrack"
FORMAT_VERSION = 1


class WeightsError(Exception):
    """A weights file that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class WeightsInfo:
    """The record inside a weights file."""

    path: Path
    version: str
    """Version of ebtrack that wrote the file."""
    checksum: str
    """SHA-256 over the record and the names, types, shapes and bytes of all tensors."""
    parameters: int
    config: ModelConfig
    training: dict[str, Any]
    """Free record of the training: data, command, steps, seed, terms of use."""


def checksum(tensors: dict[str, Tensor], metadata: dict[str, str]) -> str:
    """SHA-256 over the metadata but the checksum itself, and names, types, shapes and bytes of tensors, in order."""
    digest = hashlib.sha256()
    for key in sorted(metadata.keys() - {"checksum"}):
        digest.update(f"{key} {len(metadata[key])} {metadata[key]}\n".encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_weights(path: Path, model: EnergyTracker, training: dict[str, Any], version: str) -> None:
    """Writes an unfused model's tensors and record; the file appears whole or not at all."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "version": version,
        "config": model.config.model_dump_json(),
        "training": json.dumps(training),
    }
    metadata["checksum"] = checksum(tensors, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, metadata)
    partial.chmod(0o644)  # safetensors makes files that only their owner may read
    os.replace(partial, path)


def _open(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise WeightsError(f"no weights file at {path}: give the path of an ebtrack .safetensors file, or 'default'")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, OSError) as error:
        with path.open("rb") as opened:
            head = opened.read(8)
        # A safetensors file begins with a length, whose last bytes are zero: one cut short may begin as a pickle does.
        if head[:2] == b"PK" or (head[:1] == b"\x80" and any(head[5:])):
            raise WeightsError(
                f"{path} is a pickled PyTorch file, which can run code when opened; ebtrack reads only .safetensors "
                "files that it wrote itself (ebtrack train exports one)"
            ) from error
        raise WeightsError(f"{path} is no readable safetensors file (damaged or cut short?): {error}") from error
    return metadata, tensors


def load_weights(path: Path) -> tuple[EnergyTracker, WeightsInfo]:
    """Builds the model that a weights file describes.

    Returns:
        The model in inference mode, unfused, on the CPU in float32, and the file's record.

    Raises:
        WeightsError: the file is missing, damaged, pickled, foreign, or made by a newer version.
    """
    metadata, tensors = _open(path)
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path} is a safetensors file but not one of ebtrack's: its metadata lacks format={FORMAT}")
    if metadata.get("format_version") != str(FORMAT_VERSION):
        raise WeightsError(
            f"{path} has format version {metadata.get('format_version')}, this ebtrack reads {FORMAT_VERSION}: "
            "install a newer ebtrack"
        )
    found = checksum(tensors, metadata)
    if found != metadata.get("checksum"):
        raise WeightsError(f"{path} is damaged: its content does not match the checksum inside; fetch it again")
    try:
        config = ModelConfig.model_validate_json(metadata["config"])
        training = json.loads(metadata["training"])
        model = EnergyTracker(config)
        model.load_state_dict(tensors)
    except (KeyError, ValidationError, RuntimeError, json.JSONDecodeError) as error:
        raise WeightsError(f"{path} does not describe a network that this ebtrack can build: {error}") from error
    parameters = sum(parameter.numel() for parameter in model.parameters())
    info = WeightsInfo(path, metadata.get("version", "unknown"), found, parameters, config, training)
    return model.eval(), info
