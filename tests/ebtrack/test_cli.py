"""The command line: what it prints, what it writes, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ebtrack.cli import app
from ebtrack.version import __version__
from tests.clips import BOX, cut_short, write_images, write_video

SHOWN = ",".join(f"{value:g}" for value in BOX)
NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "v.mp4", 8, movflags="faststart")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=NO_DISPLAY)


def track(weights: Path, source: object, *arguments: object) -> Result:
    return call("track", source, "--weights", weights, "--device", "cpu", *arguments)


def assert_one_line(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]
    assert result.stdout == ""


def test_track_writes_the_results_and_says_where(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = track(untrained_weights, video, "--box", SHOWN, "--out", out, "--seed", 5)
    assert result.exit_code == 0, result.output
    for name in ("boxes.csv", "boxes.txt", "annotated.mp4", "summary.png", "run.json"):
        assert str(out / name) in result.stdout
        assert (out / name).stat().st_size > 0
    record = json.loads((out / "run.json").read_text())
    assert (record["status"], record["frames"], record["seed"]) == ("complete", 8, 5)
    assert record["ebtrack"] == __version__
    assert len(record["weights"]["checksum"]) == 64
    first = np.loadtxt(out / "boxes.txt", delimiter=",")[0]
    np.testing.assert_allclose(first, BOX)


def test_same_seed_same_boxes(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert track(untrained_weights, video, "--box", SHOWN, "--out", tmp_path / name, "--seed", seed).exit_code == 0
        texts.append((tmp_path / name / "boxes.csv").read_text())
    assert texts[0] == texts[1] != texts[2]


def test_several_targets_and_max_frames(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    boxes = ("--box", SHOWN, "--box", "50, 8, 12, 16")
    result = track(untrained_weights, video, *boxes, "--out", out, "--max-frames", 3)
    assert result.exit_code == 0, result.output
    assert len((out / "boxes_1.txt").read_text().splitlines()) == 3
    assert (out / "boxes_2.txt").read_text().startswith("50.0000,8.0000,12.0000,16.0000\n")
    assert len((out / "tracks.mot.txt").read_text().splitlines()) == 6


def test_results_go_to_a_folder_named_for_the_source(
    untrained_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "my pictures", 2)
    assert track(untrained_weights, "my pictures", "--box", SHOWN).exit_code == 0
    assert (tmp_path / "ebtrack-out" / "my_pictures" / "boxes.csv").exists()


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("1,2,3", ("'1,2,3'", "--box x,y,w,h")),
        ("a,b,c,d", ("'a,b,c,d'", "--box x,y,w,h")),
        ("nan,2,3,4", ("nan", "96 x 72")),
        ("5,5,0,4", ("(5, 5, 0, 4)", "96 x 72")),
        ("5,5,-4,4", ("(5, 5, -4, 4)", "96 x 72")),
        ("500,5,4,4", ("(500, 5, 4, 4)", "outside", "96 x 72")),
    ],
)
def test_bad_box_is_one_line(
    untrained_weights: Path, video: Path, tmp_path: Path, box: str, words: tuple[str, ...]
) -> None:
    assert_one_line(track(untrained_weights, video, "--box", box, "--out", tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_box_partly_outside_is_clipped_and_said_once(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    result = track(untrained_weights, video, "--box", "-5,20,20,20", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("clipped") == 1
    assert result.stderr.startswith("warning: ")


def test_other_mistakes_are_one_line(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    box, out = ("--box", SHOWN), ("--out", tmp_path / "out")
    pickled = tmp_path / "pickled.safetensors"
    pickled.write_bytes(b"\x80\x04 not to be opened")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "text.mp4").write_text("this is no video")
    assert_one_line(track(untrained_weights, tmp_path / "missing.mp4", *box, *out), "missing.mp4", "no such file")
    assert_one_line(track(untrained_weights, tmp_path / "text.mp4", *box, *out), "text.mp4", "no readable video")
    assert_one_line(track(untrained_weights, 97, *box, *out), "camera 97")
    assert_one_line(track(untrained_weights, video, *out), "no display", "--box x,y,w,h")
    assert_one_line(track(untrained_weights, video, *box, *out, "--select"), "no display")
    assert_one_line(track(untrained_weights, video, *box, *out, "--show"), "no display", "--show")
    assert_one_line(track(untrained_weights, video, *box, "--out", tmp_path / "file"), "not a folder")
    assert_one_line(track(tmp_path / "missing.safetensors", video, *box, *out), "no weights file")
    assert_one_line(track(pickled, video, *box, *out), "pickled")
    assert_one_line(call("track", video, *box, *out, "--weights", untrained_weights, "--device", "abacus"), "abacus")
    assert not (tmp_path / "out").exists()


def test_results_are_overwritten_only_when_told(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    arguments = ("--box", SHOWN, "--out", tmp_path / "out")
    assert track(untrained_weights, video, *arguments).exit_code == 0
    before = (tmp_path / "out" / "run.json").read_bytes()
    assert_one_line(track(untrained_weights, video, *arguments), str(tmp_path / "out"), "--overwrite")
    assert (tmp_path / "out" / "run.json").read_bytes() == before
    assert track(untrained_weights, video, *arguments, "--overwrite", "--max-frames", 2).exit_code == 0
    assert len((tmp_path / "out" / "boxes.txt").read_text().splitlines()) == 2


def test_damaged_video_exits_with_3_and_keeps_what_came_before(untrained_weights: Path, tmp_path: Path) -> None:
    cut = cut_short(write_video(tmp_path / "v.mp4", 30, movflags="faststart"), 0.5)
    result = track(untrained_weights, cut, "--box", SHOWN, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "damaged or cut short" in result.stderr
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["status"] == "damaged"
    assert len((tmp_path / "out" / "boxes.txt").read_text().splitlines()) == record["frames"] > 5


def started(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ebtrack", *(str(argument) for argument in arguments)]
    environment = {**os.environ, **NO_DISPLAY, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_exits_with_130_and_keeps_what_came_before(
    untrained_weights: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder, out = write_images(tmp_path / "images", 400), tmp_path / "out"
    process = started("track", folder, "--box", SHOWN, "--out", out, "--weights", untrained_weights, "--device", "cpu")
    rows = out / "boxes.txt"
    while process.poll() is None and not (rows.exists() and len(rows.read_text().splitlines()) > 3):
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "interrupted"
    assert len(rows.read_text().splitlines()) == record["frames"] > 3
    assert (out / "summary.png").exists()


def test_bad_stream_says_one_line_and_opencv_nothing(untrained_weights: Path) -> None:
    source = "rtsp://user:secret@127.0.0.1:9/live"
    process = started("track", source, "--box", SHOWN, "--weights", untrained_weights, "--device", "cpu")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert out == ""
    assert len(errors.splitlines()) == 1
    assert "secret" not in errors


def test_info_shows_record_and_devices(untrained_weights: Path) -> None:
    result = call("info", "--weights", untrained_weights)
    assert result.exit_code == 0, result.output
    for words in (str(untrained_weights), "checksum", "parameters", "terms", "none", "cpu", "threads"):
        assert words in result.stdout
    assert_one_line(call("info", "--weights", untrained_weights.with_name("missing")), "no weights file")


def test_version_and_help() -> None:
    assert call("--version").stdout == f"ebtrack {__version__}\n"
    shown = call("--help").stdout
    for command in ("track", "demo", "info", "train"):
        assert command in shown


def test_boxes_from_a_file_follow_those_of_the_call(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([{"box": [40, 10, 20, 20], "label": "cup"}, [5, 5, 20, 30]]))
    out = tmp_path / "out"
    result = track(untrained_weights, video, "--box", SHOWN, "--init-from", boxes, "--out", out, "--max-frames", 2)
    assert result.exit_code == 0, result.output
    record = json.loads((out / "run.json").read_text())
    assert record["options"]["boxes"] == [list(BOX), [40, 10, 20, 20], [5, 5, 20, 30]]
    assert (out / "boxes_3.txt").read_text().startswith("5.0000,5.0000,20.0000,30.0000")


def test_a_mistake_in_the_boxes_file_is_one_line(untrained_weights: Path, video: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text("[[1, 2, 3]]")
    wrong = track(untrained_weights, video, "--init-from", boxes, "--out", tmp_path / "out")
    assert_one_line(wrong, "boxes.json", "entry 1", "expected [x, y, w, h]")
    missing = track(untrained_weights, video, "--init-from", tmp_path / "none.json", "--out", tmp_path / "out")
    assert_one_line(missing, "none.json", "cannot be read")
    assert not (tmp_path / "out").exists()
