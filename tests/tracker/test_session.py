"""A run from source to folder: what it leaves behind, however it ends."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.clips import BOX, SIZE, cut_short, picture, write_images, write_video
from tests.fake_tracker import FakeTracker
from tracker.session import RunSummary, Step, track_to_folder
from tracker.sinks import OutputError
from tracker.sources import SourceError, open_source

ROOT = Path(__file__).resolve().parent.parent.parent
OTHER = (50.0, 8.0, 12.0, 16.0)


def run(source: Path, out: Path, **options: Any) -> RunSummary:
    return track_to_folder(str(source), options.pop("boxes", [BOX]), out, FakeTracker(), **options)


def assert_complete(summary: RunSummary, frames: int, status: str) -> dict[str, Any]:
    """Every file is there, whole and of the same number of frames; returns the record."""
    assert summary.frames == frames
    for path in summary.files.values():
        assert path.stat().st_size > 0
    assert {path.name for path in summary.out.iterdir()} == {path.name for path in summary.files.values()}
    assert [len(boxes) for boxes in summary.boxes] == [frames] * summary.targets
    with av.open(str(summary.files["annotated"])) as file:
        assert sum(1 for _ in file.decode(video=0)) == frames
    assert cv2.imread(str(summary.files["summary"])) is not None
    record: dict[str, Any] = json.loads(summary.files["run"].read_text())
    assert (record["status"], record["frames"]) == (status, frames)
    return record


def test_complete_run(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", 30)
    steps: list[Step] = []
    summary = run(video, tmp_path / "deep" / "out", boxes=[BOX, OTHER], on_frame=steps.append)
    record = assert_complete(summary, 30, "complete")
    assert not summary.interrupted
    assert summary.damaged is None
    x, y, w, h = BOX
    np.testing.assert_allclose(summary.boxes[0], [(x + i, y, w, h) for i in range(30)], atol=1e-3)
    assert summary.presence[1][:6] == [1.0, 0.9, 0.9, 0.9, 0.9, 0.2]  # the first box is given
    assert [step.frame.index for step in steps] == list(range(30))
    assert (steps[0].fps, steps[-1].fps > 0) == (0, True)
    assert record["weights"]["checksum"] == "abc"
    assert record["seed"] == 7
    assert record["options"]["boxes"] == [list(BOX), list(OTHER)]
    assert record["resolution"] == list(SIZE)
    assert record["source"] == str(video)
    assert "reading, drawing and writing excluded" in record["speed"]["definition"]
    assert record["speed"]["fps"] == pytest.approx(29 / record["speed"]["update_seconds"], rel=1e-2)


def test_max_frames_ends_the_run(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", 30)
    for frames in (1, 7):
        assert_complete(run(video, tmp_path / str(frames), max_frames=frames), frames, "complete")


def test_open_source_is_taken_as_it_is(tmp_path: Path) -> None:
    with open_source(str(write_images(tmp_path / "images", 4))) as source:
        source.first()
        assert_complete(track_to_folder(source, [BOX], tmp_path / "out", FakeTracker()), 4, "complete")


def test_frame_size_may_change(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 4)
    cv2.imwrite(str(folder / "2.png"), picture(2, (128, 40)))
    tracker = FakeTracker()
    summary = track_to_folder(str(folder), [BOX], tmp_path / "out", tracker)
    assert_complete(summary, 4, "complete")
    assert [shape[:2] for shape in tracker.shapes] == [(72, 96), (72, 96), (40, 128), (72, 96)]


def test_damaged_source_leaves_everything_before_the_damage(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", 60, movflags="faststart")
    summary = run(cut_short(video, 0.6), tmp_path / "out")
    assert summary.damaged is not None
    assert 15 < summary.frames < 50
    assert assert_complete(summary, summary.frames, "damaged")["reason"] == summary.damaged


def test_unreadable_image_leaves_everything_before_it(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 6)
    (folder / "4.png").write_bytes(b"no picture")
    summary = run(folder, tmp_path / "out")
    assert_complete(summary, 4, "damaged")
    assert "4.png" in str(summary.damaged)


def test_ctrl_c_leaves_everything_before_it(tmp_path: Path) -> None:
    def press(step: Step) -> None:
        if step.frame.index == 11:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    summary = run(write_video(tmp_path / "v.mp4", 30), tmp_path / "out", on_frame=press)
    assert summary.interrupted
    assert_complete(summary, 12, "interrupted")
    assert signal.getsignal(signal.SIGINT) is before


# Signals come at any time: while a frame is being written, and while the outputs are being finished.
def test_ctrl_c_cuts_no_write_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracker.sinks.boxes import BoxFiles
    from tracker.sinks.recording import Recording

    write, finish = BoxFiles.write, Recording.finish

    def pressed_in_write(self: BoxFiles, frame: Any, tracks: Any) -> None:
        if frame.index == 5:
            signal.raise_signal(signal.SIGINT)
        write(self, frame, tracks)

    def pressed_in_finish(self: Recording, record: dict[str, Any]) -> None:
        signal.raise_signal(signal.SIGINT)
        finish(self, record)

    monkeypatch.setattr(BoxFiles, "write", pressed_in_write)
    monkeypatch.setattr(Recording, "finish", pressed_in_finish)
    assert_complete(run(write_video(tmp_path / "v.mp4", 30), tmp_path / "out"), 6, "interrupted")


def test_runs_in_other_threads(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", 5)
    done: list[RunSummary] = []
    thread = threading.Thread(target=lambda: done.append(run(video, tmp_path / "out")))
    thread.start()
    thread.join()
    assert_complete(done[0], 5, "complete")


def test_error_in_the_tracker_leaves_what_was_there_and_is_raised(tmp_path: Path) -> None:
    class Broken(FakeTracker):
        def update(self, frame: Any) -> Any:
            if len(self.shapes) == 8:
                raise RuntimeError("out of order")
            return super().update(frame)

    with pytest.raises(RuntimeError, match="out of order"):
        track_to_folder(str(write_video(tmp_path / "v.mp4", 30)), [BOX], tmp_path / "out", Broken())
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["status"], record["reason"], record["frames"]) == ("failed", "out of order", 8)
    assert len((tmp_path / "out" / "boxes.txt").read_text().splitlines()) == 8
    with av.open(str(tmp_path / "out" / "annotated.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) == 8


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.clips import BOX
from tests.fake_tracker import FakeTracker
from tracker.session import track_to_folder
from tracker.sinks import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))  # no file may grow beyond: as on a full disk
try:
    track_to_folder(sys.argv[1], [BOX] * 12, Path(sys.argv[2]), FakeTracker())
except OutputError as error:
    print(error)
"""


