"""One target in one frame as a line of text: of the table with everything, and of the MOT format."""

from __future__ import annotations

from tracker.drawing import LEVEL
from tracker.track import Track

Box = tuple[float, float, float, float]

COLUMNS = (
    "frame",
    "time_s",
    "target",
    *("x", "y", "w", "h"),
    *("presence", "ess"),
    *(f"{name}_{end}" for name in ("cx", "cy", "w", "h") for end in ("low", "high")),
)


def plain_row(box: Box) -> str:
    """``x,y,w,h``."""
    return ",".join(f"{value:.4f}" for value in box)


def mot_row(frame: int, target: int, box: Box, presence: float) -> str:
    """``frame,id,x,y,w,h,confidence,-1,-1,-1``: frames and targets count from 1, the confidence is P(present)."""
    return f"{frame},{target},{plain_row(box)},{presence:.6f},-1,-1,-1"


def table_row(frame: int, time_s: float, target: int, track: Track, given: bool = False) -> str:
    """A line of `COLUMNS`.

    Args:
        frame: its number, from 0.
        time_s: of the frame.
        target: its number, from 1.
        track: of the target in the frame.
        given: whether its box was given and not estimated, so that it has no effective sample size.
    """
    low, high = (end.tolist() for end in track.posterior.interval(LEVEL))
    ends = ",".join(f"{value:.4f}" for pair in zip(low, high, strict=True) for value in pair)
    ess = "nan" if given else f"{float(track.posterior.ess):.3f}"
    return f"{frame},{time_s:.6f},{target},{plain_row(track.box)},{track.presence:.6f},{ess},{ends}"
