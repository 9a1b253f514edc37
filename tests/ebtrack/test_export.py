"""``ebtrack export``: the folder, and the agreement of its graphs with the networks."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from typer.testing import CliRunner, Result

import ebtrack
from ebtrack.cli import app
from networks.config import ModelConfig
from networks.model import EnergyTracker, Template
from networks.weights import save_weights
from tracker.config import TrackerConfig
from tracker.estimate import Given, estimate

OUTPUTS = ("box", "samples", "log_weights", "log_z", "presence")


def export(out: Path, format_: str, weights: str | Path = "default", *more: str) -> Result:
    return CliRunner().invoke(app, ["export", str(weights), "--format", format_, "--out", str(out), *more])


def exported(out: Path, format_: str, weights: str | Path = "default") -> dict[str, Any]:
    result = export(out, format_, weights)
    assert result.exit_code == 0, result.output
    record: dict[str, Any] = json.loads((out / "tracker.json").read_text())
    return record


def random_inputs(graph: dict[str, Any], targets: int) -> dict[str, Tensor]:
    """Inputs of the shapes and types that the record names, in its order."""
    random = torch.Generator().manual_seed(0)
    made = {}
    for name, entry in graph["inputs"].items():
        assert entry["shape"][0] == "targets"
        shape = (targets, *entry["shape"][1:])
        if entry["type"] == "uint8":
            made[name] = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)
        else:
            made[name] = 0.2 * torch.rand(shape, generator=random)
    if "boxes" in made:
        made["boxes"][:, 2:] -= 0.8
    return made


def by_networks(template: dict[str, Tensor], frame: dict[str, Tensor], weights: str | Path = "default") -> list[Tensor]:
    """What the networks themselves say."""
    model = ebtrack.load(weights, device="cpu").model
    with torch.no_grad():
        encoded = model.encode_template(template["crops"], template["boxes"])
    given = Given(*(frame[name] for name in Given._fields))
    found = estimate(model, encoded, frame["crops"], given, TrackerConfig())
    of = found.posterior
    return [found.box, of.samples, of.log_weights, of.log_z, of.presence]


def check(record: dict[str, Any], run: Any, weights: str | Path = "default") -> None:
    """Compares what ``run`` (graph's name, inputs) gives, for one target and for three, with the networks."""
    for targets in (1, 3):
        view, frame = (random_inputs(record[name], targets) for name in ("template", "frame"))
        frame["log_odds"][:] = 0.1
        parts = run("template", view)
        frame.update((name, part) for name, part in parts.items() if name in frame)
        found = run("frame", frame)
        for name, expected in zip(OUTPUTS, by_networks(view, frame, weights), strict=True):
            torch.testing.assert_close(found[name], expected, atol=2e-4, rtol=2e-4, msg=partial("{}: {}".format, name))


def by_onnxruntime(out: Path, record: dict[str, Any]) -> Any:
    onnxruntime = pytest.importorskip("onnxruntime")

    def run(name: str, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        session = onnxruntime.InferenceSession(out / record[name]["file"], providers=["CPUExecutionProvider"])
        assert [given.name for given in session.get_inputs()] == list(record[name]["inputs"])
        outputs = list(record[name]["outputs"])
        found: list[NDArray[np.float32]] = session.run(outputs, {key: value.numpy() for key, value in inputs.items()})
        return {key: torch.from_numpy(value) for key, value in zip(outputs, found, strict=True)}

    return run


def test_onnx_graphs_say_what_the_networks_say(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    record = exported(tmp_path / "new" / "onnx", "onnx")
    check(record, by_onnxruntime(tmp_path / "new" / "onnx", record))


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:DeprecationWarning")
def test_torchscript_says_what_the_networks_say(tmp_path: Path) -> None:
    record = exported(tmp_path, "torchscript")

    def run(name: str, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        graph = torch.jit.load(tmp_path / record[name]["file"])
        with torch.no_grad():
            return dict(zip(record[name]["outputs"], graph(*inputs.values()), strict=True))

    check(record, run)


def test_openvino_says_what_the_networks_say(tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    pytest.importorskip("onnx")
    record = exported(tmp_path, "openvino")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("template.xml", "template.bin", "frame.xml", "frame.bin", "tracker.json", "README.md")
    }

    def run(name: str, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        core = openvino.Core()
        core.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        graph = core.compile_model(tmp_path / record[name]["file"], "CPU")
        found = graph({key: value.numpy() for key, value in inputs.items()})
        return {key: torch.from_numpy(found[key]) for key in record[name]["outputs"]}

    check(record, run)


def test_network_without_energy_head(tmp_path: Path) -> None:
    """What it has no use for is neither an input nor an output."""
    pytest.importorskip("onnx")
    torch.manual_seed(0)
    weights = tmp_path / "proposal.safetensors"
    save_weights(weights, EnergyTracker(ModelConfig(score="proposal")), {"terms": "none"}, "0.0")
    record = exported(tmp_path / "onnx", "onnx", weights)
    assert list(record["template"]["outputs"]) == ["kernel", "pooled", "null"]
    check(record, by_onnxruntime(tmp_path / "onnx", record), weights)


def test_record_and_readme_tell_a_runtime_everything(tmp_path: Path, untrained_weights: Path) -> None:
    record = exported(tmp_path, "torchscript", untrained_weights)
    network = ModelConfig()
    assert record["weights"]["terms"] == "none"
    assert record["tracker"] == TrackerConfig().model_dump(mode="json")
    assert record["network"]["search_factor"] == network.search_factor
    assert record["frame"]["inputs"]["crops"] == {
        "shape": ["targets", 3, network.search_size, network.search_size],
        "type": "uint8",
    }
    assert np.array(record["sobol"]).shape == (TrackerConfig().samples, 5)
    assert set(Template._fields) < set(record["frame"]["inputs"])
    readme = (tmp_path / "README.md").read_text()
    assert "Terms of the weights: none" in readme
    for graph in ("template", "frame"):
        for kind in ("inputs", "outputs"):
            assert all(f"| {kind[:-1]} | `{name}` |" in readme for name in record[graph][kind])


def test_readme_of_onnx_has_the_shapes_for_tensorrt(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    record = exported(tmp_path, "onnx")
    readme = (tmp_path / "README.md").read_text()
    sizes = record["frame"]["inputs"]["modulation"]["shape"][1:]
    assert f"modulation:16x{'x'.join(map(str, sizes))}" in readme
    told = export(tmp_path / "other", "tensorrt")
    assert told.exit_code == 2
    assert "export with --format onnx" in told.output
    assert not (tmp_path / "other").exists()


def test_earlier_export_is_replaced_only_where_asked(tmp_path: Path, untrained_weights: Path) -> None:
    pytest.importorskip("onnx")
    out = tmp_path / "out"
    exported(out, "onnx", untrained_weights)
    before = (out / "frame.onnx").read_bytes()
    refused = export(out, "torchscript", untrained_weights)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    assert (out / "frame.onnx").read_bytes() == before
    (out / "notes.txt").write_text("mine")
    replaced = export(out, "torchscript", untrained_weights, "--overwrite")
    assert replaced.exit_code == 0, replaced.output
    assert {path.name for path in out.iterdir()} == {
        *("frame.pt", "template.pt", "tracker.json", "README.md", "notes.txt")
    }
    assert list(tmp_path.iterdir()) == [out], "nothing half done is left"


def test_folder_with_something_else_is_left_alone(tmp_path: Path, untrained_weights: Path) -> None:
    for name in ("README.md", "tracker.json"):
        (tmp_path / name).write_text("mine")
    for more in ((), ("--overwrite",)):
        refused = export(tmp_path, "torchscript", untrained_weights, *more)
        assert refused.exit_code == 2
        assert "no export" in refused.output
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine", "mine"]


@pytest.mark.parametrize(
    ("format_", "weights", "told"),
    [
        ("onyx", "default", "'onyx' is not one of"),
        ("torchscript", "nowhere.safetensors", "no weights file at nowhere.safetensors"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, format_: str, weights: str, told: str) -> None:
    result = export(tmp_path / "out", format_, weights)
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("format_", "extra"), [("onnx", "export"), ("openvino", "openvino")])
def test_missing_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str, extra: str) -> None:
    monkeypatch.setattr("ebtrack.exporting.find_spec", lambda name: None)
    result = export(tmp_path / "out", format_)
    assert result.exit_code == 2
    assert f"pip install 'ebtrack[{extra}]'" in result.output
    assert not (tmp_path / "out").exists()


def test_file_in_the_place_of_the_folder(tmp_path: Path, untrained_weights: Path) -> None:
    (tmp_path / "out").write_text("mine")
    result = export(tmp_path / "out", "torchscript", untrained_weights, "--overwrite")
    assert result.exit_code == 2
    assert "is a file" in result.output
    assert (tmp_path / "out").read_text() == "mine"
