"""A visitor of the server, as tests play it."""

import json
import warnings
from functools import cache
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ebtrack.clip import CLIP_PATH, read_truth
from server.protocol import HEADER
from tracker.sources import open_source

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the client's own wish for another name of httpx
    from starlette.testclient import TestClient as Client

BASE = "http://127.0.0.1"
SOCKET = "ws://127.0.0.1/ws"


def jpeg(image: NDArray[Any]) -> bytes:
    """A baseline JPEG."""
    return cv2.imencode(".jpg", image)[1].tobytes()


@cache
def clip(frames: int = 40) -> list[NDArray[np.uint8]]:
    """The first frames of the bundled clip."""
    with open_source(str(CLIP_PATH)) as source:
        return [frame.image for frame, _ in zip(source, range(frames), strict=False)]


def truth(index: int) -> list[float]:
    """The cup's box (x, y, w, h) in a frame of the clip."""
    return [float(value) for value in read_truth()[index]]


def overlap(a: list[float], b: list[float]) -> float:
    """IoU of two boxes (x, y, w, h)."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inside = max(w, 0.0) * max(h, 0.0)
    return inside / (a[2] * a[3] + b[2] * b[3] - inside)


class Visitor:
    """Says hello on entering; the methods give the server's answers."""

    def __init__(self, client: Client, url: str = SOCKET) -> None:
        self._context = client.websocket_connect(url)
        self.welcome: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.socket = self._context.__enter__()
        self.say(type="hello", version=1)
        self.welcome = self.hear()
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)

    def say(self, **message: Any) -> None:
        """Sends a text message."""
        self.socket.send_text(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        """The next text message."""
        heard: dict[str, Any] = json.loads(self.socket.receive_text())
        return heard

    def show(self, image: NDArray[np.uint8], number: int = 0) -> dict[str, Any]:
        """The result of a frame."""
        self.socket.send_bytes(HEADER.pack(number, 0) + jpeg(image))
        return self.hear()

    def add(self, box: list[float]) -> dict[str, Any]:
        """The answer to a new target."""
        self.say(type="add", box=box)
        return self.hear()
