"""The tracker inside got10k's own experiments."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from got10k.experiments import ExperimentGOT10k
from PIL import Image

import ebtrack
from evaluation import Got10kTracker
from evaluation.datasets import read_dataset

FRAMES = 5
SEQUENCES = {"GOT-10k_Val_000001": (20, 16), "GOT-10k_Val_000002": (50, 30)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of GOT-10k's layout: two clips in its validation set, boxes 1-based."""
    for number, (name, (left, top)) in enumerate(SEQUENCES.items()):
        folder = tmp_path / "GOT-10k" / "val" / name
        folder.mkdir(parents=True)
        noise = np.random.default_rng(number).integers(0, 256, (72, 96, 3), dtype=np.uint8)
        scene = cv2.GaussianBlur(noise, (9, 9), 0)
        for frame in range(FRAMES):
            image = scene.copy()
            image[top : top + 24, left + frame : left + frame + 20] = noise[:24, :20]
            cv2.imwrite(str(folder / f"{frame + 1:08d}.jpg"), image)
        boxes = [f"{left + frame + 1}.0000,{top + 1}.0000,20.0000,24.0000\n" for frame in range(FRAMES)]
        (folder / "groundtruth.txt").write_text("".join(boxes))
        for label, value in (("absence", 0), ("cut_by_image", 0), ("cover", 8)):
            (folder / f"{label}.label").write_text(f"{value}\n" * FRAMES)
        (folder / "meta_info.ini").write_text("[METAINFO]\nurl: none\nresolution: (96, 72)\n")
    (tmp_path / "GOT-10k" / "val" / "list.txt").write_text("\n".join(SEQUENCES) + "\n")
    return tmp_path / "GOT-10k"


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.rglob("*_001.txt")}


def test_got10k_writes_what_the_project_tracks(root: Path, tmp_path: Path, untrained_weights: Path) -> None:
    tracker = Got10kTracker(untrained_weights, "cpu", seed=3)
    experiment = ExperimentGOT10k(str(root), "val", str(tmp_path / "results"), str(tmp_path / "reports"))
    experiment.run(tracker)
    own = ebtrack.load(untrained_weights, "cpu", seed=3)
    for sequence in read_dataset("got10k_val", root):
        frames = sequence.frames()
        own.init(next(frames), sequence.groundtruth[0])
        expected = [sequence.groundtruth[0], *(own.update(frame).box for frame in frames)]  # type: ignore[union-attr]
        folder = tmp_path / "results" / "GOT-10k" / "ebtrack" / sequence.name
        written = np.loadtxt(folder / f"{sequence.name}_001.txt", delimiter=",")
        np.testing.assert_allclose(written - [1, 1, 0, 0], expected, atol=6e-4)  # got10k writes three decimals
        assert np.ptp(written, axis=0).max() > 0.01
        assert {path.name for path in folder.iterdir()} == {f"{sequence.name}_001.txt", f"{sequence.name}_time.txt"}
    assert 0 < experiment.report(["ebtrack"])["ebtrack"]["overall"]["ao"] < 1


def test_a_sequence_depends_on_nothing_before_it(root: Path, tmp_path: Path, untrained_weights: Path) -> None:
    tracker = Got10kTracker(untrained_weights, "cpu")
    for out in ("first", "again"):
        ExperimentGOT10k(str(root), "val", str(tmp_path / out), str(tmp_path)).run(tracker)
    assert files(tmp_path / "first") == files(tmp_path / "again")
    assert len(files(tmp_path / "first")) == len(SEQUENCES)


def test_origin_moves_the_box_and_the_answer(root: Path, untrained_weights: Path) -> None:
    pictures = [Image.open(path) for path in sorted((root / "val" / "GOT-10k_Val_000001").glob("*.jpg"))]
    answers = []
    for origin in (0.0, 1.0):
        tracker = Got10kTracker(untrained_weights, "cpu", origin=origin)
        tracker.init(pictures[0], np.array([20 + origin, 16 + origin, 20, 24]))
        answers.append(tracker.update(pictures[1]))
    np.testing.assert_allclose(answers[1] - answers[0], [1, 1, 0, 0], atol=1e-9)


def test_package_does_not_wait_for_got10k() -> None:
    script = "import sys, evaluation as e; print('got10k' in sys.modules, e.Got10kTracker, 'got10k' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split()[0] == "False", done.stderr
    assert done.stdout.split()[-1] == "True"
