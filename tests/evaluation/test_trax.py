"""The tracker as a TraX server: its loop, its protocol with vot-trax, and inside the VOT toolkit."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import ebtrack
from evaluation.bridges.trax import main, serve
from tracker.sources.base import SourceError
from tracker.track import Track

ROOT = Path(__file__).resolve().parents[2]
BOX, FRAMES = (30.0, 20.0, 24.0, 16.0), 6


def write_frames(folder: Path) -> list[Path]:
    """A textured patch that moves two pixels a frame over noise."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    scene = cv2.GaussianBlur(rng.integers(0, 256, (72, 96, 3), dtype=np.uint8), (9, 9), 0)
    patch = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    paths = []
    for frame in range(FRAMES):
        image = scene.copy()
        image[20:36, 30 + 2 * frame : 54 + 2 * frame] = patch
        paths.append(folder / f"{frame + 1:08d}.png")
        cv2.imwrite(str(paths[-1]), image)
    return paths


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return write_frames(tmp_path / "color")


def tracked(weights: Path, pictures: list[Path], seed: int = 0) -> list[Track]:
    """The tracks of all frames but the first."""
    tracker = ebtrack.load(weights, "cpu", seed)
    images = [cv2.imread(str(path)) for path in pictures]
    tracker.init(images[0], BOX)
    return [tracker.update(image) for image in images[1:]]  # type: ignore[misc]


class FakeRectangle:
    """As trax.Rectangle, whose coordinates are float32."""

    def __init__(self, x: float, y: float, w: float, h: float) -> None:
        self.bounds = lambda: tuple(float(np.float32(value)) for value in (x, y, w, h))

    create = classmethod(lambda cls, *box: cls(*box))


class FakeServer:
    """Asks for what it is given, and keeps the answers."""

    def __init__(self, *requests: tuple[str, Path, Any]) -> None:
        self.requests = [
            SimpleNamespace(type=kind, image={"color": SimpleNamespace(path=lambda path=path: str(path))}, objects=box)
            for kind, path, box in requests
        ] + [SimpleNamespace(type="quit")]
        self.answers: list[tuple[tuple[float, ...], float]] = []

    def wait(self) -> Any:
        return self.requests.pop(0)

    def status(self, objects: Any) -> None:
        ((region, properties),) = objects
        self.answers.append((region.bounds(), properties["confidence"]))


@pytest.fixture
def fake_trax(monkeypatch: pytest.MonkeyPatch) -> None:
    status = SimpleNamespace(QUIT="quit", INITIALIZE="initialize", FRAME="frame")
    monkeypatch.setitem(sys.modules, "trax", SimpleNamespace(Rectangle=FakeRectangle, TraxStatus=status))


def begin(path: Path, box: tuple[float, float, float, float] = BOX) -> tuple[str, Path, Any]:
    return "initialize", path, [(FakeRectangle(*box), {})]


def test_answers_are_the_trackers_with_presence_as_confidence(
    fake_trax: None, pictures: list[Path], untrained_weights: Path
) -> None:
    once = [begin(pictures[0]), *(("frame", path, None) for path in pictures[1:])]
    server: Any = FakeServer(*once, *once)  # the toolkit begins anew with the same process
    serve(server, ebtrack.load(untrained_weights, "cpu"))
    assert server.answers[:FRAMES] == server.answers[FRAMES:]
    assert server.answers[0] == (BOX, 1.0)
    for (box, confidence), track in zip(server.answers[1:FRAMES], tracked(untrained_weights, pictures), strict=True):
        np.testing.assert_allclose(box, track.box, rtol=1e-6)
        assert confidence == track.presence


def test_a_frame_that_cannot_be_read_is_named(fake_trax: None, pictures: list[Path], untrained_weights: Path) -> None:
    pictures[1].write_text("no picture")
    server: Any = FakeServer(begin(pictures[0]), ("frame", pictures[1], None))
    with pytest.raises(SourceError, match=r"00000002\.png"):
        serve(server, ebtrack.load(untrained_weights, "cpu"))


def test_a_region_outside_the_frame_is_named(fake_trax: None, pictures: list[Path], untrained_weights: Path) -> None:
    server: Any = FakeServer(begin(pictures[0], (500, 500, 10, 10)))
    with pytest.raises(ValueError, match=r"00000001\.png.*outside the frame"):
        serve(server, ebtrack.load(untrained_weights, "cpu"))


def test_without_trax_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trax", None)
    app = typer.Typer()
    app.command()(main)
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 2
    assert "pip install 'ebtrack[vot]'" in done.output


def test_the_module_is_a_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["trax", "--help"])
    monkeypatch.delitem(sys.modules, "evaluation.bridges.trax")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("evaluation.bridges.trax", run_name="__main__")
    assert stopped.value.code == 0
    assert "--weights" in capsys.readouterr().out


