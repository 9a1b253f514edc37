"""What the page and the server say to each other over the WebSocket, version 1.

Text messages are JSON objects with a ``type``. Binary messages are frames: a header of two little-endian uint32, the
frame's number and its milliseconds of capture on the sender's clock, and a JPEG. All boxes are (x, y, w, h) in 0-based
pixels of the frame. docs/serve.md describes who says what when.
"""

from __future__ import annotations

import struct
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

VERSION = 1
HEADER = struct.Struct("<II")

Box = tuple[float, float, float, float]


class ProtocolError(Exception):
    """A message that no page of ours sends; the connection ends with it."""


class Message(BaseModel):
    """A message; numbers are finite and other keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Hello(Message):
    """The first message."""

    type: Literal["hello"]
    version: int


class Add(Message):
    """A new target, in the frame that was sent last."""

    type: Literal["add"]
    box: Box


class Remove(Message):
    """One target goes."""

    type: Literal["remove"]
    target: int


class Reset(Message):
    """All targets go."""

    type: Literal["reset"]


class WantEnergy(Message):
    """An energy map of this target with each result from now on; none where it is null."""

    type: Literal["energy"]
    target: int | None


class Record(Message):
    """Begins or ends a recording."""

    type: Literal["record"]
    on: bool


class PageSource(Message):
    """Frames come from the page."""

    type: Literal["source"]
    kind: Literal["page"]


class UploadSource(Message):
    """Frames come from a video that was uploaded."""

    type: Literal["source"]
    kind: Literal["upload"]
    id: Annotated[str, Field(max_length=64)]


class CameraSource(Message):
    """Frames come from a camera of the machine."""

    type: Literal["source"]
    kind: Literal["camera"]
    index: int


class Ack(Message):
    """The page has shown this frame of the server's, and takes the next."""

    type: Literal["ack"]
    frame: int


class Pause(Message):
    """Tracking stops or goes on, and so do the server's frames."""

    type: Literal["pause"]
    on: bool


SourceMessage = Annotated[PageSource | UploadSource | CameraSource, Field(discriminator="kind")]
ClientMessage = Hello | Add | Remove | Reset | WantEnergy | Record | SourceMessage | Ack | Pause
_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


class Bounds(Message):
    """What the server takes, for the page to keep to."""

    frame_bytes: int
    """JPEG of one frame."""
    frame_side: int
    """Longest side of a frame in pixels."""
    targets: int
    """At a time."""
    upload_bytes: int
    frames_per_second: float
    """Faster ones wait."""
    recordings: int
    """Kept of one visitor; a further one replaces the oldest."""


class Welcome(Message):
    """The answer to `Hello`."""

    type: Literal["welcome"] = "welcome"
    version: int = VERSION
    limits: Bounds
    cameras: tuple[int, ...]
    """Of the machine, that may be chosen as source."""


class Full(Message):
    """There are as many visitors as the server takes; the connection closes."""

    type: Literal["full"] = "full"
    message: str


class Error(Message):
    """A mistake; after a fatal one the connection closes."""

    type: Literal["error"] = "error"
    message: str
    fatal: bool = False
    to: str | None = None
    """Type of the visitor's message that it answers; None where it answers none."""


class Added(Message):
    """The answer to `Add`."""

    type: Literal["added"] = "added"
    target: int


class Recorded(Message):
    """The end of a recording: addresses by file name, of this session alone."""

    type: Literal["recorded"] = "recorded"
    files: dict[str, str]


class TargetResult(Message):
    """What is known of one target in one frame."""

    id: int
    box: Box
    """The estimate; the best guess while the target is thought absent."""
    presence: float
    present: bool
    event: Literal["lost", "found"] | None
    """What changed with this frame."""
    spread: Box
    """Standard deviations of the posterior over cx, cy, w and h, pixels."""
    interval: tuple[Box, Box]
    """Ends of the central 90 % intervals of cx, cy, w and h."""
    region: tuple[float, float, float]
    """(x, y, side) of the search region, a square, by its left upper corner."""
    samples: tuple[tuple[float, float, float, float, float], ...]
    """(x, y, w, h, weight) of the heaviest samples of the posterior, the heaviest first."""


class EnergyMap(Message):
    """The score over positions in a target's search region, at the target's size."""

    target: int
    region: tuple[float, float, float]
    """As in `TargetResult`."""
    size: int
    """Rows, and as many columns."""
    values: tuple[float, ...]
    """Row by row from the top; 1 where the score is highest and 0 where it is lowest."""


class Result(Message):
    """The answer to a frame, or what follows a frame of the server's."""

    type: Literal["result"] = "result"
    frame: int
    ms: float
    """The server's time for this frame."""
    targets: tuple[TargetResult, ...]
    energy: EnergyMap | None = None


ServerMessage = Welcome | Full | Error | Added | Recorded | Result


def parse_message(text: str) -> ClientMessage:
    """The message that a text is.

    Raises:
        ProtocolError: it is none.
    """
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProtocolError(f"not a message of protocol {VERSION}: {where} {first['msg']}".strip()) from None


def pack_frame(number: int, ms: int, jpeg: bytes) -> bytes:
    """A binary message; number and milliseconds wrap around at 2^32."""
    return HEADER.pack(number % 2**32, ms % 2**32) + jpeg


def unpack_frame(data: bytes) -> tuple[int, int, bytes]:
    """Number, milliseconds of capture and JPEG of a binary message.

    Raises:
        ProtocolError: it is shorter than its header.
    """
    if len(data) <= HEADER.size:
        raise ProtocolError(f"a frame is {HEADER.size} bytes of header and a JPEG, got {len(data)} bytes")
    number, ms = HEADER.unpack_from(data)
    return number, ms, data[HEADER.size :]
