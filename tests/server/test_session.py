"""A visit: targets, their results, and what happens when things come in the wrong order."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("python_multipart", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

from starlette.websockets import WebSocketDisconnect

from server.batching import Batcher, Tracked
from tests.server.visitor import Client, Visitor, clip, overlap, truth
from tracker.config import TrackerConfig
from tracker.state import State

BLANK = np.full_like(clip()[0], 128)


def closed_after_error(visitor: Visitor) -> str:
    """The reason for which the server closes the connection."""
    error = visitor.hear()
    assert (error["type"], error["fatal"]) == ("error", True)
    with pytest.raises(WebSocketDisconnect):
        visitor.hear()
    return str(error["message"])


def test_a_target_is_tracked_and_described(client: Client) -> None:
    with Visitor(client) as visitor:
        assert visitor.welcome["limits"]["targets"] == 2
        assert visitor.show(clip()[0], 7) | {"ms": 0} == {
            "type": "result",
            "frame": 7,
            "ms": 0,
            "targets": [],
            "energy": None,
        }
        assert visitor.add(truth(0)) == {"type": "added", "target": 1}
        for index in range(1, 12):
            result = visitor.show(clip()[index], index)
            (target,) = result["targets"]
            assert (result["frame"], target["id"], target["present"], target["event"]) == (index, 1, True, None)
            assert overlap(target["box"], truth(index)) > 0.6
        x, y, w, h = target["box"]
        weights = [sample[4] for sample in target["samples"]]
        assert len(weights) == 64
        assert weights == sorted(weights, reverse=True)
        assert 0.5 < sum(weights) <= 1.001
        assert overlap(target["samples"][0][:4], target["box"]) > 0.5
        low, high = target["interval"]
        centre = (x + w / 2, y + h / 2)
        assert all(low[i] - 5 < centre[i] < high[i] + 5 for i in range(2))
        assert all(0 < spread < 40 for spread in target["spread"])
        left, top, side = target["region"]
        assert left < x < x + w < left + side
        assert top < y < y + h < top + side


def test_lost_and_found_are_said_once_each(client: Client) -> None:
    events: list[tuple[int, str]] = []
    with Visitor(client) as visitor:
        visitor.show(clip()[0])
        visitor.add(truth(0))
        for index in range(1, 24):
            image = BLANK if 5 <= index < 12 else clip()[index]
            (target,) = visitor.show(image, index)["targets"]
            if target["event"]:
                events.append((index, target["event"]))
            assert target["present"] is (target["presence"] >= 0.5)
    (lost, first), (found, second) = events
    assert (first, second) == ("lost", "found")
    assert 5 <= lost < 10
    assert found >= 12


def test_targets_come_and_go_under_numbers_of_their_own(client: Client) -> None:
    with Visitor(client) as visitor:
        visitor.show(clip()[0])
        assert visitor.add(truth(0))["target"] == 1
        assert visitor.add([200, 40, 60, 60])["target"] == 2
        assert "2 targets are tracked already" in visitor.add([10, 10, 20, 20])["message"]
        assert [target["id"] for target in visitor.show(clip()[1])["targets"]] == [1, 2]
        visitor.say(type="remove", target=1)
        (left,) = visitor.show(clip()[2])["targets"]
        assert left["id"] == 2
        assert overlap(left["box"], [200, 40, 60, 60]) > overlap(left["box"], truth(2))
        assert visitor.add(truth(2))["target"] == 3
        both = visitor.show(clip()[3])["targets"]
        assert [target["id"] for target in both] == [2, 3]
        assert overlap(both[1]["box"], truth(3)) > 0.5
        visitor.say(type="reset")
        assert visitor.show(clip()[4])["targets"] == []


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ([500, 10, 20, 20], "outside the frame"),
        ([10, 10, 0, 20], "no size"),
        ([10, 10, -5, 20], "no size"),
        ([383.9, 10, 20, 20], "less than 1 pixel"),
        ([1e300, 1e300, 1e300, 1e300], "outside the frame"),
    ],
)
def test_a_box_that_cannot_be_used_is_told(client: Client, box: list[float], words: str) -> None:
    with Visitor(client) as visitor:
        assert "send a frame before" in visitor.add([1, 2, 30, 40])["message"]
        visitor.show(clip()[0])
        answer = visitor.add(box)
        assert (answer["type"], answer["fatal"]) == ("error", False)
        assert words in answer["message"]
        assert visitor.add([-20, -20, 80, 80])["type"] == "added"  # cut off at the frame's edge


def test_the_energy_map_comes_on_demand_and_is_highest_at_the_target(client: Client) -> None:
    with Visitor(client) as visitor:
        visitor.show(clip()[0])
        visitor.add(truth(0))
        assert visitor.show(clip()[1])["energy"] is None
        visitor.say(type="energy", target=1)
        energy = visitor.show(clip()[2])["energy"]
        assert energy["target"] == 1
        values = np.reshape(energy["values"], (energy["size"], energy["size"]))
        assert (values.min(), values.max()) == (0, 1)
        row, column = np.unravel_index(values.argmax(), values.shape)
        left, top, side = energy["region"]
        x, y, w, h = truth(2)
        assert abs(left + (column + 0.5) / energy["size"] * side - (x + w / 2)) < 0.3 * w
        assert abs(top + (row + 0.5) / energy["size"] * side - (y + h / 2)) < 0.3 * h
        visitor.say(type="energy", target=None)
        assert visitor.show(clip()[3])["energy"] is None
        visitor.say(type="energy", target=9)
        assert "no target 9" in visitor.hear()["message"]


def test_pause_holds_the_targets_where_they_are(client: Client) -> None:
    with Visitor(client) as visitor:
        visitor.show(clip()[0])
        visitor.add(truth(0))
        (before,) = visitor.show(clip()[1])["targets"]
        visitor.say(type="pause", on=True)
        assert visitor.show(BLANK)["targets"] == [before]
        visitor.say(type="pause", on=False)
        (after,) = visitor.show(clip()[2])["targets"]
        assert overlap(after["box"], truth(2)) > 0.6


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([b"\0" * 20], "the first message must be hello"),
        ([{"type": "reset"}], "the first message must be hello"),
        ([{"type": "hello", "version": 2}], "version 1"),
        ([{"type": "hello", "version": 1}, {"type": "hello", "version": 1}], "hello was said before"),
        ([{"type": "hello", "version": 1}, b""], "8 bytes of header"),
        ([{"type": "hello", "version": 1}, b"\0" * 40], "no JPEG"),
        ([{"type": "hello", "version": 1}, b"\0" * 300_000], "at most 200000 are taken"),
        ([{"type": "hello", "version": 1}, {"type": "fly"}], "not a message"),
        ([{"type": "hello", "version": 1}, {"type": "source", "kind": "upload", "id": "x" * 5000}], "at most 4096"),
    ],
)
def test_what_no_page_sends_ends_the_visit(client: Client, messages: list[Any], words: str) -> None:
    visitor = Visitor(client)
    with visitor._context as visitor.socket:
        for message in messages:
            if isinstance(message, bytes):
                visitor.socket.send_bytes(message)
            else:
                visitor.say(**message)
        if messages[0] == {"type": "hello", "version": 1}:
            assert visitor.hear()["type"] == "welcome"
        assert words in closed_after_error(visitor)


def test_mistakes_do_not_end_the_visit(client: Client) -> None:
    with Visitor(client) as visitor:
        for message in (
            {"type": "remove", "target": 5},
            {"type": "record", "on": False},
            {"type": "source", "kind": "upload", "id": "none"},
            {"type": "source", "kind": "camera", "index": 0},
        ):
            visitor.say(**message)
            answer = visitor.hear()
            assert (answer["type"], answer["fatal"], answer["to"]) == ("error", False, message["type"])
        visitor.say(type="ack", frame=12)
        assert visitor.show(clip()[0])["type"] == "result"


def test_who_was_out_of_sight_for_a_while_is_searched_everywhere(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a pause, and between the frame that a box was drawn in and the next one."""
    waited: list[int] = []
    advance = Batcher.advance

    async def watched(batcher: Batcher, visitor: int, state: State, *rest: Any) -> Tracked:
        waited.extend(state.lost.tolist())
        return await advance(batcher, visitor, state, *rest)

    monkeypatch.setattr(Batcher, "advance", watched)
    with Visitor(client) as visitor:
        visitor.show(clip()[0])
        visitor.add(truth(0))
        visitor.show(clip()[1])
        visitor.show(clip()[2])
        visitor.say(type="pause", on=True)
        visitor.say(type="pause", on=False)
        visitor.show(clip()[3])
    next_frame = TrackerConfig().search_after - 1
    assert waited == [next_frame, 0, next_frame]
