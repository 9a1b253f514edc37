"""The folder that ``ebtrack export`` writes: graphs, what a runtime needs beside them, and how to run them."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ebtrack.api import weights_path
from ebtrack.export_readme import readme
from ebtrack.version import __version__
from networks.distributions import BOX_NOISE, SMALLEST_UNIFORM
from networks.model import EnergyTracker, Template
from networks.weights import WeightsInfo, load_weights
from tracker.config import TrackerConfig
from tracker.graphs import FRAME_INPUTS, FRAME_OUTPUTS, TEMPLATE_INPUTS, FrameGraph, TemplateGraph, to_onnx
from tracker.noise import sobol
from tracker.search import REACH
from tracker.state import GRID, SMALLEST_SIDE

FILES: dict[str, tuple[str, ...]] = {
    "onnx": ("template.onnx", "frame.onnx"),
    "openvino": ("template.xml", "frame.xml", "template.bin", "frame.bin"),
    "torchscript": ("template.pt", "frame.pt"),
}
"""What a format's graphs are called: the template's, the frame's, and what goes with them."""
RECORD, README = "tracker.json", "README.md"
OUTPUTS = FRAME_OUTPUTS[:5]
"""What a runtime has use for: all but what the template over time reads, which is off by default."""
NEEDS: dict[str, tuple[str, ...]] = {"onnx": ("onnx",), "openvino": ("onnx", "openvino"), "torchscript": ()}
EXTRA: dict[str, str] = {"onnx": "export", "openvino": "openvino"}


class _TemplateParts(nn.Module):
    """The template's graph without the parts that are empty in a network without energy head."""

    def __init__(self, graph: TemplateGraph) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, crops: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
        """Those of `TEMPLATE_OUTPUTS` that hold something."""
        return tuple(part for part in self.graph(crops, boxes) if part.numel())


class _FrameFromParts(nn.Module):
    """The frame's graph that takes what `_TemplateParts` gives, and gives `OUTPUTS`."""

    def __init__(self, graph: FrameGraph, parts: Sequence[str]) -> None:
        super().__init__()
        self.graph, self.parts = graph, tuple(parts)

    def forward(self, crops: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """The inputs of `FrameGraph` without the template's empty parts."""
        given = dict(zip(self.parts, rest, strict=False))
        empty = torch.zeros(len(crops), 0)
        template = [given.get(name, empty) for name in Template._fields]
        return tuple(self.graph(crops, *template, *rest[len(given) :])[: len(OUTPUTS)])


@dataclass(frozen=True)
class _Graph:
    """A module to be exported, with an example of its inputs."""

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]

    def described(self, file: str) -> dict[str, Any]:
        """File, names, shapes and types for the record."""
        with torch.no_grad():
            found = self.module(*self.inputs.values())
        return {
            "file": file,
            "inputs": _described(self.inputs),
            "outputs": _described(dict(zip(self.outputs, found, strict=True))),
        }


