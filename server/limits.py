"""What a visitor may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from server.protocol import Bounds


@dataclass(frozen=True)
class Limits:
    """Every bound, in one place. Times are in seconds."""

    visitors: int = 8
    targets: int = 6
    """Of one visitor at a time."""
    frame_bytes: int = 2 * 2**20
    frame_side: int = 1920
    frames_per_second: float = 60.0
    text_bytes: int = 4096
    messages_per_second: float = 20.0
    """Text messages; faster ones wait, as faster frames do."""
    hello_s: float = 10.0
    """Until a visitor who has connected says hello."""
    idle_s: float = 600.0
    """Until a visitor who says nothing makes room."""
    send_s: float = 5.0
    """Until a visitor who does not take what is sent makes room."""
    upload_bytes: int = 256 * 2**20
    upload_s: float = 600.0
    """Longest time of one upload; also how long a video waits to be played."""
    recording_s: float = 600.0
    """Longest recording."""
    recording_bytes: int = 256 * 2**20
    """Largest recording."""
    kept_s: float = 600.0
    """How long recordings outlive the visit they were made in."""
    recordings: int = 4
    """Of one visitor; a further one replaces the oldest."""

    @property
    def bounds(self) -> Bounds:
        """What the page is told."""
        return Bounds(
            frame_bytes=self.frame_bytes,
            frame_side=self.frame_side,
            targets=self.targets,
            upload_bytes=self.upload_bytes,
            frames_per_second=self.frames_per_second,
            recordings=self.recordings,
        )


class Pace:
    """Spaces events out: a steady rate with a small reserve.

    Args:
        rate: events a second.
        reserve: how many may come at once after a rest.
    """

    def __init__(self, rate: float, reserve: int) -> None:
        self._step = 1 / rate
        self._slack = reserve * self._step
        self._due = 0.0

    def wait(self, now: float | None = None) -> float:
        """Seconds that the event which comes now has to wait, 0 within the rate."""
        now = monotonic() if now is None else now
        self._due = max(self._due + self._step, now - self._slack)
        return max(0.0, self._due - now)
