"""Sinks: what a run writes, and what it never overwrites."""

import csv
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.clips import picture
from tests.fake_tracker import track_of
from tracker.drawing import LEVEL
from tracker.sinks import OutputError, OutputFolder, Recording
from tracker.sinks.trace import Trace
from tracker.sinks.video import letterbox, open_video
from tracker.sources import Frame
from tracker.summary import Summary

BOXES = [(10.123456, 20.0, 24.5, 30.25), (40.0, 8.0, 12.0, 16.0)]


def record(folder: Path, frames: int, targets: int) -> Recording:
    output = OutputFolder(folder)
    output.prepare("")
    recording = Recording(output, targets, 25.0, "a title")
    for index in range(frames):
        tracks = [track_of(box, 0.75, seed=10 * index + i) for i, box in enumerate(BOXES[:targets])]
        recording.write(Frame(picture(index), index, index / 25), tracks)
    recording.finish({"status": "complete"})
    return recording


def test_table_holds_box_presence_and_intervals(tmp_path: Path) -> None:
    files = record(tmp_path / "out", 3, 1).files
    with files["boxes"].open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame"], row["target"]) for row in rows] == [("0", "1"), ("1", "1"), ("2", "1")]
    track = track_of(BOXES[0], 0.75, seed=20)
    low, high = track.posterior.interval(LEVEL)
    row = {name: float(value) for name, value in rows[2].items()}
    assert (row["x"], row["y"], row["w"], row["h"]) == pytest.approx(track.box, abs=1e-4)
    assert row["time_s"] == pytest.approx(0.08)
    assert row["presence"] == 0.75
    assert row["ess"] == pytest.approx(float(track.posterior.ess), abs=1e-3)
    for i, name in enumerate(("cx", "cy", "w", "h")):
        assert row[f"{name}_low"] == pytest.approx(float(low[i]), abs=1e-3)
        assert row[f"{name}_high"] == pytest.approx(float(high[i]), abs=1e-3)


def test_plain_files_are_what_toolkits_read(tmp_path: Path) -> None:
    one = record(tmp_path / "one", 3, 1)
    assert sorted(path.name for path in one.files.values()) == sorted(
        ("boxes.csv", "boxes.txt", "annotated.mp4", "summary.png", "run.json")
    )
    np.testing.assert_allclose(np.loadtxt(one.files["boxes_txt"], delimiter=","), [BOXES[0]] * 3, atol=1e-4)
    two = record(tmp_path / "two", 3, 2)
    assert not (tmp_path / "two" / "boxes.txt").exists()
    for number, box in enumerate(BOXES, start=1):
        np.testing.assert_allclose(np.loadtxt(two.files[f"boxes_txt_{number}"], delimiter=","), [box] * 3, atol=1e-4)
    mot = np.loadtxt(two.files["mot"], delimiter=",")
    np.testing.assert_array_equal(mot[:, :2], [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)])
    np.testing.assert_allclose(mot[:, 2:7], [(*box, 0.75) for box in BOXES] * 3, atol=1e-4)
    np.testing.assert_array_equal(mot[:, 7:], -1)


def test_summary_is_a_picture(tmp_path: Path) -> None:
    for frames, targets in ((1, 1), (40, 2)):
        summary = cv2.imread(str(record(tmp_path / str(frames), frames, targets).files["summary"]))
        assert summary is not None
        assert min(summary.shape[:2]) > 300


def test_summary_keeps_a_bounded_number_of_stills() -> None:
    summary = Summary(1)
    kept = []
    for index in range(400):
        summary.write(Frame(picture(0), index, index / 25), [track_of(BOXES[0], 0.1 if index == 123 else 0.9)])
        kept.append(len(summary.stills))
    assert max(kept) <= 30
    shown = summary.chosen()
    indices = [still.index for still in shown]
    assert 8 <= len(indices) <= 10
    assert {0, 123, 399} <= set(indices)
    assert max(np.diff([0, *indices, 399])) < 90
    assert [still.presence for still in shown if still.index == 123] == [0.1]


