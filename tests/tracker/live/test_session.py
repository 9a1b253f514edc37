"""The window: mouse and keys do what they say, and what is shown is never old."""

from __future__ import annotations

import csv
import errno
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.tracker.live.fakes import SIZE, FakeCamera, FakeClock, FakeScreen, FakeTracker
from tracker.live import LiveSource
from tracker.live.overlay import window_scale
from tracker.live.recorder import Recorder
from tracker.live.session import LiveSession, LiveSummary
from tracker.sinks.boxes import BoxFiles
from tracker.sources import Frame
from tracker.track import Track

SCALE = window_scale(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
BOX = (10.0, 20.0, 16.0, 12.0)
OTHER = (50.0, 30.0, 20.0, 20.0)
Box = tuple[float, float, float, float]


class Desk:
    """A session at a fake screen, in front of a fake camera of 60 frames a second.

    Args:
        out: folder of recordings and snapshots.
        tracking_s: what tracking a frame takes.
        frames: until the camera breaks off.
    """

    def __init__(self, out: Path, tracking_s: float = 0.1, frames: int = 100_000) -> None:
        self.clock = FakeClock()
        self.source = LiveSource("0", lambda _: FakeCamera(self.clock, 60, frames), self.clock)
        self.tracker = FakeTracker(lambda: self.wait(tracking_s))
        self.screen = FakeScreen()
        self.session = LiveSession(self.source, self.tracker, self.screen, out)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds, self.source)

    def run(self, *deeds: str | int | Callable[[], object]) -> LiveSummary:
        """Does one thing after the other, one in each turn of the loop, and quits."""
        self.screen.do(deeds)
        with self.source, self.clock:
            return self.session.run()

    def draw(self, box: Box) -> Callable[[], None]:
        x, y, w, h = (SCALE * value for value in box)
        return lambda: self.screen.drag(x, y, x + w, y + h)

    def click(self, box: Box) -> Callable[[], None]:
        return lambda: self.screen.click(SCALE * (box[0] + box[2] / 2), SCALE * (box[1] + box[3] / 2))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "out")


def sizes(desk: Desk) -> list[tuple[int, int]]:
    return [(round(track.box[2]), round(track.box[3])) for track in desk.session.targets.tracks]


def look(turns: int = 1) -> list[str]:
    return [""] * turns


def test_nothing_older_than_one_and_a_half_tracker_periods_is_shown(desk: Desk) -> None:
    ages: list[float] = []

    def note() -> None:
        assert desk.session.shown
        ages.append(desk.clock.now() - desk.session.shown.frame.captured)

    desk.screen.on_show = note
    summary = desk.run(desk.draw(BOX), *look(80))
    assert len(ages) > 80
    assert max(ages) <= 0.15
    assert summary.results > 75
    assert summary.dropped >= 5 * (summary.results - 2)
    assert summary.latency is not None
    assert 0.1 <= summary.latency[0] <= summary.latency[1] <= 0.15
    assert desk.session.meter.fps == pytest.approx(10, rel=0.02)
    assert desk.session.meter.latency == pytest.approx(summary.latency[0], abs=0.01)


def test_boxes_are_drawn_in_pixels_of_the_frame_in_any_direction(desk: Desk) -> None:
    x, y, w, h = (SCALE * value for value in OTHER)
    desk.run(desk.draw(BOX), lambda: desk.screen.drag(x + w, y + h, x, y), lambda: desk.screen.drag(5, 5, 7, 30), "")
    assert sizes(desk) == [(16, 12), (20, 20)]
    first, second = desk.tracker.states[0], desk.tracker.states[-1]
    assert first.box.tolist() == [[18, 26, 16, 12]]
    assert second.box[1].tolist()[1:] == [40, 20, 20]


@pytest.mark.filterwarnings("error")
def test_box_that_leaves_the_window_ends_at_the_border_of_the_frame(desk: Desk) -> None:
    desk.run(lambda: desk.screen.drag(SCALE * 80, SCALE * 60, SCALE * 500, SCALE * 500))
    assert sizes(desk) == [(SIZE[0] - 80, SIZE[1] - 60)]


