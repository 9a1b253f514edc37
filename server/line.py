"""The line to one visitor: messages in and out, at a bounded pace, and never waiting for somebody who has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.websockets import WebSocket, WebSocketDisconnect

from server.limits import Limits, Pace
from server.protocol import Ack, ClientMessage, Error, ProtocolError, ServerMessage, pack_frame, parse_message

MOST_LATE = 200
"""Messages in a row that may have to wait. No page of ours goes on so, and only behind them is it heard that the
visitor has left."""


class Goodbye(Exception):
    """The visitor has left, or does not take what is sent."""


class Line:
    """A WebSocket that speaks the protocol.

    Args:
        socket: accepted.
        limits: of texts and times.
    """

    def __init__(self, socket: WebSocket, limits: Limits) -> None:
        self._socket = socket
        self._limits = limits
        self._pace = Pace(limits.messages_per_second, reserve=40)
        # One comes with each frame of the server's.
        self._ack_pace = Pace(limits.frames_per_second, reserve=40)
        self._late = 0

    async def receive(self) -> ClientMessage | bytes:
        """The visitor's next message: a text understood, or a binary one as it came.

        Raises:
            Goodbye: there is none.
            ProtocolError: it is no message of ours.
        """
        try:
            message = await self._socket.receive()
        except (WebSocketDisconnect, RuntimeError, OSError):
            raise Goodbye from None
        if message["type"] != "websocket.receive":
            raise Goodbye
        data = message.get("bytes")
        if data is not None:
            return bytes(data)
        text = message.get("text") or ""
        if len(text) > self._limits.text_bytes:
            raise ProtocolError(f"a text of {len(text)} characters: at most {self._limits.text_bytes} are taken")
        parsed = parse_message(text)
        wait = (self._ack_pace if isinstance(parsed, Ack) else self._pace).wait()
        self._late = self._late + 1 if wait else 0
        if self._late > MOST_LATE:
            raise ProtocolError("messages come faster than they are taken")
        await asyncio.sleep(wait)
        return parsed

    async def send(self, message: ServerMessage) -> None:
        """Sends a text message.

        Raises:
            Goodbye: it is not taken in time.
        """
        await self._deliver(self._socket.send_text(message.model_dump_json()))

    async def send_frame(self, number: int, ms: int, jpeg: bytes) -> None:
        """Sends a frame of the server's.

        Raises:
            Goodbye: it is not taken in time.
        """
        await self._deliver(self._socket.send_bytes(pack_frame(number, ms, jpeg)))

    async def part(self, message: str, code: int) -> None:
        """Says why, and closes the connection."""
        await self.close(Error(message=message, fatal=True), code)

    async def close(self, last: ServerMessage, code: int) -> None:
        """Closes the connection after a last message; whether it arrives is not waited for long."""
        try:
            await self.send(last)
            await self._deliver(self._socket.close(code))
        except Goodbye:
            pass

    async def _deliver(self, sending: Awaitable[None]) -> None:
        try:
            await asyncio.wait_for(sending, self._limits.send_s)
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            raise Goodbye from None