def test_trace_keeps_mean_and_extremes_in_bounded_memory() -> None:
    values = np.random.default_rng(0).normal(size=(1000, 2))
    trace = Trace(2, capacity=64)
    for row in values:
        trace.add(row)
    frames, mean, low, high = trace.curves()
    assert 32 < len(frames) <= 64
    step = round(frames[1] - frames[0])
    for i in (0, 7, len(frames) - 1):
        part = values[i * step : (i + 1) * step]
        np.testing.assert_allclose(mean[i], part.mean(0))
        np.testing.assert_array_equal(low[i], part.min(0))
        np.testing.assert_array_equal(high[i], part.max(0))


def probe(path: Path) -> tuple[str, str, list[float], tuple[int, int]]:
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        times = [float(frame.time or 0) for frame in file.decode(stream)]
        return stream.codec_context.name, str(stream.codec_context.pix_fmt), times, (stream.width, stream.height)


# 97 x 71: 4:2:0 needs even sides, so a column and a row are added.
def test_video_plays_in_browsers_also_with_odd_sides(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    first = picture(0, (97, 71))
    video = open_video(path, first, 25.0)
    times = [0.0, 0.04, 0.08, 1.5]
    for time_s in times:
        video.write(first, time_s)
    video.close()
    codec, layout, written, size = probe(path)
    assert (codec, layout, size) == ("h264", "yuv420p", (98, 72))
    assert written == pytest.approx(times, abs=1e-3)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it is fetched
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.mp4"]
    with av.open(str(path)) as file:
        shown = next(file.decode(video=0)).to_ndarray(format="bgr24")
    assert abs(shown[:71, :97].astype(int) - first).mean() < 15


def test_video_that_was_never_closed_can_be_played(tmp_path: Path) -> None:
    video = open_video(tmp_path / "v.mp4", picture(0), 25.0)
    for index in range(200):
        video.write(picture(index % 30), index / 25)
    killed = tmp_path / "killed.mp4"
    killed.write_bytes((tmp_path / "v.mp4").read_bytes())
    video.close()
    played = 0
    with av.open(str(killed)) as file:
        try:
            for _ in file.decode(video=0):
                played += 1
        except av.FFmpegError:
            pass
    assert played > 50


def test_pictures_of_another_size_are_fitted_in(tmp_path: Path) -> None:
    video = open_video(tmp_path / "v.mp4", picture(0), 25.0)
    for size in ((96, 72), (200, 72), (40, 90)):
        video.write(picture(0, size), 0.0)
    video.close()
    assert len(probe(tmp_path / "v.mp4")[2]) == 3
    wide = letterbox(np.full((50, 200, 3), 255, np.uint8), 96, 72)
    assert wide.shape == (72, 96, 3)
    assert (wide[:20] == 0).all()
    assert (wide[30:40] == 255).all()


def test_without_pyav_the_video_is_mpeg4_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    video = open_video(tmp_path / "v.mp4", picture(0), 25.0)
    for index in range(5):
        video.write(picture(index), index / 25)
    video.close()
    assert video.note is not None
    assert "browsers" in video.note
    monkeypatch.undo()
    assert probe(tmp_path / "v.mp4")[0] == "mpeg4"


def test_results_are_not_overwritten_without_leave(tmp_path: Path) -> None:
    record(tmp_path / "out", 2, 1)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match="--overwrite") as caught:
        OutputFolder(tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_overwriting_removes_our_stale_files_and_no_others(tmp_path: Path) -> None:
    record(tmp_path / "out", 2, 2)
    foreign = [tmp_path / "out" / name for name in ("notes.txt", "boxes_final.txt", "boxes.csv.bak", "my.mp4")]
    for path in foreign:
        path.write_text("mine")
    OutputFolder(tmp_path / "out", overwrite=True).prepare("")
    assert sorted((tmp_path / "out").iterdir()) == sorted(foreign)


def test_folder_with_foreign_files_only_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    record(tmp_path, 2, 1)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_source_among_the_results_is_not_removed(tmp_path: Path) -> None:
    annotated = record(tmp_path / "out", 2, 1).files["annotated"]
    with pytest.raises(OutputError, match="overwritten by its own results"):
        OutputFolder(tmp_path / "out", overwrite=True).prepare(str(annotated))
    assert annotated.exists()


def test_folder_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="not a folder"):
        OutputFolder(tmp_path / "file")
    with pytest.raises(OutputError, match="--out"):
        OutputFolder(tmp_path / "file" / "below").prepare("")
    assert (tmp_path / "file").read_text() == "mine"