class Client:
    """A TraX client of the program, over its standard streams."""

    def __init__(self, weights: Path) -> None:
        from trax.client import Client as TraxClient

        self.process = subprocess.Popen(
            [sys.executable, "-m", "evaluation.bridges.trax", "--weights", weights, "--device", "cpu", "--seed", "5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdin
        assert self.process.stdout
        streams = (self.process.stdin.fileno(), self.process.stdout.fileno())
        self.client = TraxClient(stream=streams, log=lambda text: None)

    def initialize(self, path: Path, region: Any) -> tuple[tuple[float, ...], float]:
        from trax.image import FileImage

        return self.answer(self.client.initialize({"color": FileImage.create(str(path))}, [(region, {})], {}))

    def frame(self, path: Path) -> tuple[tuple[float, ...], float]:
        from trax.image import FileImage

        return self.answer(self.client.frame({"color": FileImage.create(str(path))}, {}, []))

    @staticmethod
    def answer(reply: Any) -> tuple[tuple[float, ...], float]:
        ((region, properties),), _ = reply
        return region.bounds(), float(properties["confidence"])


def test_protocol_takes_rectangles_polygons_and_masks(pictures: list[Path], untrained_weights: Path) -> None:
    pytest.importorskip("trax.client", reason="needs vot-trax: pip install 'ebtrack[vot]'")
    from trax.region import Mask, Polygon, Rectangle

    x, y, w, h = (int(value) for value in BOX)
    mask = np.zeros((72, 96), np.uint8)
    mask[y : y + h, x : x + w] = 1
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    expected = tracked(untrained_weights, pictures, seed=5)[0]
    client = Client(untrained_weights)
    for region in (Rectangle.create(*BOX), Polygon.create(corners), Mask.create(mask)):
        assert client.initialize(pictures[0], region) == (BOX, 1.0)
        box, confidence = client.frame(pictures[1])
        np.testing.assert_allclose(box, expected.box, atol=1e-3)
        assert confidence == pytest.approx(expected.presence, abs=1e-5)
    client.client.quit()
    assert client.process.wait(20) == 0


def test_protocol_tells_the_client_what_is_wrong(pictures: list[Path], untrained_weights: Path) -> None:
    trax = pytest.importorskip("trax", reason="needs vot-trax: pip install 'ebtrack[vot]'")
    client = Client(untrained_weights)
    client.initialize(pictures[0], trax.Rectangle.create(*BOX))
    pictures[1].unlink()
    with pytest.raises(trax.TraxException):
        client.frame(pictures[1])
    assert client.process.wait(20) == 2


def test_vot_toolkit_evaluates_and_analyses(tmp_path: Path, untrained_weights: Path) -> None:
    pytest.importorskip("vot", reason="needs vot-toolkit: pip install 'ebtrack[vot]'")
    pictures = write_frames(tmp_path / "sequences" / "patch" / "color")
    sequence = pictures[0].parents[1]
    (sequence / "groundtruth.txt").write_text("".join(f"{30 + 2 * t},20,24,16\n" for t in range(FRAMES)))
    (sequence / "sequence").write_text("channels.color=color/%08d.png\nfps=30\nformat=default\n")
    (sequence / "anchor.value").write_text("1\n" + "0\n" * (FRAMES - 2) + "-1\n")
    (tmp_path / "sequences" / "list.txt").write_text("patch\n")
    (tmp_path / "config.yaml").write_text("registry: [./trackers.ini]\nstack: ./stack.yaml\nsequences: ./sequences\n")
    (tmp_path / "stack.yaml").write_text(
        "title: Boxes\nexperiments:\n"
        "  unsupervised:\n    type: unsupervised\n    analyses:\n      - type: average_accuracy\n        burnin: 0\n"
        "  baseline:\n    type: multistart\n    analyses:\n      - type: multistart_average_ar\n"
    )
    (tmp_path / "trackers.ini").write_text(
        "[ours]\nlabel = ours\nprotocol = trax\n"
        f"command = {sys.executable} -m evaluation.bridges.trax --weights {untrained_weights} --device cpu\n"
        f"env_PYTHONPATH = {ROOT}\nenv_OMP_NUM_THREADS = 1\ntimeout = 120\n"
    )
    for command in (["evaluate"], ["analysis", "--name", "numbers"]):
        done = subprocess.run(
            [sys.executable, "-m", "vot", *command, "--workspace", tmp_path, "ours"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results" / "ours"
    confidences = (results / "unsupervised" / "patch" / "patch_001_confidence.value").read_text().splitlines()
    expected = [track.presence for track in tracked(untrained_weights, pictures)]
    np.testing.assert_allclose([float(text) for text in confidences[1:]], expected, atol=1e-5)
    assert {path.name for path in (results / "baseline" / "patch").glob("*.bin")} == {
        "patch_00000000.bin",
        f"patch_{FRAMES - 1:08d}.bin",
    }
    numbers = json.loads((tmp_path / "analysis" / "numbers.json").read_text())["results"]
    assert 0 < numbers["unsupervised"]["results"][0][0][0] <= 1
