"""The comparison of speeds: what is timed, what the ratios are over, and that missing trackers are told."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import speed, turns
from benchmarks.turns import Box, Measured, Timed, load_with, passes

BOX: Box = (10.0, 12.0, 20.0, 16.0)
FRAMES = np.zeros((4, 48, 64, 3), np.uint8)


class Fake:
    """Moves by its number of updates; does not find the target in its second one."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.steps = 0

    def init(self, frame: np.ndarray, box: Box) -> None:
        self.x = box[0]

    def update(self, frame: np.ndarray) -> tuple[bool, Box]:
        self.steps += 1
        return self.steps != 2, (self.x + self.steps, *BOX[1:])


def test_trackers_begin_anew_at_the_end_of_the_sequence() -> None:
    Fake.made = 0
    tracked = passes(Fake, FRAMES, BOX)
    found = [next(tracked) for _ in range(5)]
    assert [one.number for one in found] == [1, 2, 3, 1, 2]
    assert [one.box[0] for one in found] == [11, 11, 13, 11, 11]
    assert Fake.made == 2
    assert all(one.seconds > 0 for one in found)


def of(name: str, *blocks: list[float]) -> Measured:
    """A tracker that took so many seconds for the frames of each block, which are frames 1, 2, ... of the sequence."""
    made = [[Timed(number, took, BOX) for number, took in enumerate(block, 1)] for block in blocks]
    return Measured(name, 0.5, made, 20.0)


def test_ratios_are_over_nanotrack() -> None:
    ours, nano = of("ebtrack, torch", [0.1, 0.1], [0.1, 0.3]), of("NanoTrack", [0.2, 0.2], [0.2, 0.2])
    truth = np.array([BOX, BOX, (*BOX[:3], 2 * BOX[3])])
    first, second = speed.summarise([ours, nano], truth)
    assert first["ratio"] == pytest.approx((2 + 1) / 2)
    assert first["ratio_quartiles"] == pytest.approx([1.25, 1.75])
    assert first["ratio_undisturbed"] == pytest.approx(2)
    assert first["fps"] == pytest.approx(4 / 0.6)
    assert first["p50_ms"] == pytest.approx(100)
    assert first["mean_iou"] == pytest.approx(0.75)
    assert second["ratio"] == pytest.approx(1)


def test_without_nanotrack_ratios_are_over_the_first() -> None:
    rows = speed.summarise([of("KCF", [0.1]), of("MIL", [0.2])], np.full((2, 4), np.nan))
    assert [row["ratio"] for row in rows] == pytest.approx([1, 0.5])
    assert math.isnan(rows[0]["mean_iou"])


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = tmp_path / "sequence"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        cv2.imwrite(str(folder / f"{number:04d}.png"), rng.integers(0, 256, (96, 128, 3)).astype(np.uint8))
    (folder / "groundtruth.txt").write_text("20,24,40,32\n" * 6)
    return folder


def test_one_command_compares_what_is_there(
    sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    kept, figure = tmp_path / "speed.json", tmp_path / "speed.png"
    call = f"{sequence} --size 64,48 --engines --peers MIL Nano --threads 1 --rounds 2 --block 3 --warm 1"
    speed.main([*call.split(), "--json", str(kept), "--figure", str(figure)])
    said = capsys.readouterr().out
    assert "NanoTrack is left out: opencv:Nano needs its model files" in said
    record = json.loads(kept.read_text())
    (row,) = record["trackers"]
    assert row["tracker"] == "MIL"
    assert len(row["block_seconds"]) == 2
    assert row["fps"] == pytest.approx(6 / sum(row["block_seconds"]))
    assert row["start_s"] > 0
    assert list(record["missing"]) == ["NanoTrack"]
    assert cv2.imread(str(figure)) is not None


def test_boxes_come_along_when_frames_are_resized(sequence: Path) -> None:
    frames, boxes = speed.read_frames(sequence, None, (64, 24), 4)
    assert frames.shape == (4, 24, 64, 3)
    np.testing.assert_allclose(boxes, [[10, 6, 20, 8]] * 4)
    frames, boxes = speed.read_frames(sequence, (2, 4, 8, 16), (64, 24), 100)
    assert len(frames) == 6
    np.testing.assert_allclose(boxes[0], [1, 1, 4, 4])
    assert np.isnan(boxes[1:]).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("clip.mp4", "clip.mp4"),
        ("nowhere --box 1,2,3,4", "nowhere"),
        ("--box 1,2,3", "--box four"),
        ("--size 640x360", "--size"),
        ("--warm 0", "at least 1"),
    ],
)
def test_what_cannot_be_used_is_told(call: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        speed.main(call.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_cores_that_are_not_there_are_told() -> None:
    with pytest.raises(ValueError, match="100000"):
        turns.hold_to([100_000])


def test_our_tracker_is_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    monkeypatch.setattr("torch.set_num_threads", threads.append)
    monkeypatch.setattr("cv2.setNumThreads", threads.append)
    job = turns.Job("ebtrack, torch", "default", "cpu", None, 3, (), Path("unread"), FRAMES.shape, BOX)
    make: Callable[[], object] = turns.maker(job)
    assert threads == [3, 3]
    found = next(passes(make, FRAMES, BOX))
    assert isinstance(make(), type(load_with("torch", "default")))
    assert len(found.box) == 4
    assert make() is make()


def test_no_engine_stands_in_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no engine"):
        load_with("steam", "default")
    monkeypatch.setattr("tracker.engines.find_spec", lambda _: None)
    with pytest.raises(ValueError, match="onnxruntime"):
        load_with("onnx", "default")
