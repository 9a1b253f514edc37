"""`ebtrack webcam`: what it says without a window, and what it leaves behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ebtrack.webcam import webcam
from tests.clips import cut_short, write_video
from tests.tracker.live.fakes import FakeScreen

app = typer.Typer()
app.command()(webcam)


def call(*arguments: object, display: str = "") -> Result:
    environment = {"DISPLAY": display, "WAYLAND_DISPLAY": ""}
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


def assert_one_line(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stderr.startswith("error: ")
    for word in words:
        assert word in result.stderr
    assert result.stdout == ""


def test_without_a_display_the_page_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert_one_line(call(), "no display", "`ebtrack serve`")
    assert_one_line(call("--weights", "missing.safetensors"), "no display")  # said before weights are loaded


def test_with_the_headless_opencv_page_and_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        del options
        return subprocess.CompletedProcess(command, 1, b"", b"error: The function is not implemented. Rebuild")

    monkeypatch.setattr("tracker.display.subprocess.run", refuse)
    assert_one_line(call(display=":0"), "`ebtrack serve`", "opencv-python-headless")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> FakeScreen:
    """Stands in for the window."""
    screen = FakeScreen()
    monkeypatch.setattr("tracker.live.screen.OpenCVScreen", lambda title: screen)
    return screen


def test_session_with_a_recording_and_a_snapshot(untrained_weights: Path, tmp_path: Path, screen: FakeScreen) -> None:
    video, out = write_video(tmp_path / "v.mp4", 250), tmp_path / "out"

    def user() -> Iterator[str]:
        screen.drag(20, 40, 80, 90)
        yield "v"
        while not list(out.glob("recording-*/annotated.mp4")):
            yield ""
        yield from "vsq"

    screen.do(user())
    result = call(video, "--weights", untrained_weights, "--device", "cpu", "--out", out)
    assert result.exit_code == 0, result.output
    (table,) = out.glob("recording-*/boxes.csv")
    assert len(table.read_text().splitlines()) > 1
    (snapshot,) = out.glob("snapshot-*.png")
    assert str(table.parent) in result.stdout
    assert str(snapshot) in result.stdout
    assert "ms in the median" in result.stdout
    assert result.stderr == ""
    assert not screen.opened


def test_mistakes_are_one_line_and_close_the_window(
    untrained_weights: Path, tmp_path: Path, screen: FakeScreen
) -> None:
    assert_one_line(call(tmp_path / "missing.mp4", "--weights", untrained_weights), "missing.mp4", "no such file")
    assert not screen.opened
    assert_one_line(call("0", "--weights", tmp_path / "missing.safetensors"), "missing.safetensors")
    assert_one_line(call("0", "--weights", untrained_weights, "--device", "cuda:99"), "cuda:99")


def test_source_that_breaks_off_is_told(untrained_weights: Path, tmp_path: Path, screen: FakeScreen) -> None:
    path = cut_short(write_video(tmp_path / "v.mp4", 30, movflags="faststart"), 0.6)
    screen.do([""] * 10_000)
    result = call(path, "--weights", untrained_weights, "--out", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert "damaged" in result.stderr
    assert not (tmp_path / "out").exists()
