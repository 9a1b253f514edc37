"""Other trackers behind one interface."""

import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from evaluation.contestants import ContestantName, make_contestant
from evaluation.contestants.tracking import TrackingError, seed_all, track_with
from evaluation.results import LEVELS
from evaluation.sequences import read_sequences
from tests.clips import BOX, write_images
from tests.conftest import SHARED
from tests.fake_tracker import track_of

FRAMES = 6


@pytest.fixture
def sequence(tmp_path: Path) -> Any:
    folder = write_images(tmp_path / "one" / "img", FRAMES).parent
    boxes = np.array(BOX) + np.arange(FRAMES)[:, None] * (1.0, 0, 0, 0)
    np.savetxt(folder / "groundtruth.txt", boxes, "%.3f", ",")
    return read_sequences(tmp_path)[0]


class Answering:
    """Gives what it was told to, one a frame."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)

    def init(self, frame: Any, box: Any) -> None:
        assert box == BOX

    def update(self, frame: Any) -> Any:
        return next(self.answers)


def test_all_kinds_of_answers_are_understood(sequence: Any) -> None:
    box, other = (1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)
    mixed = Answering(box, np.array(other), (True, box), (False, other), track_of(other))
    found = track_with(mixed, sequence)
    assert found.boxes.tolist() == [list(b) for b in (BOX, box, other, box, box, other)]
    assert found.presence is None
    tracks = [track_of(box, 0.1 * n, seed=n) for n in range(1, FRAMES)]
    found = track_with(Answering(*tracks), sequence)
    assert found.presence is not None
    assert found.low is not None
    assert np.isnan(found.presence[0])
    np.testing.assert_allclose(found.presence[1:], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.low.shape == (len(LEVELS), FRAMES, 4)
    np.testing.assert_allclose(found.low[1, 3], tracks[2].posterior.interval(LEVELS[1])[0])


@pytest.mark.parametrize(
    ("answers", "frame", "said"),
    [
        (((1.0, 2.0, 3.0, 4.0), 5.0), 2, "update gave 5.0, expected a box"),
        (((1.0, 2.0, 3.0, np.inf),), 1, "not finite"),
        ((BOX, BOX, (True, None)), 3, "update gave None"),
        ((BOX, BOX, BOX, BOX), 5, "^$"),
    ],
)
def test_a_wrong_answer_is_told_with_its_frame(sequence: Any, answers: tuple[Any, ...], frame: int, said: str) -> None:
    with pytest.raises(TrackingError, match=said) as error:
        track_with(Answering(*answers), sequence)
    assert error.value.frame == frame


def test_opencvs_own_tracker_follows(sequence: Any) -> None:
    found = track_with(make_contestant(ContestantName("opencv:MIL")), sequence)
    assert np.abs(found.boxes - sequence.groundtruth)[:, :2].max() < 12


class Drawing:
    """Draws its boxes from all generators that there are."""

    def init(self, frame: Any, box: Any) -> None:
        pass

    def update(self, frame: Any) -> Any:
        noise = np.zeros((1, 1))
        cv2.randu(noise, np.zeros(1), np.ones(1))
        return random.random(), np.random.random(), 1 + float(torch.rand(())), 1 + noise[0, 0]  # noqa: NPY002


def test_a_sequence_begins_with_the_same_seed_whatever_came_before(sequence: Any) -> None:
    boxes = []
    for seed in (3, 4, 3):
        seed_all(seed)
        boxes.append(track_with(Drawing(), sequence).boxes)
    np.testing.assert_array_equal(boxes[0], boxes[2])
    assert (boxes[0][1:] != boxes[1][1:]).all()


@pytest.mark.skipif(hasattr(cv2, "TrackerKCF_create"), reason="this OpenCV has the contrib modules")
def test_what_only_contrib_has_is_said() -> None:
    with pytest.raises(ValueError, match="install opencv-contrib-python"):
        make_contestant(ContestantName("opencv:KCF"))


def test_model_files_are_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs one file \*nanotrack\*backbone\*\.onnx in .*there are 0"):
        make_contestant(ContestantName("opencv:Nano", tmp_path))
    for name in ("a_vit.onnx", "b_vit.onnx"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"there are 2: a_vit\.onnx, b_vit\.onnx"):
        make_contestant(ContestantName("opencv:Vit", tmp_path))


@pytest.mark.skipif(not (SHARED / "peers").is_dir(), reason="needs the model files of NanoTrack in ../shared/peers")
def test_nanotrack_follows(sequence: Any) -> None:
    name = ContestantName("opencv:Nano", SHARED / "peers" / "nanotrack_v2")
    assert sorted(name.files()) == ["backbone", "neckhead"]
    found = track_with(make_contestant(name), sequence)
    assert np.abs(found.boxes - sequence.groundtruth)[:, :2].max() < 12


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def (", r"cannot be imported: .*\(broken_\d+\.py, line 1\)"),
        (
            "\nraise RuntimeError('at import')",
            r"cannot be imported: RuntimeError: at import \(.*broken_\d+\.py, line 2\)",
        ),
        ("import no_such_library", r"No module named 'no_such_library' \(.*broken_\d+\.py, line 1\)"),
        ("class Mine:\n    def __init__(self, size): ...", r"cannot be made, as Mine\(\): TypeError: .*'size'"),
        ("class Mine:\n    def __init__(self):\n        1 / 0", r"as Mine\(\): ZeroDivisionError: .*\.py, line 3\)"),
        ("Mine = 3", "has no class Mine"),
    ],
)
def test_a_module_that_cannot_be_used_is_told_with_file_and_line(
    source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"broken_{abs(hash(source))}"
    methods = "\n    def init(self, frame, box): ...\n    def update(self, frame): ...\n"
    (tmp_path / f"{name}.py").write_text(source + methods * ("class" in source))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=said):
        make_contestant(ContestantName(f"python:{name}:Mine"))