def test_picture_stands_still_while_a_box_is_drawn_and_tracking_goes_on(desk: Desk) -> None:
    seen: list[tuple[int, int]] = []

    def press() -> None:
        assert desk.screen.mouse
        desk.screen.mouse(cv2.EVENT_LBUTTONDOWN, 40, 40, 0, None)

    def note() -> None:
        assert desk.session.shown
        seen.append((desk.session.shown.frame.index, desk.session.meter.results))

    def release() -> None:
        assert desk.screen.mouse
        before, after = (desk.screen.pictures[at][24:110] for at in (-3, -1))
        changed = np.argwhere((before != after).any(2))  # the box follows the mouse, and nothing else moves
        assert changed.min(0).tolist() == pytest.approx([40 - 24, 40], abs=4)
        assert changed.max(0).tolist() == pytest.approx([80 - 24, 80], abs=4)
        desk.screen.mouse(cv2.EVENT_LBUTTONUP, 90, 90, 0, None)
        note()

    def move() -> None:
        assert desk.screen.mouse
        note()
        desk.screen.mouse(cv2.EVENT_MOUSEMOVE, 80, 80, 0, None)

    desk.run(desk.draw(BOX), "", press, note, move, note, release, "", note)
    frames = [frame for frame, _ in seen]
    assert frames[0] == frames[1] == frames[2] == frames[3] < frames[4]
    assert seen[3][1] > seen[0][1]
    assert len(sizes(desk)) == 2


def test_pause_stops_tracking_and_goes_on_with_the_newest_frame(desk: Desk) -> None:
    results: list[int] = []

    def count() -> None:
        results.append(len(desk.tracker.states))
        desk.wait(2.0)

    desk.run(desk.draw(BOX), *look(3), " ", count, count, count, " ", "", "")
    assert results[0] == results[1] == results[2] < len(desk.tracker.states)
    resumed = desk.tracker.states[results[0]]
    # Nobody knows where it went meanwhile: it is searched for in the whole frame.
    assert resumed.lost.tolist() == [desk.tracker.config.search_after - 1]
    assert resumed.presence.tolist() == [0.5]
    assert desk.session.shown
    assert desk.clock.now() - desk.session.shown.frame.captured <= 0.15


def test_box_drawn_in_a_pause_is_shown_and_tracked_later(desk: Desk) -> None:
    shown: list[int] = []

    def count() -> None:
        assert desk.session.shown
        shown.append(len(desk.session.shown.tracks))

    desk.run(" ", desk.draw(BOX), "", count, " ", "", "")
    assert shown == [1]
    assert len(desk.tracker.states) >= 2


def test_remove_takes_the_clicked_target_or_the_last(desk: Desk) -> None:
    third = (4.0, 50.0, 10.0, 10.0)
    remaining: list[list[tuple[int, int]]] = []

    def note() -> None:
        remaining.append(sizes(desk))

    drawn = [desk.draw(box) for box in (BOX, OTHER, third)]
    desk.run(" ", *drawn, "", desk.click(BOX), "x", note, "x", note, 8, note, "x", note)
    assert remaining == [[(20, 20), (10, 10)], [(20, 20)], [], []]


def test_click_beside_all_targets_chooses_none(desk: Desk) -> None:
    desk.run(" ", desk.draw(BOX), desk.draw(OTHER), "", desk.click(BOX), lambda: desk.screen.click(2, 140), "x")
    assert sizes(desk) == [(16, 12)]


def test_reset_removes_all(desk: Desk) -> None:
    desk.run(desk.draw(BOX), desk.draw(OTHER), "", "r", "")
    assert sizes(desk) == []


def test_loss_and_return_are_said_at_once(desk: Desk) -> None:
    lines: list[str] = []

    def presence(value: float) -> Callable[[], None]:
        def change() -> None:
            desk.tracker.presence = value

        return change

    def note() -> None:
        lines.append(desk.session.line)

    desk.run(desk.draw(BOX), desk.draw(OTHER), "", presence(0.1), note, presence(0.9), note)
    assert lines == ["target 1, 2 lost", "target 1, 2 found again"]


def test_targets_keep_their_numbers_when_others_go(desk: Desk) -> None:
    lines: list[str] = []

    def lose() -> None:
        desk.tracker.presence = 0.1

    summary = desk.run(
        *(" ", desk.draw(BOX), desk.draw(OTHER), "", desk.click(BOX), "x", " "),
        *("v", "", lose, lambda: lines.append(desk.session.line)),
    )
    assert desk.session.shown
    assert desk.session.shown.ids == [2]
    assert lines == ["target 2 lost"]
    assert recorded(summary.folders[0])[1]["numbers"] == [2]


