"""Where a frame's graph comes from: the package, the user's cache, or a trace that is kept there.

A graph depends on the networks' structure and on a few settings of the tracker, not on weights: one file serves all
weights of an architecture.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch

from networks.config import ModelConfig
from networks.model import EnergyTracker
from tracker.config import TrackerConfig
from tracker.graphs import LOOK_INPUTS, LOOK_OUTPUTS, LookGraph, to_onnx, without_weights

PACKAGED = Path(__file__).parent / "traced"


def structure(model: ModelConfig, config: TrackerConfig) -> str:
    """A name for everything that decides the graph but the code that it is traced from."""
    parts = (
        model.model_dump_json(exclude={"trained_presence": True, "template_factor": True, "backbone": {"timm_start"}}),
        config.model_dump_json(include={"samples", "estimate", "refine_steps", "refine_boxes"}),
    )
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


@cache
def _code() -> str:
    """A name for the code that graphs are traced from."""
    digest = hashlib.sha256(torch.__version__.encode())
    for folder in ("networks", "tracker"):
        for path in sorted((Path(__file__).parent.parent / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where the user's traces are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ebtrack" / "graphs"


def stored_graph(model: ModelConfig, config: TrackerConfig) -> bytes | None:
    """The graph of an architecture without weights: packaged, cached, or traced and cached.

    Args:
        model: the networks' configuration.
        config: how to track.

    Returns:
        The serialised graph; None where there is none and onnx, which tracing needs, is not installed.
    """
    name = structure(model, config)
    kept = cache_folder() / f"{name}-{_code()}.onnx"
    for path in (PACKAGED / f"{name}.onnx", kept):
        if path.is_file():
            return path.read_bytes()
    if find_spec("onnx") is None:
        return None
    graph = trace(model, config)
    # A folder that cannot be written to costs the next start a few seconds and nothing else.
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as partial:
            partial.write(graph)
        os.replace(partial.name, kept)
    return graph


def trace(model: ModelConfig, config: TrackerConfig) -> bytes:
    """The graph of an architecture, without weights."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.no_grad():
        networks = EnergyTracker(model).fuse()
        # The exporter takes tensors of equal content for one.
        for parameter in networks.parameters():
            parameter.uniform_(-0.1, 0.1)
        graph = LookGraph(networks, config)
        return without_weights(to_onnx(graph, graph.example(), LOOK_INPUTS, LOOK_OUTPUTS))
