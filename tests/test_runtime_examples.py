"""The examples that track with an export alone give the tracker's boxes."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import ebtrack
from ebtrack.clip import CLIP_PATH, read_truth
from ebtrack.exporting import export_folder
from networks.boxes import cxcywh_to_xywh, iou, xywh_to_cxcywh
from tracker.search import due
from tracker.sources import open_source
from tracker.track import Track

pytest.importorskip("onnx", reason="exporting needs onnx")

RUNTIME = Path(__file__).parent.parent / "examples" / "runtime"
SEED = 3
FRAMES = 3
"""That are tracked of the clip as images."""
TOLERANCE_PX = 0.1
Boxes = NDArray[np.float64]
Runner = Callable[[str | Path, Boxes, Path], Boxes]
"""Tracks from a box (x, y, w, h) in the first frame of a source, writes a file, and gives its boxes."""

WITHOUT_EBTRACK = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {"torch", "ebtrack", "tracker", "networks"} & set(sys.modules), "it needs more than it says"
"""

LIBRARIES = {
    "onnxruntime": """
find_path(HEADER onnxruntime_cxx_api.h PATH_SUFFIXES onnxruntime REQUIRED)
find_library(LIBRARY onnxruntime REQUIRED)""",
    "openvino": "find_package(OpenVINO REQUIRED COMPONENTS Runtime)",
}
"""What must be there besides OpenCV before the C++ example can be built."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default weights as ONNX graphs."""
    folder = tmp_path_factory.mktemp("exported")
    export_folder("default", "onnx", folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The first frames of the bundled clip as images: no decoder differs in them."""
    folder = tmp_path_factory.mktemp("clip")
    with open_source(str(CLIP_PATH)) as source:
        for frame in islice(source, FRAMES + 1):
            cv2.imwrite(str(folder / f"{frame.index:02d}.png"), frame.image)
    return str(folder / "%02d.png")


@pytest.fixture(scope="module")
def whole_run() -> Boxes:
    """What the tracker says of the whole clip."""
    return tracked(str(CLIP_PATH), read_truth()[0])


def tracked(source: str, box: Boxes) -> Boxes:
    """The tracker's own boxes ``[T, 4]`` (x, y, w, h) of all frames."""
    tracker = ebtrack.load(device="cpu", seed=SEED)
    video, boxes = cv2.VideoCapture(source), [box]
    tracker.init(video.read()[1], box)
    while (read := video.read())[0]:
        track = tracker.update(read[1])
        assert isinstance(track, Track)
        boxes.append(np.array(track.box))
    return np.array(boxes)


def compare(run: Runner, clip: str, out: Path) -> Boxes:
    """The clip's first frames agree; gives the boxes of the whole clip."""
    truth = read_truth()
    few = run(clip, truth[0], out / "few.txt")
    assert few.shape == (FRAMES + 1, 4)
    np.testing.assert_allclose(few, tracked(clip, truth[0]), rtol=0, atol=TOLERANCE_PX)
    return run(CLIP_PATH, truth[0], out / "whole.txt")


def finish(command: Sequence[object]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def python_example(exported: Path) -> Runner:
    def run(source: str | Path, box: Boxes, out: Path) -> Boxes:
        start = [sys.executable, "-c", WITHOUT_EBTRACK, RUNTIME / "track_onnx.py", exported, source]
        ended = finish([*start, "--box", ",".join(map(str, box)), "--out", out, "--seed", str(SEED), "--threads", "1"])
        assert ended.returncode == 0, ended.stderr
        return np.loadtxt(out, delimiter=",")

    return run


def test_python_example_agrees_with_the_tracker(exported: Path, clip: str, whole_run: Boxes, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    whole = compare(python_example(exported), clip, tmp_path)
    np.testing.assert_allclose(whole, whole_run, rtol=0, atol=TOLERANCE_PX)


def test_python_example_agrees_in_every_frame_from_the_same_state(exported: Path) -> None:
    """Through loss, search and return; each frame begins with the tracker's state, so that rounding cannot add up."""
    pytest.importorskip("onnxruntime")
    example = runpy.run_path(str(RUNTIME / "track_onnx.py"))["Tracker"](exported, SEED, threads=1)
    tracker, video, box = ebtrack.load(device="cpu", seed=SEED), cv2.VideoCapture(str(CLIP_PATH)), read_truth()[0]
    image = np.asarray(video.read()[1], np.uint8)
    example.init(image, box)
    state, searches = tracker.start([image], [tuple(box)]), 0
    while (read := video.read())[0]:
        example.box, example.steady_size = state.box[0].numpy(), state.steady_size[0].numpy()
        example.factor, example.presence = state.factor[0].numpy(), float(state.presence)
        example.lost, example.frame = int(state.lost), int(state.frame)
        image = np.asarray(read[1], np.uint8)
        found = example.update(image)
        state, box, posterior = tracker.advance(state, [image])
        searches += len(due(state, tracker.config))
        assert np.abs(np.array(found.box) - cxcywh_to_xywh(box)[0].numpy()).max() < TOLERANCE_PX
        assert found.presence == pytest.approx(float(posterior.presence), abs=1e-3)
        assert example.lost == int(state.lost)
        np.testing.assert_allclose(example.factor, state.factor[0], rtol=1e-5)
        np.testing.assert_allclose(example.steady_size, state.steady_size[0], rtol=1e-3)
    assert searches > 5, "the clip no longer shows the search"


def test_python_example_tells_mistakes(exported: Path, clip: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "there.txt").write_text("mine")
    script = RUNTIME / "track_onnx.py"
    for folder, box, out, told in (
        (exported, "43,168,54,50", "there.txt", "exists"),
        (exported, "43,168,54", "new.txt", "four numbers"),
        (exported, "900,900,54,50", "new.txt", "384 x 288"),
        (tmp_path, "43,168,54,50", "new.txt", "tracker.json"),
    ):
        ended = finish([sys.executable, script, folder, clip, "--box", box, "--out", tmp_path / out])
        assert ended.returncode != 0
        assert told in ended.stderr.lower()
        assert "Traceback" not in ended.stderr
    assert (tmp_path / "there.txt").read_text() == "mine"
    assert not (tmp_path / "new.txt").exists()


def options(runtime: str) -> list[str]:
    """For CMake, to find a runtime; CMAKE_PREFIX_PATH of the environment says where others are."""
    if runtime == "onnxruntime":
        return []
    utils = pytest.importorskip("openvino.utils", reason="OpenVINO is not installed")
    return [f"-DOpenVINO_DIR={utils.get_cmake_path()}"]


@pytest.fixture(scope="module", params=LIBRARIES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C++ example, built with a runtime that is at hand."""
    if shutil.which("cmake") is None:
        pytest.skip("CMake is not installed")
    folder, more = tmp_path_factory.mktemp("build"), options(request.param)
    project = "cmake_minimum_required(VERSION 3.16)\nproject(probe CXX)\n"
    (folder / "CMakeLists.txt").write_text(
        f"{project}find_package(OpenCV REQUIRED COMPONENTS core imgproc videoio)\n{LIBRARIES[request.param]}\n"
    )
    probe = finish(["cmake", "-S", folder, "-B", folder / "probe", *more])
    if probe.returncode:
        missing = probe.stderr.replace(str(folder), "").split("CMake Error")[1].strip()
        pytest.skip(
            f"a compiler, OpenCV's headers or those of {request.param} are missing: {' '.join(missing.split())}"
        )
    for command in (
        ["cmake", "-S", RUNTIME / "cpp", "-B", folder / "b", f"-DRUNTIME={request.param}", *more],
        ["cmake", "--build", folder / "b", "--parallel", "2"],
    ):
        done = finish(command)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "b" / "track"


def test_cpp_example_agrees_with_the_tracker(
    built: Path, exported: Path, clip: str, whole_run: Boxes, tmp_path: Path
) -> None:
    def run(source: str | Path, box: Boxes, out: Path) -> Boxes:
        text = ",".join(map(str, box))
        ended = finish([built, exported, source, f"--box={text}", f"--out={out}", f"--seed={SEED}", "--threads=1"])
        assert ended.returncode == 0, ended.stderr
        return np.loadtxt(out, delimiter=",")

    whole = compare(run, clip, tmp_path)
    # Another OpenCV may decode the video to other pixels.
    seen = ~np.isnan(read_truth()[:, 0])
    overlap = iou(*(xywh_to_cxcywh(torch.from_numpy(boxes[seen])) for boxes in (whole, whole_run)))
    assert float(overlap.mean()) > 0.95


def test_cpp_example_tells_mistakes(built: Path, exported: Path, clip: str, tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("mine")
    for folder, box, out, told in (
        (exported, "43,168,54,50", "there.txt", "exists"),
        (exported, "43,168,54", "new.txt", "four numbers"),
        (exported, "900,900,54,50", "new.txt", "384 x 288"),
        (tmp_path, "43,168,54,50", "new.txt", "tracker.json"),
    ):
        ended = finish([built, folder, clip, f"--box={box}", f"--out={tmp_path / out}"])
        assert ended.returncode == 1
        assert told in ended.stderr
    assert (tmp_path / "there.txt").read_text() == "mine"
    assert not (tmp_path / "new.txt").exists()
