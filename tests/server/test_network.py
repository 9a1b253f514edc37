"""A server on a real port: what comes in pieces, too large, half closed or as noise harms nobody else."""

import asyncio
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("uvicorn", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("websockets", reason='the server needs pip install "ebtrack[dev,serve]"')

import uvicorn
from starlette.websockets import WebSocketState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from server.app import Settings, create_app
from server.limits import Limits
from server.line import Goodbye, Line
from server.protocol import HEADER, Added, ProtocolError
from server.run import Address, configured
from tests.server.visitor import clip, jpeg, overlap, truth
from tracker.online import Tracker

LIMITS = Limits(visitors=3, frame_bytes=100_000, hello_s=0.5, messages_per_second=1000)
HELLO = '{"type":"hello","version":1}'


@pytest.fixture(scope="module")
def port(tracker: Tracker) -> Iterator[int]:
    settings, address = Settings(limits=LIMITS), Address(port=0)
    with address.listen() as bound:
        server = uvicorn.Server(configured(create_app(tracker, settings), settings, address))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        yield int(bound.getsockname()[1])
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def visit(port: int, hello: bool = True) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{port}/ws", compression=None, open_timeout=5, close_timeout=1) as line:
        if hello:
            line.send(HELLO)
            assert json.loads(line.recv(5))["type"] == "welcome"
        yield line


def ask(line: ClientConnection, message: str | bytes) -> dict[str, Any]:
    line.send(message)
    heard: dict[str, Any] = json.loads(line.recv(10))
    return heard


class Bystander:
    """A visitor who tracks the cup while others misbehave."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._index = 0
        ask(line, HEADER.pack(0, 0) + jpeg(clip()[0]))
        assert ask(line, json.dumps({"type": "add", "box": truth(0)}))["type"] == "added"

    def goes_on(self) -> bool:
        """Whether the next frame is tracked well."""
        self._index += 1
        result = ask(self._line, HEADER.pack(self._index, 0) + jpeg(clip()[self._index]))
        return overlap(result["targets"][0]["box"], truth(self._index)) > 0.5


def handshake(port: int) -> socket.socket:
    """A bare connection upon which the server has agreed to speak WebSocket."""
    bare = socket.create_connection(("127.0.0.1", port), timeout=5)
    request = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    bare.sendall(request.encode())
    assert b"101" in bare.recv(4096)
    return bare


def frame(opcode: int, payload: bytes, length: int | None = None) -> bytes:
    """A final WebSocket frame, masked with zeros; its length may be a lie."""
    said = len(payload) if length is None else length
    return struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, said) + bytes(4) + payload


def noise(bare: socket.socket) -> None:
    bare.sendall(random.Random(0).randbytes(5000))


def lie_about_length(bare: socket.socket) -> None:
    bare.sendall(frame(2, b"x", 2**62))


def huge_frame(bare: socket.socket) -> None:
    bare.sendall(frame(1, HELLO.encode()))
    with suppress(OSError):
        bare.sendall(frame(2, bytes(3_000_000)))


def bad_text(bare: socket.socket) -> None:
    bare.sendall(frame(1, b"\xff\xfe\xfd"))


def close_the_sending_half(bare: socket.socket) -> None:
    bare.sendall(frame(1, HELLO.encode()))
    bare.shutdown(socket.SHUT_WR)


def stop_in_a_frame(bare: socket.socket) -> None:
    bare.sendall(frame(1, HELLO.encode()) + frame(2, bytes(50), 5000))


def reset(bare: socket.socket) -> None:
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def leave_while_it_is_tracked(bare: socket.socket) -> None:
    picture = HEADER.pack(0, 0) + jpeg(clip()[0])
    add = json.dumps({"type": "add", "box": truth(0)}).encode()
    bare.sendall(frame(1, HELLO.encode()) + frame(2, picture) + frame(1, add) + frame(2, picture))
    time.sleep(0.03)
    reset(bare)


def say_nothing(bare: socket.socket) -> None:
    del bare


TROUBLE = (
    noise,
    lie_about_length,
    huge_frame,
    bad_text,
    close_the_sending_half,
    stop_in_a_frame,
    reset,
    leave_while_it_is_tracked,
    say_nothing,
)


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_on_the_wire_leaves_others_alone(port: int, trouble: Callable[[socket.socket], None]) -> None:
    with visit(port) as line:
        bystander = Bystander(line)
        with handshake(port) as bare:
            trouble(bare)
            assert bystander.goes_on()
        assert bystander.goes_on()


def test_who_makes_trouble_leaves_no_place_taken(port: int) -> None:
    for _ in range(LIMITS.visitors + 1):
        with handshake(port) as bare:
            bare.settimeout(5)
            # Who does not even say hello is let go, by name of the reason.
            heard = b""
            while b"fatal" not in heard:
                more = bare.recv(4096)
                assert more, "closed without a word"
                heard += more
    with visit(port), visit(port), visit(port):
        pass


def test_random_messages_in_any_order_crash_nothing(port: int) -> None:
    choice = random.Random(1)
    good = [HEADER.pack(0, 0) + jpeg(clip()[0]), HEADER.pack(0, 0) + jpeg(np.zeros((9, 700, 3), np.uint8))]
    texts = [
        HELLO,
        json.dumps({"type": "add", "box": truth(0)}),
        '{"type":"add","box":[0,0,1e9,1e9]}',
        '{"type":"remove","target":1}',
        '{"type":"reset"}',
        '{"type":"energy","target":1}',
        '{"type":"energy","target":null}',
        '{"type":"record","on":true}',
        '{"type":"record","on":false}',
        '{"type":"source","kind":"page"}',
        '{"type":"source","kind":"upload","id":"../x"}',
        '{"type":"source","kind":"camera","index":3}',
        '{"type":"ack","frame":-1}',
        '{"type":"pause","on":true}',
        '{"type":"pause","on":false}',
    ]

    def message() -> str | bytes:
        kind = choice.random()
        if kind < 0.3:
            return choice.choice(good)
        if kind < 0.9:
            return choice.choice(texts)
        damaged = bytearray(choice.choice([good[0], choice.choice(texts).encode()]))
        damaged[choice.randrange(len(damaged))] = choice.randrange(256)
        return bytes(damaged) if kind < 0.95 else damaged.decode("latin-1")

    with visit(port) as line:
        bystander = Bystander(line)
        for _ in range(30):
            with suppress(ConnectionClosed, TimeoutError), visit(port) as wild:
                for _ in range(choice.randrange(1, 12)):
                    wild.send(message())
                while True:
                    heard = json.loads(wild.recv(0.05))
                    assert "the server made a mistake" not in heard.get("message", "")
        assert bystander.goes_on()


def test_who_connects_and_asks_for_nothing_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.run.REQUEST_S", 0.2)
    with visit(port) as line, socket.create_connection(("127.0.0.1", port), timeout=5) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: ")  # and no end of it
        with suppress(ConnectionError):
            assert silent.recv(1) == b""
        assert Bystander(line).goes_on()


class Talker:
    """A connection from which the same text comes without end."""

    def __init__(self, text: str) -> None:
        self._message = {"type": "websocket.receive", "text": text}

    async def receive(self) -> dict[str, Any]:
        return self._message


@pytest.mark.parametrize("text", ['{"type":"ack","frame":1}', '{"type":"reset"}'])
def test_who_talks_without_end_is_slowed_down_and_then_let_go(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("server.line.asyncio.sleep", sleep)
    line = Line(Talker(text), Limits())  # type: ignore[arg-type]

    async def listen() -> None:
        while True:
            await line.receive()

    with pytest.raises(ProtocolError, match="faster"):
        asyncio.run(listen())
    assert waited[:40] == [0] * 40
    assert waited[-1] > 0


class Stuck:
    """A connection whose other end takes nothing."""

    application_state = WebSocketState.CONNECTED

    async def send_text(self, text: str) -> None:
        await asyncio.sleep(3600)

    async def close(self, code: int) -> None:
        await asyncio.sleep(3600)


def test_who_takes_nothing_is_let_go() -> None:
    line = Line(Stuck(), Limits(send_s=0.02))  # type: ignore[arg-type]

    async def send() -> None:
        async with asyncio.timeout(5):
            with pytest.raises(Goodbye):
                await line.send(Added(target=1))
            await line.part("late", 1000)

    asyncio.run(send())
