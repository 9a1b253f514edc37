"""The gallery of failures: which frames and which part of them, and the figure from folders."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.failures import longest_loss, main, story, view
from tests.benchmarks.conftest import Folders

ROOT = Path(__file__).resolve().parent.parent.parent
NAN = np.nan


@pytest.mark.parametrize(
    ("overlap", "run"),
    [
        ([1, 0.8, 0, 0.5, 0, 0.05, 0.09, 0.1], (4, 6)),  # the longer of two; 0.1 is not lost
        ([1, 0, 0, NAN, 0, 0.3, 0, 0, 0.3], (1, 4)),  # absence does not end a loss
        ([1, 0.8, NAN, 0, NAN], (3, 3)),  # nor is it one
        ([1, 0.8, 0.3, 0.4], (2, 2)),  # never lost: the lowest
        ([0, 0.8, 0.7], (2, 2)),  # the first frame is given
    ],
)
def test_the_longest_loss(overlap: list[float], run: tuple[int, int]) -> None:
    assert longest_loss(np.array(overlap)) == run


def test_the_story_of_a_loss_and_a_recovery() -> None:
    overlap = np.concatenate(
        ([1.0], np.full(29, 0.8), np.full(3, 0.3), np.zeros(40), np.full(3, 0.3), np.full(24, 0.9))
    )
    told = story(overlap, 8)
    assert list(told) == sorted(told)
    assert len(told) == 8
    assert {at: word for at, word in told.items() if word} == {
        0: "first",
        29: "last good",
        33: "lost",
        76: "good again",
    }
    # The last frame, and the middles of the widest gaps.
    assert [at for at, word in told.items() if not word] == [14, 54, 87, 99]


@given(st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), min_size=1, max_size=60), st.integers(5, 12))
def test_a_story_has_as_many_frames_as_there_is_room_for(later: list[float], count: int) -> None:
    overlap = np.array([1.0, *later])
    if np.isnan(overlap[1:]).all():
        return
    told = story(overlap, count)
    assert len(told) == min(count, len(overlap))
    assert {0, len(overlap) - 1, longest_loss(overlap)[0]} <= set(told) <= set(range(len(overlap)))


sides = st.floats(2, 300)


@given(st.lists(st.tuples(st.floats(0, 340), st.floats(0, 220), sides, sides), min_size=1, max_size=2))
def test_the_view_holds_the_boxes_as_far_as_the_frame_does(rows: list[tuple[float, ...]]) -> None:
    boxes, size = np.array(rows), np.array((400, 300))
    left, top, side = view(boxes, 400, 300)
    corner = np.array((left, top))
    assert 48 <= side <= 400
    low, high = boxes[:, :2], np.minimum(boxes[:, :2] + boxes[:, 2:], size)
    assert (corner <= low + 1e-6).all()
    assert (high <= corner + side + 1e-6).all()
    # What lies outside the frame is seen only where the square is larger than the frame.
    outside = (corner < -1e-6) | (corner + side > size + 1e-6)
    assert (side > size[outside] - 1e-6).all()


def arguments(folders: Folders, out: Path, *more: str | Path) -> list[str]:
    return [*map(str, (folders.sequences, folders.results, "--out", out, *more))]


def test_the_worst_come_first(folders: Folders, tmp_path: Path) -> None:
    out = tmp_path / "new" / "failures.png"
    options = arguments(folders, out, "--peer", folders.peers / "static")
    command = [sys.executable, "benchmarks/failures.py", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lost, kept, wrote = done.stdout.splitlines()
    static = np.mean([(24 - d) / (24 + d) for d in range(1, 12)])
    assert lost == f"lost: AO {3 / 11:.3f}, 12 frames (static: AO {static:.3f})"
    assert kept.startswith("kept: AO 1.000, 16 frames")
    assert wrote == f"wrote {out}"
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape[1] == 1800
    assert 800 < picture.shape[0] < 1200
    # Both boxes are drawn: in BGR, those of the ground truth and of ours.
    for colour in ((0xF5, 0xD2, 0x14), (0x0A, 0x48, 0xF0)):
        assert (picture == colour).all(2).sum() > 500
    # The one frame without the target is shaded, a sixteenth of a strip.
    assert (picture == 217).all(2).sum() > 5000


def refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="2"):
        main(command)
    return " ".join(capsys.readouterr().err.split())


def test_what_cannot_be_drawn_is_named_and_nothing_is_overwritten(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "failures.png"
    assert "--count is at least 1" in refused(arguments(folders, out, "--count", "0"), capsys)
    (folders.peers / "static" / "lost.txt").unlink()
    peer = ("--count", "1", "--peer", folders.peers / "static")
    assert "static lacks lost.txt" in refused(arguments(folders, out, *peer), capsys)
    assert not out.exists()
    main(arguments(folders, out, "--count", "1"))
    before = out.read_bytes()
    assert "--overwrite" in refused(arguments(folders, out, "--count", "2"), capsys)
    assert out.read_bytes() == before
    main(arguments(folders, out, "--count", "2", "--overwrite"))
    assert out.read_bytes() != before