# With twelve targets the table is the first file that is full, in the midst of a frame.
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_full_disk_leaves_whole_frames(tmp_path: Path) -> None:
    folder, out = write_images(tmp_path / "images", 60), tmp_path / "out"
    command = [sys.executable, "-c", FULL_DISK, str(folder), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=120)
    assert "cannot write into" in done.stdout
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "failed"
    assert record["frames"] > 1
    rows = (out / "boxes.csv").read_text()
    assert rows.endswith("\n")
    assert len(rows.splitlines()) == 1 + 12 * record["frames"]
    for number in range(1, 13):
        assert np.loadtxt(out / f"boxes_{number}.txt", delimiter=",").shape == (record["frames"], 4)


def test_mistakes_make_no_folder(tmp_path: Path) -> None:
    class Choosy(FakeTracker):
        def init(self, frame: Any, box: Any) -> None:
            raise ValueError("this box cannot be used")

    video, out = write_video(tmp_path / "v.mp4", 5), tmp_path / "out"
    with pytest.raises(ValueError, match="cannot be used"):
        track_to_folder(str(video), [BOX], out, Choosy())
    with pytest.raises(ValueError, match="at least one box"):
        run(video, out, boxes=[])
    with pytest.raises(ValueError, match="max_frames"):
        run(video, out, max_frames=0)
    with pytest.raises(SourceError):
        run(tmp_path / "missing.mp4", out)
    assert not out.exists()


def test_earlier_results_stay_unless_overwritten(tmp_path: Path) -> None:
    video, out = write_video(tmp_path / "v.mp4", 6), tmp_path / "out"
    run(video, out, boxes=[BOX, OTHER])
    (out / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OutputError, match="--overwrite"):
        run(video, out)
    with pytest.raises(SourceError):  # nothing is removed for a run that cannot begin
        run(tmp_path / "missing.mp4", out, overwrite=True)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    summary = run(video, out, overwrite=True)
    assert {path.name for path in out.iterdir()} == {path.name for path in summary.files.values()} | {"notes.txt"}
