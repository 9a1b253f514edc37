"""Live sources: the newest frame alone, real time, and connecting again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.clips import cut_short, picture, write_video
from tests.tracker.live.fakes import PATIENCE_S, FakeCamera, FakeClock
from tracker.live import LiveFrame, LiveSource
from tracker.live.source import FIRST_DELAY_S, LONGEST_DELAY_S
from tracker.sources import Source, SourceError


def take(source: LiveSource) -> LiveFrame:
    frame = source.newest(PATIENCE_S)
    assert frame is not None
    return frame


def test_no_frame_is_older_than_one_and_a_half_periods_of_a_slow_tracker() -> None:
    clock = FakeClock()
    period, taken = 0.1, []
    with LiveSource("0", lambda _: FakeCamera(clock, 60, 10_000), clock) as source, clock:
        for _ in range(100):
            frame = take(source)
            clock.advance(period, source)  # the tracker at work
            assert clock.now() - frame.captured <= 1.5 * period
            taken.append(frame)
        assert source.fps == pytest.approx(60)
    assert [int(frame.image[0, 0, 0]) for frame in taken] == [frame.index % 256 for frame in taken]
    steps = np.diff([frame.index for frame in taken])
    assert steps.min() >= 5
    assert steps.sum() == pytest.approx(6 * len(steps), abs=2)
    assert source.dropped == pytest.approx(5 * len(steps), abs=6)


def test_each_frame_is_given_once() -> None:
    clock = FakeClock()
    with LiveSource("0", lambda _: FakeCamera(clock, 10, 100), clock) as source, clock:
        assert take(source).index == 0
        assert source.newest(0) is None
        clock.advance(0.1, source)
        assert take(source).index == 1
        assert source.dropped == 0


def test_video_file_plays_in_real_time(tmp_path: Path) -> None:
    clock = FakeClock()
    with LiveSource(str(write_video(tmp_path / "v.mp4", 30)), clock=clock) as source, clock:
        assert (source.name, source.fps) == ("v", 25)
        begin = take(source)
        for index in (5, 10, 25):
            clock.advance(index / 25 + 0.001 - clock.now(), source)
            frame = take(source)
            assert frame.index == index
            assert frame.captured - begin.captured == pytest.approx(index / 25, abs=1e-3)
            assert abs(frame.image.astype(int) - picture(index)).mean() < 12
        clock.advance(10, source)
        assert take(source).index == 29
        assert source.newest(PATIENCE_S) is None
        assert (source.state, source.problem) == ("ended", None)


def test_uneven_frame_times_are_kept(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 1.5, 1.54, 6.0]
    clock = FakeClock()
    seen = [0.0]
    with LiveSource(str(write_video(tmp_path / "v.mp4", len(times), times_s=times)), clock=clock) as source, clock:
        take(source)
        while source.state != "ended":
            clock.advance(0.01, source)
            if frame := source.newest(0):
                seen.append(frame.captured)
    assert seen == pytest.approx(times, abs=1e-2)


def test_damaged_file_ends_with_the_reason(tmp_path: Path) -> None:
    clock = FakeClock()
    path = cut_short(write_video(tmp_path / "v.mp4", 60, movflags="faststart"), 0.6)
    with LiveSource(str(path), clock=clock) as source, clock:
        clock.advance(10, source)
        assert source.state == "ended"
        assert "damaged" in str(source.problem)


def test_broken_connection_is_tried_again_with_growing_delays() -> None:
    clock = FakeClock()
    attempts: list[float] = []

    def opener(location: str) -> Source:
        attempts.append(clock.now())
        if 1 < len(attempts) < 9:
            raise SourceError(f"{location}: no video stream answers")
        return FakeCamera(clock, 10, 5) if len(attempts) == 1 else FakeCamera(clock, 10, 10_000, first=100)

    with LiveSource("rtsp://there", opener, clock) as source, clock:
        clock.advance(0.39, source)
        states = [source.state]
        assert (take(source).connection, source.dropped) == (0, 3)
        clock.advance(0.1, source)
        assert take(source).index == 4
        clock.advance(1, source)
        states.append(source.state)
        assert "no video stream answers" in str(source.problem)
        assert source.newest(0) is None
        clock.advance(45, source)
        frame = take(source)
        states.append(source.state)
        assert states == ["live", "reconnecting", "live"]
        assert (frame.connection, source.problem) == (1, None)
        assert int(frame.image[0, 0, 0]) == (95 + frame.index) % 256  # no number was given for what never came
    delays = np.diff(attempts[1:9])
    assert attempts[1] - 0.4 == pytest.approx(FIRST_DELAY_S)
    assert delays[:3] == pytest.approx([2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S, 8 * FIRST_DELAY_S])
    assert delays.max() == LONGEST_DELAY_S


def test_source_that_cannot_be_opened_at_first_is_an_error() -> None:
    with pytest.raises(SourceError, match="no such file"):
        LiveSource("missing.mp4")


def test_bug_in_a_source_is_raised_where_frames_are_taken() -> None:
    class Broken(FakeCamera):
        def _read(self):  # type: ignore[no-untyped-def]
            yield from super()._read()
            raise ZeroDivisionError("a bug")

    clock = FakeClock()
    with LiveSource("0", lambda _: Broken(clock, 10, 2), clock) as source, clock:
        clock.advance(1, source)
        with pytest.raises(ZeroDivisionError, match="a bug"):
            source.newest(PATIENCE_S)


def test_close_ends_reading_and_releases() -> None:
    clock = FakeClock()
    camera = FakeCamera(clock, 1000, 10_000_000)
    with LiveSource("0", lambda _: camera, clock) as source, clock:
        take(source)
        assert source.state == "live"
    assert camera.released
    assert source.newest() is None
