"""The comparison with other trackers, from folders to table and figure."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from benchmarks.peers import main
from tests.benchmarks.conftest import Folders

ROOT = Path(__file__).resolve().parent.parent.parent


def arguments(folders: Folders, out: Path, *more: str) -> list[str]:
    return [*map(str, (folders.sequences, folders.results, "--peers", folders.peers, "--out", out)), *more]


def test_table_and_figure(folders: Folders, tmp_path: Path) -> None:
    out = tmp_path / "new" / "curves.png"
    command = [sys.executable, "benchmarks/peers.py", *arguments(folders, out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    # Perfect boxes: all thresholds but 1. Ours: 11 of 11 and 3 of 11 frames after the first, 4 of 12 with it.
    assert [row[0] for row in rows] == ["perfect", "ebtrack", "static"]
    assert rows[0][1:] == ["0.952", "1.000", "1.000", "1.000", "1.000", "1.000"]
    auc = 20 / 21 * (1 + 4 / 12) / 2
    assert rows[1][1:] == [f"{v:.3f}" for v in (auc, 4 / 6, 4 / 6, 7 / 11, 7 / 11, 7 / 11)]
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape[1] == 1800
    assert 900 < picture.shape[0] < 1500


def test_nothing_is_overwritten_unasked(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.png"
    out.write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        main(arguments(folders, out))
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    main(arguments(folders, out, "--overwrite"))
    assert cv2.imread(str(out)) is not None


def refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="2"):
        main(command)
    return " ".join(capsys.readouterr().err.split())


def test_what_cannot_be_compared_is_named(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "curves.png"
    assert "does not end in .png" in refused(arguments(folders, tmp_path / "curves.jpg"), capsys)
    (folders.peers / "static" / "lost.txt").unlink()
    assert "static lacks lost.txt (1 of 2 sequences are missing)" in refused(arguments(folders, out), capsys)
    (folders.results / "kept.csv").unlink()
    assert "kept.csv is missing" in refused(arguments(folders, out), capsys)
    assert not out.exists()


def test_folders_of_trackers_that_cannot_be_used_are_named(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "curves.png"
    (folders.peers / "perfect").rename(folders.peers / "ebtrack")
    assert "the name of our own tracker" in refused(arguments(folders, out), capsys)
    folders.peers.rename(tmp_path / "elsewhere")
    assert "no tracker in" in refused(arguments(folders, out), capsys)
    assert not out.exists()
