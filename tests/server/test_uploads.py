"""Uploaded videos: bounded, no play lists, played frame by frame, removed."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("python_multipart", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

from server.app import Settings, create_app
from server.limits import Limits
from server.protocol import unpack_frame
from server.uploads import Uploads
from tests.clips import BOX, cut_short, write_video
from tests.server.visitor import BASE, Client, Visitor, overlap
from tracker.online import Tracker


def send(client: Client, data: bytes, name: str = "film.mp4") -> Any:
    return client.post("/upload", files={"file": (name, data, "video/mp4")})


def folder(client: Client) -> Path:
    """Where the server keeps uploads."""
    return Path(client.app.state.running.services.uploads._folder)  # type: ignore[attr-defined]


def removed_soon(client: Client) -> bool:
    """Whether all uploads go, once the server has seen that their visitors have left."""
    for _ in range(100):
        if not list(folder(client).iterdir()):
            return True
        time.sleep(0.05)
    return False


def play(visitor: Visitor, frames: int) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """The server's frames with their results, acknowledged."""
    got = []
    for _ in range(frames):
        number, _, jpeg = unpack_frame(visitor.socket.receive_bytes())
        result = visitor.hear()
        assert result["frame"] == number
        image = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
        got.append((image, result))
        visitor.say(type="ack", frame=number)
    return got


def test_an_uploaded_video_is_played_and_tracked(client: Client, tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mp4", frames=12).read_bytes()
    key = send(client, video).json()["id"]
    assert [path.name for path in folder(client).iterdir()] == [key]
    with Visitor(client) as visitor:
        visitor.say(type="source", kind="upload", id=key)
        number, _, _ = unpack_frame(visitor.socket.receive_bytes())
        assert visitor.hear()["targets"] == []
        assert visitor.add(list(BOX))["target"] == 1  # not acknowledged: the first frame stands still
        visitor.say(type="ack", frame=number)
        shown = play(visitor, 11)
        assert shown[0][0].shape == (72, 96, 3)
        (target,) = shown[-1][1]["targets"]
        assert overlap(target["box"], [BOX[0] + 11, *BOX[1:]]) > 0.5
        assert "the video is over" in visitor.hear()["message"]
        visitor.say(type="source", kind="upload", id=key)
        assert "upload it again" in visitor.hear()["message"]
        assert list(folder(client).iterdir()) == []


def test_a_video_stands_still_while_paused_and_goes_with_its_visitor(client: Client, tmp_path: Path) -> None:
    key = send(client, write_video(tmp_path / "film.mp4", frames=20).read_bytes()).json()["id"]
    with Visitor(client) as visitor:
        visitor.say(type="source", kind="upload", id=key)
        (first,) = play(visitor, 1)
        visitor.say(type="pause", on=True)
        visitor.say(type="remove", target=9)
        rest = visitor.socket.receive()  # the pause may have come after one more frame
        if "text" not in rest:
            visitor.hear()
            rest = visitor.socket.receive()
        assert "no target 9" in rest["text"]
        visitor.say(type="pause", on=False)
        visitor.say(type="ack", frame=2)
        assert first[1]["frame"] == 1
        assert unpack_frame(visitor.socket.receive_bytes())[0] in (2, 3)
    assert removed_soon(client)


def test_a_damaged_video_is_played_up_to_its_damage(client: Client, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "film.mp4", frames=20, movflags="faststart")
    key = send(client, cut_short(whole, 0.6).read_bytes()).json()["id"]
    with Visitor(client) as visitor:
        visitor.say(type="source", kind="upload", id=key)
        message = visitor.socket.receive()
        while message.get("bytes"):
            result = visitor.hear()
            visitor.say(type="ack", frame=result["frame"])
            message = visitor.socket.receive()
        assert "damaged from here on" in message["text"]
        assert str(folder(client)) not in message["text"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_upload_is_refused_while_it_comes(client: Client, declared: bool) -> None:
    taken = 0

    def body() -> Iterator[bytes]:
        nonlocal taken
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.mp4"\r\n\r\n'
        for _ in range(40):
            taken += 50_000
            yield bytes(50_000)
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    if declared:
        headers["content-length"] = "2000000"
    answer = client.post("/upload", content=body(), headers=headers)
    assert answer.status_code == 413
    assert "larger than" in answer.json()["detail"]
    assert list(folder(client).iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{video}\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile {name}\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 33\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file://{video}</BaseURL></MPD>',
    ],
)
def test_what_is_no_video_or_names_other_files_is_refused(client: Client, tmp_path: Path, content: bytes) -> None:
    video = write_video(tmp_path / "private.ts", frames=3, codec="mpeg2video")
    (folder(client) / "other").write_bytes(video.read_bytes())
    try:
        filled = content.replace(b"{video}", str(video).encode()).replace(b"{name}", b"other")
        answer = send(client, filled)
        assert answer.status_code in (400, 415), answer.json()
        assert [path.name for path in folder(client).iterdir()] == ["other"]
    finally:
        (folder(client) / "other").unlink()


def test_a_request_that_is_no_form_is_refused(client: Client) -> None:
    assert client.post("/upload", content=b"x").status_code == 400
    assert client.post("/upload", data={"file": "text"}).status_code == 400
    bad = client.post("/upload", content=b"x", headers={"content-type": "multipart/form-data; boundary=b"})
    assert bad.status_code == 400


def test_everything_is_removed_with_the_server(tracker: Tracker, tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mp4", frames=3).read_bytes()
    limits = Limits(visitors=1, upload_s=100)
    with Client(create_app(tracker, Settings(limits=limits)), base_url=BASE) as client:
        kept = folder(client)
        assert [send(client, video).status_code for _ in range(3)] == [200, 200, 503]
        uploads: Uploads = client.app.state.running.services.uploads  # type: ignore[attr-defined]
        uploads.sweep(now=1e12)
        assert list(kept.iterdir()) == []
        assert send(client, video).status_code == 200
    assert not kept.parent.exists()
