"""A clock, sources, a tracker and a screen whose time the test alone moves on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.config import ModelConfig
from networks.model import Template
from networks.posterior import Posterior
from networks.weights import WeightsInfo
from tests.fake_tracker import track_of
from tracker.config import TrackerConfig
from tracker.frames import Box
from tracker.live.screen import NO_KEY
from tracker.live.source import LiveSource
from tracker.sources import Frame, Source
from tracker.sources.capture import Live
from tracker.state import State

Image = NDArray[np.uint8]
SIZE = (96, 72)
PATIENCE_S = 30.0
"""After which a test that hangs fails; nothing else depends on it."""


class FakeClock:
    """Stands still but for `advance`, which goes from one awakening of the source's thread to the next.

    The thread runs until it sleeps again before time moves on, so that nothing depends on the machine's speed. As a
    context manager it lets the thread sleep no more at the end, so that it hears that the source is closed.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._due: float | None = None
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        with self._changed:
            self._due = self._now + seconds
            self._changed.notify_all()
            while self._due is not None and not stop.is_set() and not self._over:
                self._changed.wait(0.01)

    def advance(self, seconds: float, source: LiveSource) -> None:
        until = self._now + seconds
        with self._changed:
            while True:
                self._settle(source)
                if self._due is None or self._due > until:
                    break
                self._now, self._due = self._due, None
                self._changed.notify_all()
            self._now = until

    def _settle(self, source: LiveSource) -> None:
        """Waits until the source's thread sleeps or has ended."""
        for _ in range(round(PATIENCE_S / 0.01)):
            if self._due is not None or source.state == "ended":
                return
            self._changed.wait(0.01)
        raise AssertionError("the source's thread neither sleeps nor ends")


def flat(number: int) -> Image:
    """A frame that bears its number."""
    return np.full((SIZE[1], SIZE[0], 3), number % 256, np.uint8)


class FakeCamera(Live):
    """A camera of ``fps`` frames a second that breaks off after some of them."""

    def __init__(self, clock: FakeClock, fps: float, frames: int, first: int = 0) -> None:
        Source.__init__(self, "camera 0", "camera-0")
        self.fps = fps
        self._clock = clock
        self._count, self._number = frames, first
        self.released = False

    def _read(self) -> Generator[Frame, None, None]:
        for index in range(self._count):
            if index:
                assert self.fps
                self._clock.sleep(1 / self.fps, threading.Event())
            yield Frame(flat(self._number + index), index, 0.0)

    def _release(self) -> None:
        self.released = True


class FakeTracker:
    """Moves every box one pixel to the right each frame; presence is as the test sets it.

    Args:
        on_advance: called once a frame: what tracking takes of the time.
    """

    def __init__(self, on_advance: Callable[[], None] = lambda: None) -> None:
        self.weights_info = WeightsInfo(Path("none"), "0", "abc", 1, ModelConfig(), {})
        self.seed = 7
        self.config = TrackerConfig()
        self.presence = 0.9
        self.states: list[State] = []
        self._on_advance = on_advance

    def start(self, images: Sequence[Image], boxes: Sequence[Box]) -> State:
        n = len(boxes)
        template = Template(*(torch.zeros(n, 1) for _ in Template._fields))
        corner = torch.tensor(boxes, dtype=torch.float32)
        box = torch.cat((corner[:, :2] + corner[:, 2:] / 2, corner[:, 2:]), 1)
        size = torch.tensor([[image.shape[1], image.shape[0]] for image in images], dtype=torch.float32)
        one, none = torch.ones(n), torch.zeros(n, dtype=torch.int64)
        return State(template, template, box, box[:, 2:], size, 4 * one, one, none, none, none)

    def advance(self, state: State, images: Sequence[Image]) -> tuple[State, Tensor, Posterior]:
        self.states.append(state)
        self._on_advance()
        box = state.box + torch.tensor([1.0, 0, 0, 0])
        tracks = [track_of((0, 0, w, h), self.presence) for w, h in box[:, 2:].tolist()]
        samples = torch.stack([track.posterior.samples for track in tracks])
        posterior = Posterior(
            samples + box.unsqueeze(1) - samples.mean(1, keepdim=True),
            torch.stack([track.posterior.log_weights for track in tracks]),
            torch.zeros(len(box)),
            torch.full((len(box),), self.presence),
        )
        lost = torch.zeros_like(state.lost) if self.presence >= 0.5 else state.lost + 1
        state = state._replace(box=box, presence=posterior.presence, lost=lost, frame=state.frame + 1)
        return state, box, posterior


@dataclass
class FakeScreen:
    """A window whose user does one thing after the other, then quits.

    Args:
        on_show: called after each picture.
    """

    on_show: Callable[[], object] = lambda: None
    pictures: list[Image] = field(default_factory=list)
    opened: bool = True
    mouse: Callable[..., None] | None = None

    _deeds: Iterator[str | int | Callable[[], object]] = field(default_factory=lambda: iter(()))

    def do(self, deeds: Iterable[str | int | Callable[[], object]]) -> None:
        """What the user does, a thing each time that the window listens: keys as text or number, or functions."""
        self._deeds = iter(deeds)

    def listen(self, mouse: Callable[..., None]) -> None:
        self.mouse = mouse

    def show(self, picture: Image) -> None:
        self.pictures.append(picture)
        self.on_show()

    def key(self, milliseconds: int) -> int:
        del milliseconds
        deed = next(self._deeds, "q") if self.pictures else ""
        if callable(deed):
            deed()
            return NO_KEY
        return deed if isinstance(deed, int) else ord(deed) if deed else NO_KEY

    def is_open(self) -> bool:
        return self.opened

    def close(self) -> None:
        self.opened = False

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draws with the mouse, in pixels of the window."""
        assert self.mouse
        self.mouse(cv2.EVENT_LBUTTONDOWN, round(x0), round(y0), 0, None)
        self.mouse(cv2.EVENT_MOUSEMOVE, round(x1), round(y1), 0, None)
        self.mouse(cv2.EVENT_LBUTTONUP, round(x1), round(y1), 0, None)

    def click(self, x: float, y: float) -> None:
        """Clicks at a point of the window."""
        self.drag(x, y, x, y)
