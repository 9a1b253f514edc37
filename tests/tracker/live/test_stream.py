"""A real stream over HTTP that is cut while a target is tracked, and restored with the target elsewhere."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ebtrack.api import load
from ebtrack.clip import CLIP_PATH, read_truth
from tests.tracker.live.fakes import PATIENCE_S, FakeScreen
from tracker.live import LiveSource
from tracker.live.overlay import window_scale
from tracker.live.session import LiveSession
from tracker.live.source import SystemClock
from tracker.sources import open_source

FRAME = 20
"""Of the bundled clip."""
SHIFT = 200
"""Pixels by which the scene has moved to the right when the stream is back: far out of the search region."""
FOUND_WITHIN = 30
"""Frames."""


class QuickClock(SystemClock):
    """Waits only a little before connecting again."""

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        super().sleep(min(seconds, 0.05), stop)


class StreamServer:
    """MJPEG over HTTP on one port, which can be taken away and brought back."""

    def __init__(self) -> None:
        self._port = 0
        self._server: http.server.ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/camera"

    def show(self, image: NDArray[np.uint8]) -> None:
        """Serves this picture again and again."""
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        part = head.encode() + jpeg.tobytes() + b"\r\n"
        self._cut = cut = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                try:
                    while not cut.wait(0.02):
                        self.wfile.write(part)
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def cut(self) -> None:
        """Ends every connection, and answers no more."""
        if self._server:
            self._cut.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def iou(a: tuple[float, ...], b: NDArray[np.float64]) -> float:
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return float(both / (a[2] * a[3] + b[2] * b[3] - both))


def test_target_is_found_again_after_the_stream_was_cut(tmp_path: Path) -> None:
    with open_source(str(CLIP_PATH)) as clip:
        before = next(frame.image for frame in clip if frame.index == FRAME)
    after = np.roll(before, SHIFT, 1)
    there = read_truth()[FRAME]
    elsewhere = there + np.array([SHIFT, 0, 0, 0])
    server, screen = StreamServer(), FakeScreen()
    server.show(before)
    given_up = time.monotonic() + PATIENCE_S

    with LiveSource(server.address, clock=QuickClock()) as source:
        session = LiveSession(source, load(device="cpu"), screen, tmp_path)

        def tracked(frames: int) -> Iterator[str]:
            """Looks on until so many more frames were tracked."""
            enough = session.meter.results + frames
            while session.meter.results < enough:
                assert time.monotonic() < given_up
                yield ""

        def user() -> Iterator[str]:
            x, y, w, h = window_scale(before) * there
            screen.drag(x, y, x + w, y + h)
            yield from tracked(5)
            check(there, elsewhere)
            server.cut()
            while "connect again" not in session.line:
                assert time.monotonic() < given_up
                yield ""
            server.show(after)
            yield from tracked(FOUND_WITHIN)
            check(elsewhere, there)
            done.append(True)

        def check(box: NDArray[np.float64], other: NDArray[np.float64]) -> None:
            (track,) = session.targets.tracks
            assert track.presence > 0.5
            assert iou(track.box, box) > 0.6
            assert iou(track.box, other) == 0

        done: list[bool] = []
        screen.do(user())
        summary = session.run()
        server.cut()
    assert done
    assert summary.problems == []
