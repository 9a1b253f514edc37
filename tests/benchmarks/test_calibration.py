"""`benchmarks/calibration.py`: what it prints, draws and writes, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.calibration import main
from evaluation.lockstep import SequenceResult
from evaluation.results import write_results
from tests.clips import BOX, write_video

LEVELS = (0.9, 0.5)
FRAMES = 6
HALF = np.array([2.0, 1.0])
"""Reach of the intervals of the levels in pixels."""


def sequence(root: Path, name: str, shifts: list[float], absent: list[int], presence: list[float]) -> SequenceResult:
    """A sequence folder, and a result whose boxes are ``shifts`` beside the still target."""
    (root / name).mkdir(parents=True)
    write_video(root / name / "video.mp4", FRAMES)
    truth = np.tile(BOX, (FRAMES, 1))
    truth[absent] = np.nan
    np.savetxt(root / name / "groundtruth.txt", truth, delimiter=",")
    boxes = np.tile(BOX, (FRAMES, 1))
    boxes[1:, 0] += shifts
    centre = np.concatenate((boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]), 1)
    reach = HALF[:, None, None]
    return SequenceResult(
        name, truth, boxes, np.array([np.nan, *presence]), np.ones(FRAMES), centre - reach, centre + reach, 1.0
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two sequences of 24 px boxes in ``sequences``, their results in ``results``."""
    results = [
        sequence(tmp_path / "sequences", "one", [0, 0, 1.5, 10, 40], [], [0.97, 0.97, 0.97, 0.45, 0.15]),
        sequence(tmp_path / "sequences", "two", [0, 0, 0, 0, 0], [2, 3], [0.97, 0.25, 0.05, 0.97, 0.97]),
    ]
    write_results(tmp_path / "results", results, LEVELS, {})
    return tmp_path


def run(kept: Path, *more: object) -> None:
    main([str(a) for a in (kept / "sequences", kept / "results", "--out", kept / "new" / "figure.png", *more)])


def refused(kept: Path, capsys: pytest.CaptureFixture[str], *more: object) -> str:
    with pytest.raises(SystemExit) as ended:
        run(kept, *more)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_numbers_are_those_of_the_results(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(kept, "--json", kept / "numbers.json")
    found: dict[str, Any] = json.loads((kept / "numbers.json").read_text())
    presence, intervals = found["presence"], found["intervals"]
    assert presence["frames"] == {"present": 8, "followed": 6, "partly": 1, "lost": 1, "absent": 2}
    # Present: six of 0.97, 0.45, 0.15; absent: 0.25, 0.05. One of 16 pairs is in the wrong order.
    assert presence["auroc_present"] == pytest.approx(15 / 16)
    assert presence["auroc_followed"] == 1
    said = {0.97: (6, 0), 0.45: (1, 0), 0.15: (1, 0), 0.25: (0, 1), 0.05: (0, 1)}
    plain = sum(abs(p * (a + b) - a) for p, (a, b) in said.items()) / 10
    balanced = sum(abs(p * (a / 8 + b / 2) - a / 8) for p, (a, b) in said.items()) / 2
    assert presence["reliability"]["ece"] == pytest.approx(plain)
    assert presence["reliability_balanced"]["ece"] == pytest.approx(balanced)
    assert presence["reliability"]["observed"] == [0, 1, 0, None, 1, None, None, None, None, 1]
    assert presence["histogram"]["followed"] == [0] * 19 + [1]
    assert sum(presence["histogram"]["absent"]) == pytest.approx(1)
    # Levels go from the lowest: of 7 frames that overlap, cx misses by 1.5 px and by 10.
    assert intervals["levels"] == [0.5, 0.9]
    over = intervals["overlapping"]
    assert over["frames"] == 7
    assert over["coverage"]["cx"] == pytest.approx([5 / 7, 6 / 7])
    assert over["coverage"]["w"] == [1, 1]
    assert over["coverage"]["all"] == pytest.approx([26 / 28, 27 / 28])
    assert over["sharpness"] == pytest.approx([2 / 24, 4 / 24])
    assert intervals["annotated"]["coverage"]["cx"] == pytest.approx([5 / 8, 6 / 8])

    printed = capsys.readouterr().out
    for value in (presence["auroc_present"], plain, balanced, 26 / 28, 27 / 28, 2 / 24):
        assert f"{value:.3f}" in printed
    picture = cv2.imread(str(kept / "new" / "figure.png"))
    assert picture is not None
    assert picture.shape[1] >= 1200


def test_a_target_that_is_never_absent_leaves_its_figures_open(tmp_path: Path) -> None:
    result = sequence(tmp_path / "sequences", "one", [0] * 5, [], [0.97] * 5)
    write_results(tmp_path / "results", [result], LEVELS, {})
    run(tmp_path, "--json", tmp_path / "numbers.json")
    presence = json.loads((tmp_path / "numbers.json").read_text())["presence"]
    assert presence["auroc_present"] is presence["reliability_balanced"] is None
    assert (tmp_path / "new" / "figure.png").stat().st_size > 0


def test_nothing_is_overwritten_unless_asked(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure, numbers = kept / "new" / "figure.png", kept / "numbers.json"
    numbers.write_text("mine")
    assert "numbers.json exists" in refused(kept, capsys, "--json", numbers)
    assert not figure.exists()
    figure.parent.mkdir()
    figure.write_bytes(b"mine")
    assert "figure.png exists" in refused(kept, capsys)
    assert (figure.read_bytes(), numbers.read_text()) == (b"mine", "mine")
    run(kept, "--json", numbers, "--overwrite")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert set(json.loads(numbers.read_text())) == {"presence", "intervals"}


def test_what_cannot_be_read_is_named(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "results" / "two.csv").unlink()
    assert "two.csv is missing" in refused(kept, capsys)
    (kept / "results" / "run.json").unlink()
    assert "holds no results" in refused(kept, capsys)
