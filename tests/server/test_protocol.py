"""Messages: what is understood, and that nothing else is."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limits import Pace
from server.protocol import Add, ProtocolError, UploadSource, WantEnergy, pack_frame, parse_message, unpack_frame

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "box", "on"]), inner),
    max_leaves=8,
)


@given(st.integers(0, 2**34), st.integers(0, 2**34), st.binary(min_size=1, max_size=32))
def test_a_frame_comes_back_as_it_was_packed(number: int, ms: int, jpeg: bytes) -> None:
    assert unpack_frame(pack_frame(number, ms, jpeg)) == (number % 2**32, ms % 2**32, jpeg)


def test_the_header_is_little_endian() -> None:
    assert pack_frame(1, 258, b"x") == bytes([1, 0, 0, 0, 2, 1, 0, 0]) + b"x"


@pytest.mark.parametrize("length", [0, 1, 8])
def test_a_frame_without_a_picture_is_refused(length: int) -> None:
    with pytest.raises(ProtocolError, match="8 bytes of header"):
        unpack_frame(bytes(length))


def test_messages_are_told_apart() -> None:
    assert parse_message('{"type":"add","box":[1,2,3,4.5]}') == Add(type="add", box=(1, 2, 3, 4.5))
    assert parse_message('{"type":"energy","target":null}') == WantEnergy(type="energy", target=None)
    upload = parse_message('{"type":"source","kind":"upload","id":"a"}')
    assert upload == UploadSource(type="source", kind="upload", id="a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type":"fly"}',
        '{"type":"add","box":[1,2,3]}',
        '{"type":"add","box":[1,2,3,1e999]}',
        '{"type":"add","box":[NaN,2,3,4]}',
        '{"type":"reset","all":true}',
        '{"type":"source","kind":"file","path":"/etc/passwd"}',
        '{"type":"source","kind":"upload","id":"' + 65 * "a" + '"}',
        100_000 * "[",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="not a message of protocol 1"):
        parse_message(text)


@given(JSON | st.text())
def test_no_text_raises_anything_but_a_protocol_error(value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    with suppress(ProtocolError):
        parse_message(text)


def test_pace_lets_a_few_through_at_once_and_then_spaces_them_out() -> None:
    pace = Pace(rate=10, reserve=3)
    waits = [pace.wait(now=100.0) for _ in range(6)]
    assert waits == pytest.approx([0, 0, 0, 0, 0.1, 0.2])
    assert pace.wait(now=200.0) == 0
