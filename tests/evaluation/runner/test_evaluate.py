"""The command `ebtrack evaluate`: whole runs, failures, kills and mistakes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from evaluation.results import read_evaluation, read_tracker
from evaluation.sequences import read_sequences
from tests.evaluation.runner.conftest import LENGTHS, app

MINE = ["--tracker", "python:mine:Tracker"]


def run(root: Path, out: Path, *more: str) -> Result:
    arguments = ["--dataset", "folder", "--root", str(root), "--out", str(out), "--device", "cpu", *more]
    return CliRunner().invoke(app, arguments)


def test_what_fails_is_named_with_its_frame_and_the_same_command_completes_the_rest(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    Path("raises").write_text("97")
    Path("dies").write_text("96")
    found = run(root, out, *MINE)
    assert found.exit_code == 3, found.output
    assert "failed: Tracker, middle, frame 2: KeyError: 'no such thing' (" in found.output
    assert "mine.py, line " in found.output
    assert "failed: Tracker, long, frame 2: the tracking process died (exit code 7)" in found.output
    assert [path.name for path in (out / "Tracker").glob("*.txt")] == ["short.txt"]
    Path("raises").unlink()
    Path("dies").unlink()
    Path("nan").write_text("97")
    damaged = root / "long" / "img" / "5.png"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:100])
    found = run(root, out, *MINE)
    assert found.exit_code == 3, found.output
    assert "failed: Tracker, middle, frame 2" in found.output
    assert "not finite" in found.output
    assert "failed: Tracker, long, frame 5" in found.output
    assert "5.png" in found.output
    Path("nan").unlink()
    damaged.write_bytes(whole)
    found = run(root, out, *MINE)
    assert found.exit_code == 0, found.output
    assert read_evaluation(out) == {"dataset": "folder", "root": str(root), "sequences": list(LENGTHS)}
    for result, sequence in zip(read_tracker(out / "Tracker", LENGTHS), read_sequences(root), strict=True):
        np.testing.assert_array_equal(result.boxes, sequence.groundtruth[:1].repeat(len(sequence), 0))
        assert result.presence is None
        assert result.seconds is not None
        assert len(result.seconds) == len(sequence)


def files_of(out: Path) -> dict[str, bytes]:
    """Boxes and posteriors; times differ from run to run."""
    return {str(p.relative_to(out)): p.read_bytes() for p in [*out.glob("*/*.txt"), *out.glob("*/posterior/*")]}


def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(
    root: Path, tmp_path: Path, untrained_weights: Path
) -> None:
    mine = ["--tracker", str(untrained_weights), "--batch", "2", "--set", "samples=32"]
    whole = run(root, tmp_path / "whole", *mine)
    assert whole.exit_code == 0, whole.output
    code = "from tests.evaluation.runner.conftest import app\nif __name__ == '__main__':\n    app()\n"
    (tmp_path / "command.py").write_text(code)
    checkout = Path(__file__).resolve().parents[3]
    command = [sys.executable, str(tmp_path / "command.py"), "--dataset", "folder", "--root", str(root)]
    command += ["--out", str(tmp_path / "cut"), "--device", "cpu", "--workers", "2", *mine]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(checkout)}, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list((tmp_path / "cut").glob("*/*.txt")):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert files_of(tmp_path / "cut").keys() < files_of(tmp_path / "whole").keys()
    resumed = run(root, tmp_path / "cut", "--workers", "2", *mine)
    assert resumed.exit_code == 0, resumed.output
    assert len(files_of(tmp_path / "whole")) == 6
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    again = run(root, tmp_path / "cut", "--tracker", str(untrained_weights), "--batch", "2")
    assert again.exit_code == 2
    assert "settings.samples 32 there, 128 now" in " ".join(again.output.split())


def test_repeats_have_folders_of_their_own(root: Path, tmp_path: Path) -> None:
    more = ("--repeats", "2", "--seed", "4", "--sequences", "short", "--name", "still")
    found = run(root, tmp_path / "out", *MINE, *more)
    assert found.exit_code == 0, found.output
    assert sorted(p.name for p in (tmp_path / "out").glob("[!.]*")) == ["evaluation.json", "still_seed4", "still_seed5"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--dataset", "lasott"), "no data set is called 'lasott'"),
        (("--sequences", "shrt"), "no sequence 'shrt'"),
        (("--tracker", "opencv:KFC"), "no tracker 'KFC'"),
        (("--tracker", "opencv:Nano"), "--model DIR"),
        (("--tracker", "python:mine:Trackr"), "module mine has no class Trackr"),
        (("--tracker", "python:nowhere:Tracker"), "cannot be imported"),
        (("--tracker", "python:mine"), "expected python:MODULE:CLASS"),
        (("--tracker", "missing.safetensors"), "no weights file"),
        (("--tracker", "default", "opencv:MIL", "--name", "x"), "--name names the folder of one tracker"),
        (("--tracker", "opencv:MIL", "opencv:MIL"), "two trackers would have the folder MIL"),
        (("--name", "a/b"), "no name of a tracker's folder"),
        (("--set", "samples"), "is not NAME=VALUE"),
        (("--set", "samples=-1"), "--set samples"),
        (("--set", "samples=["), "--set samples: '[' cannot be read"),
        (("--set", "samples=32", *MINE), "which is not among --tracker"),
        (("--name", "times"), "--name 'times' is no name of a tracker's folder"),
        (("--device", "cpu,cpu"), "names a device twice"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_was_wrong(root: Path, tmp_path: Path, more: tuple, said: str) -> None:
    found = run(root, tmp_path / "out", *more)
    assert found.exit_code == 2, found.output
    assert said in " ".join(found.output.split())
    assert "Traceback" not in found.output
    assert not list((tmp_path / "out").glob("*/*.txt"))
