"""Sources: what they give, and how they fail."""

import http.server
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.clips import SIZE, cut_short, flip_bits, picture, write_images, write_video
from tracker.sources import Frame, SourceDamaged, SourceError, open_source


def read(source: Path | str) -> list[Frame]:
    with open_source(str(source)) as opened:
        return list(opened)


def read_to_damage(source: Path) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    with open_source(str(source)) as opened, pytest.raises(SourceDamaged) as caught:
        frames.extend(frame for frame in opened)
    return frames, str(caught.value)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("plain.mp4", "libx264"),
        ("matroska.mkv", "libx264"),
        ("old.avi", "mpeg4"),
        ("stream.ts", "libx264"),
        ("reordered.avi", "libx264"),
    ],
)
def test_video_gives_every_frame_with_its_time(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, 12, codec=codec)
    with open_source(str(path)) as source:
        assert (source.fps, source.frame_count) == (25, 12)
        assert source.name == path.stem
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(12) / 25, abs=1e-3)
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.shape == (SIZE[1], SIZE[0], 3)
        assert abs(frame.image.astype(int) - picture(frame.index)).mean() < 12


def test_first_frame_is_given_again_by_the_iteration(tmp_path: Path) -> None:
    with open_source(str(write_video(tmp_path / "v.mp4", 3))) as source:
        first = source.first()
        assert first is source.first()
        assert [frame.index for frame in source] == [0, 1, 2]


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 1.5, 1.54, 6.0]
    frames = read(write_video(tmp_path / "uneven.mp4", len(times), times_s=times))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)


def test_rotation_record_turns_the_frames_as_opencv_does(tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mp4", 3, rotation=90)
    _, upright = cv2.VideoCapture(str(path)).read()
    image = read(path)[0].image
    assert image.shape == (SIZE[0], SIZE[1], 3)
    assert abs(image.astype(int) - upright).mean() < 2


def test_frames_of_two_sizes_in_one_video(tmp_path: Path) -> None:
    both = tmp_path / "both.h264"
    small, large = write_video(tmp_path / "a.h264", 5), write_video(tmp_path / "b.h264", 5, size=(128, 96))
    both.write_bytes(small.read_bytes() + large.read_bytes())
    assert [frame.image.shape[1] for frame in read(both)] == [96] * 5 + [128] * 5


# A sound track that lasts longer, a beginning cut off a stream, pictures before the begin of an edit list: all whole.
def test_whole_but_unusual_videos_are_not_called_damaged(tmp_path: Path) -> None:
    assert len(read(write_video(tmp_path / "sound.mkv", 20, sound_s=2.0))) == 20
    stream = write_video(tmp_path / "stream.ts", 40)
    data = stream.read_bytes()
    cut = tmp_path / "beginning-cut.ts"
    cut.write_bytes(data[len(data) // 3 // 188 * 188 :])
    assert 10 < len(read(cut)) < 40
    assert 10 < len(read(with_edit_list(write_video(tmp_path / "v.mp4", 40)))) <= 40


def with_edit_list(path: Path) -> Path:
    edited = path.with_name("edited.mp4")
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    with av.open(str(path)) as whole, av.open(str(edited), "w", options=options) as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None and packet.pts is not None and packet.time_base is not None:
                shift = int(0.3 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                out.mux(packet)
    return edited


@pytest.mark.parametrize(
    ("name", "codec", "movflags"),
    [
        ("front.mp4", "libx264", "faststart"),
        ("fragments.mp4", "libx264", "frag_keyframe+empty_moov"),
        ("matroska.mkv", "libx264", ""),
        ("flash.flv", "libx264", ""),
        ("old.avi", "mpeg4", ""),
    ],
)
def test_truncated_video_gives_the_frames_before_the_cut(tmp_path: Path, name: str, codec: str, movflags: str) -> None:
    path = write_video(tmp_path / name, 60, codec=codec, movflags=movflags)
    whole = read(path)
    frames, message = read_to_damage(cut_short(path, 0.6))
    assert 15 < len(frames) < 50
    for frame, intact in zip(frames, whole, strict=False):
        np.testing.assert_array_equal(frame.image, intact.image)
    assert f"after {len(frames)} frames" in message
    assert "ffmpeg" in message


@pytest.mark.parametrize("name", ["flipped.mp4", "flipped.mkv", "flipped.ts"])
def test_flipped_bits_end_the_video(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, 60)
    whole = read(path)
    frames, _ = read_to_damage(flip_bits(path, 0.5, 0.6))
    assert 20 < len(frames) < 45
    for frame, intact in zip(frames[:20], whole, strict=False):
        np.testing.assert_array_equal(frame.image, intact.image)


def test_without_pyav_opencv_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "v.mp4", 40, movflags="faststart")
    expected = read(path)
    cut = cut_short(path, 0.6)
    sound = write_video(tmp_path / "sound.mkv", 20, sound_s=2.0)
    monkeypatch.setitem(sys.modules, "tracker.sources.video", None)
    frames = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx([frame.time_s for frame in expected], abs=1e-3)
    assert max(abs(a.image.astype(int) - b.image).mean() for a, b in zip(frames, expected, strict=True)) < 2
    assert 15 < len(read_to_damage(cut)[0]) < 40
    assert len(read(sound)) == 20
    with pytest.raises(SourceError, match="no readable video"):
        read(__file__)


def test_folder_is_read_in_natural_order_and_skips_other_files(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "pictures", 12)
    (folder / "groundtruth.txt").write_text("1,2,3,4\n")
    with open_source(str(folder)) as source:
        assert (source.name, source.frame_count, source.fps) == ("pictures", 12, None)
        frames = list(source)
    for frame in frames:
        np.testing.assert_array_equal(frame.image, picture(frame.index))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(12) / 25)


def test_glob_takes_what_matches(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "pictures", 12)
    assert len(read(folder / "1*.png")) == 3
    assert read(tmp_path / "*" / "11.png")[0].image.shape == (SIZE[1], SIZE[0], 3)


def test_one_image_is_a_source_of_one_frame(tmp_path: Path) -> None:
    assert len(read(write_images(tmp_path / "pictures", 1) / "0.png")) == 1


# Grey, alpha and 16-bit images come as 8-bit BGR.
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 4)])
def test_images_of_other_kinds_are_converted(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "kinds").mkdir()
    cv2.imwrite(str(tmp_path / "kinds" / "a.png"), np.full(shape, 40_000, np.uint16))
    image = read(tmp_path / "kinds")[0].image
    assert image.shape == (20, 30, 3)
    assert image.dtype == np.uint8


