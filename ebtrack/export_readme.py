"""What stands in the folder of an export for whoever runs it."""

from __future__ import annotations

from typing import Any

MEANING = {
    "crops": "pictures",
    "boxes": "the targets in the template crops, as crop boxes",
    "kernel": "correlation filters of the proposal head",
    "pooled": "mean features of the target",
    "modulation": "the energy head's view of the target, by bins",
    "bias": "the same, for its hidden layer",
    "null": 'log-mass b of "not here"',
    "uniform": "uniform base noise: for the sample's component, and for a broad sample's centre",
    "normal": "standard normal base noise",
    "log_odds": "logit of P(present) before the frame, less evidence times logit of network.trained_presence",
    "evidence": "tracker.evidence",
    "last": "the last box, a crop box",
    "motion_scale": "tracker.motion_scale and tracker.motion_log_size; infinity where the last box tells nothing",
    "box": "the estimate, a crop box",
    "samples": "crop boxes",
    "log_weights": "of the samples; their exponentials add up to 1",
    "log_z": "log Z, by which the whole-frame search compares crops",
    "presence": "P(present)",
}
TENSORRT_CROPS = 16


def readme(record: dict[str, Any]) -> str:
    """README.md, in Markdown.

    Args:
        record: what tracker.json holds.
    """
    weights, network = record["weights"], record["network"]
    return f"""# A tracker of ebtrack {record["ebtrack"]} as {record["format"]} graphs

Weights: {weights["file"]}, version {weights["version"]}, sha256 {weights["sha256"]}.
Terms of the weights: {weights["terms"]}

`{record["template"]["file"]}` runs once, on the first frame; `{record["frame"]["file"]}` on every later one.
`tracker.json` holds what a runtime needs beside them: names, shapes and types of inputs and outputs, sizes of the
crops, the tracker's settings, and the Sobol set that the noise is made of.

## Run it

{_RUN[record["format"]]}
In ebtrack's repository, docs/export.md explains every step from a frame to a box.

## The graphs

Targets, or crops, are in front of every tensor, any number of them. Crops are BGR, uint8; in the frame a crop's side is
the geometric mean of a box's sides, {network["template_factor"]:g} times for the template graph and
{network["search_factor"]:g} times for the frame's. A crop box is
(cx, cy, log w, log h): the unit is the crop's side, the origin its centre.

{_table(record["template"])}
{_table(record["frame"])}{_tensorrt(record) if record["format"] == "onnx" else ""}"""


_RUN = {
    "onnx": """With ebtrack's repository beside this folder:

    pip install numpy opencv-python onnxruntime
    python examples/runtime/track_onnx.py THIS_FOLDER video.mp4 --box x,y,w,h

examples/runtime/cpp does the same in C++, with onnxruntime or OpenVINO.
""",
    "openvino": """With ebtrack's repository beside this folder, OpenCV and a compiler:

    pip install openvino
    cmake -S examples/runtime/cpp -B build -DRUNTIME=openvino \\
        -DOpenVINO_DIR=$(python -c 'from openvino.utils import get_cmake_path as path; print(path())')
    cmake --build build
    build/track THIS_FOLDER video.mp4 --box=x,y,w,h
""",
    "torchscript": """`torch.jit.load` in Python, `torch::jit::load` in C++. A graph takes its inputs in the order of
`tracker.json` and gives a tuple of its outputs in theirs. What goes round the graphs is in
examples/runtime/track_onnx.py of ebtrack's repository.
""",
}


def _table(graph: dict[str, Any]) -> str:
    rows = [f"`{graph['file']}`:\n\n| | name | shape | type | what |\n|---|---|---|---|---|\n"]
    for kind in ("inputs", "outputs"):
        for name, entry in graph[kind].items():
            shape = " x ".join(str(side) for side in entry["shape"])
            rows.append(f"| {kind[:-1]} | `{name}` | {shape} | {entry['type']} | {MEANING[name]} |\n")
    return "".join(rows)


def _tensorrt(record: dict[str, Any]) -> str:
    """How engines of TensorRT are built from the graphs."""
    commands = []
    for name in ("template", "frame"):
        graph = record[name]
        most = TENSORRT_CROPS if name == "frame" else 1
        limits = " \\\n        ".join(
            f"--{limit}Shapes={_shapes(graph, crops)}" for limit, crops in (("min", 1), ("opt", 1), ("max", most))
        )
        commands.append(
            f"    trtexec --onnx={graph['file']} --saveEngine={name}.engine --noTF32 \\\n        {limits}\n"
        )
    return f"""
## TensorRT

An engine runs only on the kind of GPU that it was built on. These commands follow TensorRT's manual; ebtrack's authors
have not run them.

{"".join(commands)}"""


def _shapes(graph: dict[str, Any], crops: int) -> str:
    return ",".join(
        f"{name}:{'x'.join(str(side) for side in (crops, *entry['shape'][1:]))}"
        for name, entry in graph["inputs"].items()
    )