def _described(tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {
        name: {"shape": ["targets", *value.shape[1:]], "type": str(value.dtype).removeprefix("torch.")}
        for name, value in tensors.items()
    }


def export_folder(weights: str | Path, format_: str, out: Path, overwrite: bool = False) -> list[Path]:
    """Writes the networks of a weights file as graphs, with all that a runtime needs.

    Args:
        weights: ``default`` or the path of a weights file.
        format_: what the runtime reads: onnx, openvino or torchscript.
        out: the folder.
        overwrite: whether an earlier export may be replaced; a folder with anything else in it stays.

    Returns:
        The files.

    Raises:
        ValueError: a package is missing, or the folder holds something.
        WeightsError: the weights file cannot be used.
    """
    missing = [name for name in NEEDS[format_] if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"--format {format_} needs {' and '.join(missing)}, missing here: pip install 'ebtrack[{EXTRA[format_]}]'"
        )
    _check_folder(out, overwrite)
    model, info = load_weights(weights_path(weights))
    config = TrackerConfig()
    graphs = _graphs(model.fuse(), config)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as partial:
        folder = Path(partial)
        for graph, file in zip(graphs, FILES[format_], strict=False):
            _WRITERS[format_](graph, folder / file)
        described = {graph.name: graph.described(file) for graph, file in zip(graphs, FILES[format_], strict=False)}
        record = _record(info, config, format_, described)
        (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (folder / README).write_text(readme(record), encoding="utf-8")
        out.mkdir(exist_ok=True)
        for old in _ours():
            (out / old).unlink(missing_ok=True)
        names = (*FILES[format_], README, RECORD)
        for name in names:
            os.replace(folder / name, out / name)
    return [out / name for name in names]


def _ours() -> list[str]:
    """Every name that an export may have written."""
    return [*(name for names in FILES.values() for name in names), README, RECORD]


def _check_folder(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file, not a folder; name another one with --out")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not _is_export(out):
        raise ValueError(f"{out} holds files that are no export; name another folder with --out")
    if not overwrite:
        raise ValueError(
            f"{out} holds an earlier export; replace it with --overwrite, or name another folder with --out"
        )


def _is_export(folder: Path) -> bool:
    try:
        return "ebtrack" in json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _graphs(model: EnergyTracker, config: TrackerConfig) -> tuple[_Graph, _Graph]:
    """The template's graph and the frame's, of a fused model."""
    frame = FrameGraph(model, config)
    example = dict(zip(FRAME_INPUTS, frame.example(), strict=True))
    used = {name: value for name, value in example.items() if value.numel()}
    parts = tuple(name for name in Template._fields if name in used)
    size = model.config.template_size
    view = dict(
        zip(TEMPLATE_INPUTS, (torch.zeros(1, 3, size, size, dtype=torch.uint8), torch.zeros(1, 4)), strict=True)
    )
    return (
        _Graph("template", _TemplateParts(TemplateGraph(model)).eval(), view, parts),
        _Graph("frame", _FrameFromParts(frame, parts).eval(), used, OUTPUTS),
    )


def _write_onnx(graph: _Graph, path: Path) -> None:
    import onnx

    model = to_onnx(graph.module, tuple(graph.inputs.values()), tuple(graph.inputs), graph.outputs)
    # What nothing reads, onnxruntime would warn of.
    read = {name for node in model.graph.node for name in node.input} | {*graph.outputs}
    for node in [node for node in model.graph.node if read.isdisjoint(node.output)]:
        model.graph.node.remove(node)
    onnx.save(model, path)


def _write_openvino(graph: _Graph, path: Path) -> None:
    import openvino

    onnx_path = path.with_suffix(".onnx")
    _write_onnx(graph, onnx_path)
    openvino.save_model(openvino.convert_model(onnx_path), path, compress_to_fp16=False)
    onnx_path.unlink()


def _write_torchscript(graph: _Graph, path: Path) -> None:
    with warnings.catch_warnings():
        # That tensors' shapes are taken for constants: those of a model are.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(graph.module, tuple(graph.inputs.values()), check_trace=False)
    torch.jit.save(traced, path)


_WRITERS: dict[str, Callable[[_Graph, Path], None]] = {
    "onnx": _write_onnx,
    "openvino": _write_openvino,
    "torchscript": _write_torchscript,
}


def _record(info: WeightsInfo, config: TrackerConfig, format_: str, graphs: dict[str, Any]) -> dict[str, Any]:
    """What a runtime reads, as JSON."""
    network = info.config
    return {
        "ebtrack": __version__,
        "format": format_,
        "weights": {
            "file": info.path.name,
            "version": info.version,
            "sha256": info.checksum,
            "terms": str(info.training.get("terms", "the file says nothing of them")),
        },
        **graphs,
        "network": {
            name: getattr(network, name)
            for name in ("template_size", "template_factor", "search_size", "search_factor", "trained_presence")
        },
        "tracker": config.model_dump(mode="json"),
        "limits": {"smallest_side": SMALLEST_SIDE, "grid": GRID, "smallest_uniform": SMALLEST_UNIFORM, "reach": REACH},
        "sobol": sobol(config.samples, BOX_NOISE).tolist(),
    }