def test_unreadable_image_is_named(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "pictures", 4)
    cut = cut_short(folder / "2.png", 0.5)
    cut.replace(folder / "2.png")
    frames, message = read_to_damage(folder)
    assert len(frames) == 2
    assert str(folder / "2.png") in message
    (folder / "0.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"0\.png"):
        open_source(str(folder))


def make_bad_sources(folder: Path) -> dict[str, str]:
    """Sources that cannot be opened, with a word of the message each must bring."""
    (folder / "text.mp4").write_text("this is no video\n")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "nothing").mkdir()
    no_index = cut_short(write_video(folder / "v.mp4", 20), 0.6)
    with av.open(str(folder / "sound.wav"), "w") as out:
        sound = out.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        silence.sample_rate = 8000
        out.mux(sound.encode(silence))
    return {
        str(folder / "sound.wav"): "no video stream",
        str(folder / "missing.mp4"): "no such file",
        str(folder / "text.mp4"): "no readable video",
        str(folder / "empty.mp4"): "no readable video",
        str(no_index): "cut short",
        str(folder / "nothing"): "holds no images",
        str(folder / "*.png"): "no image matches",
        "97": "camera 97",
        "rtsp://user:secret@127.0.0.1:9/live": "no video stream answers",
        " ": "no source given",
    }


def test_bad_sources_bring_one_line_that_helps(tmp_path: Path) -> None:
    for source, words in make_bad_sources(tmp_path).items():
        with pytest.raises(SourceError) as caught:
            open_source(source)
        message = str(caught.value)
        assert words in message
        assert "\n" not in message
        assert "secret" not in message


class Pictures(http.server.BaseHTTPRequestHandler):
    """A camera's stream of JPEG pictures, each brighter than the one before, as fast as they are taken."""

    done: threading.Event

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        try:
            for level in range(250):
                _, data = cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))
                head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data.tobytes() + b"\r\n")
                self.wfile.flush()
                time.sleep(0.002)
        except OSError:
            pass
        self.done.set()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def stream() -> Iterator[tuple[str, threading.Event]]:
    Pictures.done = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/camera", Pictures.done
    server.shutdown()
    server.server_close()


def test_live_stream_keeps_only_the_newest_frame(stream: tuple[str, threading.Event]) -> None:
    address, done = stream
    with open_source(address) as source:
        levels = [float(source.first().image.mean())]
        assert done.wait(30)  # the stream ran on while nobody took its frames
        time.sleep(1)  # what is on its way arrives
        frames = list(source)
    levels += [float(frame.image.mean()) for frame in frames[1:]]
    assert levels == sorted(levels)
    assert len(levels) < 100  # of 250: the others were replaced by newer ones
    assert levels[-1] > 200
    assert [frame.index for frame in frames] == list(range(len(frames)))
