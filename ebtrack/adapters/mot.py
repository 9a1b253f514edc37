"""Tracks as rows of the MOT challenges' text format."""

from __future__ import annotations

from collections.abc import Sequence

from ebtrack.adapters.numbering import Placed, numbered
from tracker.sinks.rows import mot_row


def mot_rows(frame: int, tracks: Placed | Sequence[Placed], ids: Sequence[int] | None = None) -> list[str]:
    """The targets of one frame as lines ``frame,id,x,y,w,h,confidence,-1,-1,-1``, as ``tracks.mot.txt`` has them.

    Args:
        frame: number of the frame, from 1 in this format.
        tracks: as `Tracker.update` gives them, or the `InitialBox`es of the first frame.
        ids: numbers of the targets; 1, 2, ... when left out.

    Returns:
        A line a target, without its end; x and y in 0-based pixels, the confidence is P(present).

    Raises:
        ValueError: the frame's number is below 1; there are not as many ids as tracks, or one comes twice.
    """
    if frame < 1:
        raise ValueError(f"frames count from 1 in the MOT format, got {frame}")
    return [mot_row(frame, number, track.box, track.presence) for number, track in numbered(tracks, ids)]