def recorded(folder: Path) -> tuple[list[dict[str, str]], dict[str, object]]:
    """Rows of the table and the record; the video has as many frames."""
    with (folder / "boxes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    record = json.loads((folder / "run.json").read_text())
    with av.open(str(folder / "annotated.mp4")) as video:
        times = [float(frame.time) for frame in video.decode(video=0) if frame.time is not None]
    assert len(times) == record["frames"]
    assert times == pytest.approx(sorted({float(row["time_s"]) for row in rows}), abs=1e-3)
    return rows, record


def test_recording_holds_what_was_tracked(desk: Desk) -> None:
    summary = desk.run(desk.draw(BOX), desk.draw(OTHER), "", "v", *look(6), "v", *look(3))
    (folder,) = summary.folders
    rows, record = recorded(folder)
    assert (record["status"], record["frames"], record["seed"]) == ("complete", 7, 7)
    assert len(rows) == 14
    assert float(rows[-1]["time_s"]) == pytest.approx(0.6, abs=0.05)  # 10 frames a second
    mot = np.loadtxt(folder / "tracks.mot.txt", delimiter=",")
    assert mot[:, 0].tolist() == [frame for frame in range(1, 8) for _ in range(2)]
    assert mot[:, 1].tolist() == [1, 2] * 7
    assert (np.diff(mot[::2, 2]) == 1).all()  # the fake tracker's pixel a frame
    assert (folder / "summary.png").exists()
    assert summary.problems == []


def test_recording_goes_on_in_a_new_part_where_targets_change_and_ends_without_any(desk: Desk) -> None:
    summary = desk.run(desk.draw(BOX), "v", *look(3), desk.draw(OTHER), *look(3), "r", *look(3))
    assert [len(recorded(folder)[0]) for folder in summary.folders] == [4, 8]
    assert not desk.session.recorder.on


def test_recording_needs_a_target(desk: Desk) -> None:
    summary = desk.run("v", "")
    assert summary.folders == []
    assert "draw a box first" in desk.session.line


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    before: dict[Path, bytes] = {}
    for runs in range(1, 3):
        desk = Desk(tmp_path / "out")
        desk.run(desk.draw(BOX), "s", "v", "", "v", "s", "v", "", "v")
        files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
        assert before.items() <= files.items()
        assert len([path for path in files if path.name == "boxes.csv"]) == 2 * runs
        assert len([path for path in files if path.suffix == ".png" and "snapshot" in path.name]) == 2 * runs
        before = files


def test_snapshot_is_the_frame_with_its_tracks(desk: Desk) -> None:
    plain: list[np.ndarray] = []
    summary = desk.run(desk.draw(BOX), "", lambda: plain.append(desk.session.shown.frame.image), "s")  # type: ignore[union-attr]
    picture = cv2.imread(str(summary.snapshots[0]))
    assert picture is not None
    assert picture.shape == plain[0].shape
    assert (picture != plain[0][0, 0]).any()


def test_folder_that_cannot_be_written_is_told_and_tracking_goes_on(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    desk = Desk(tmp_path / "out")
    summary = desk.run(desk.draw(BOX), "s", "v", *look(5))
    assert len(summary.problems) == 1
    assert "--out" in summary.problems[0]
    assert summary.results > 5
    assert not desk.session.recorder.on


def test_disk_that_takes_no_more_ends_the_recording_with_what_it_has(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = BoxFiles.write

    def full(self: BoxFiles, frame: Frame, tracks: Sequence[Track]) -> None:
        if frame.index == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, frame, tracks)

    monkeypatch.setattr(BoxFiles, "write", full)

    def user() -> Iterator[str]:
        desk.draw(BOX)()
        yield "v"
        while not desk.session.recorder.on:
            yield ""
        while desk.session.recorder.on:
            yield ""

    desk.screen.do(user())
    with desk.source, desk.clock:
        summary = desk.session.run()
    (problem,) = summary.problems
    assert "No space left" in problem
    rows, record = recorded(summary.folders[0])
    assert (record["status"], len(rows)) == ("failed", 3)


def test_ctrl_c_leaves_a_complete_recording(desk: Desk) -> None:
    summary = desk.run(desk.draw(BOX), "v", *look(3), lambda: signal.raise_signal(signal.SIGINT))
    assert summary.interrupted
    assert recorded(summary.folders[0])[1]["status"] == "complete"


def test_ctrl_c_again_does_not_keep_a_recording_from_being_finished(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Recorder.close

    def pressed(self: Recorder) -> list[str]:
        signal.raise_signal(signal.SIGINT)
        return close(self)

    monkeypatch.setattr(Recorder, "close", pressed)
    summary = desk.run(desk.draw(BOX), "v", *look(3))
    assert recorded(summary.folders[0])[1]["status"] == "complete"


def test_closed_window_ends_the_session(desk: Desk) -> None:
    summary = desk.run("", desk.screen.close, *look(1000))
    assert summary.results < 10
    assert not summary.interrupted


def test_cut_connection_is_said_and_targets_are_searched_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, frames=30)
    lines: list[str] = []

    def note() -> None:
        lines.append(desk.session.line)
        desk.wait(0.25)

    desk.run(desk.draw(BOX), *look(8), note, note, note, note, *look(2))
    assert any("trying to connect again" in line for line in lines)
    searched = [
        state for state in desk.tracker.states[2:] if state.lost.tolist() == [desk.tracker.config.search_after - 1]
    ]
    assert len(searched) == 1
