"""Recordings: they hold what was shown, and go in time."""

import csv
import errno
from io import StringIO
from pathlib import Path

import av
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("python_multipart", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

from server.limits import Limits
from server.protocol import HEADER
from server.recording import Recordings, VisitRecording
from tests.server.visitor import Client, Visitor, clip, jpeg, truth


def test_a_recording_holds_what_was_shown(client: Client, tmp_path: Path) -> None:
    shown: list[tuple[int, int, list[float], float]] = []
    with Visitor(client) as visitor:
        visitor.show(clip()[0])
        visitor.add(truth(0))
        visitor.say(type="record", on=True)
        for index in range(1, 8):
            if index == 4:
                visitor.add([200, 40, 60, 60])
            if index == 6:
                visitor.say(type="remove", target=1)
            for target in visitor.show(clip()[index], index)["targets"]:
                shown.append((index - 1, target["id"], target["box"], target["presence"]))
        visitor.say(type="record", on=False)
        answer = visitor.hear()
    assert answer["type"] == "recorded"
    assert set(answer["files"]) == {"annotated.mp4", "boxes.csv", "tracks.mot.txt"}
    got = {name: client.get(address) for name, address in answer["files"].items()}  # also after the visit
    rows = list(csv.DictReader(StringIO(got["boxes.csv"].text)))
    assert [(int(row["frame"]), int(row["target"])) for row in rows] == [entry[:2] for entry in shown]
    for row, (_, _, box, presence) in zip(rows, shown, strict=True):
        assert [float(row[name]) for name in "xywh"] == pytest.approx(box, abs=1e-3)
        assert float(row["presence"]) == pytest.approx(presence, abs=1e-3)
        assert float(row["cx_low"]) <= float(row["cx_high"])
    mot = [line.split(",") for line in got["tracks.mot.txt"].text.splitlines()]
    assert [(int(line[0]) - 1, int(line[1])) for line in mot] == [entry[:2] for entry in shown]
    video = tmp_path / "annotated.mp4"
    video.write_bytes(got["annotated.mp4"].content)
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 7
    assert got["annotated.mp4"].headers["content-type"] == "video/mp4"


def test_a_recording_that_was_not_ended_is_ended_with_the_visit(client: Client) -> None:
    with Visitor(client) as visitor:
        visitor.say(type="record", on=True)
        visitor.show(clip()[0])
        visitor.say(type="record", on=True)
        assert "on already" in visitor.hear()["message"]
    with Visitor(client) as visitor:
        assert visitor.show(clip()[0])["type"] == "result"


def test_another_source_ends_the_recording(client: Client) -> None:
    """Its pictures have another size, and its times another beginning."""
    with Visitor(client) as visitor:
        visitor.say(type="record", on=True)
        visitor.show(clip()[0])
        visitor.say(type="source", kind="page")
        files = visitor.hear()["files"]
        assert client.get(files["annotated.mp4"]).status_code == 200
        visitor.say(type="record", on=True)
        assert visitor.show(clip()[0])["type"] == "result"


@pytest.mark.parametrize("step", ["write", "finish"])
def test_a_full_disk_ends_the_recording_and_not_the_visit(
    client: Client, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with Visitor(client) as visitor:
        visitor.say(type="record", on=True)
        visitor.show(clip()[0])

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(VisitRecording, step, full)
        if step == "write":
            visitor.socket.send_bytes(HEADER.pack(1, 0) + jpeg(clip()[1]))
        else:
            visitor.say(type="record", on=False)
        files = visitor.hear()["files"]  # what the disk took
        assert client.get(files["boxes.csv"]).status_code == 200
        assert "disk is full" in visitor.hear()["message"]
        if step == "write":
            assert visitor.hear()["type"] == "result"
        assert visitor.show(clip()[2])["type"] == "result"


def test_recordings_are_kept_for_a_while_and_not_too_many(tmp_path: Path) -> None:
    store = Recordings(tmp_path, Limits(visitors=1, recordings=2, kept_s=100))
    keys = []
    for _ in range(3):
        key, folder = store.begin(1)
        (folder / "boxes.csv").write_text("frame\n")
        (folder / "secret.txt").write_text("")
        keys.append(key)
    assert store.file(keys[0], "boxes.csv") is None
    assert store.file(keys[1], "boxes.csv") is not None
    assert store.file(keys[1], "secret.txt") is None
    assert store.file(keys[1], "annotated.mp4") is None
    other, _ = store.begin(2)
    store.leave(1, now=1000)
    store.sweep(now=1099)
    assert store.file(keys[2], "boxes.csv") is not None
    store.sweep(now=1100)
    assert [path.name for path in tmp_path.iterdir()] == [other]
