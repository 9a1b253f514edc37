"""The live picture: tracks with their posterior, what is being drawn, speed and messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.display import fitting
from tracker.drawing import Image, View, draw_tracks
from tracker.track import Track

HELP = "drag: box  click: choose  x: remove  r: reset  space: pause  v: record  s: snapshot  q: quit"
STRIP = 24
"""Pixels of the line on top."""
ENLARGE = 2.0
PALE, RED = (240, 240, 240), (60, 60, 255)


@dataclass(frozen=True)
class Overlay:
    """What is drawn beside the tracks."""

    message: str = ""
    """The line on top; the keys where it is empty."""
    fps: float = 0.0
    latency: float = 0.0
    """Seconds from capture to result."""
    drag: tuple[int, int, int, int] | None = None
    """Corners of the box that is being drawn, in pixels of the window."""
    chosen: int | None = None
    """Index of the chosen target."""
    recording: bool = False
    numbers: Sequence[int] | None = None
    """Of the targets; 1, 2, ... where there is none."""


def window_scale(image: Image) -> float:
    """Pixels of the window per pixel of the frame: small frames are enlarged, large ones fitted to a usual screen."""
    return fitting(image, ENLARGE)[0] / image.shape[1]


def draw_live(image: Image, tracks: Sequence[Track], overlay: Overlay) -> Image:
    """The picture for the window.

    Args:
        image: H x W x 3 uint8 BGR.
        tracks: of this frame.
        overlay: all the rest.

    Returns:
        A new picture, `window_scale` times as large.
    """
    view = View.whole(image, window_scale(image))
    picture = draw_tracks(image, tracks, view, note=status(tracks, overlay), numbers=overlay.numbers)
    if overlay.chosen is not None:
        x, y, w, h = tracks[overlay.chosen].box
        (x0, y0), (x1, y1) = np.rint(view.place(np.array([[x, y], [x + w, y + h]]))).astype(int).tolist()
        cv2.rectangle(picture, (x0 - 5, y0 - 5), (x1 + 5, y1 + 5), PALE, 1)
    if overlay.drag:
        x0, y0, x1, y1 = overlay.drag
        for shade, thickness in (((0, 0, 0), 4), (PALE, 2)):
            cv2.rectangle(picture, (x0, y0), (x1, y1), shade, thickness)
    picture[:STRIP] //= 3
    left = 6
    if overlay.recording:
        cv2.circle(picture, (STRIP // 2, STRIP // 2), 6, RED, -1, cv2.LINE_AA)
        left = STRIP
    text = overlay.message or HELP
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    size = 0.45 * min(1.0, (picture.shape[1] - left - 6) / width)
    cv2.putText(picture, text, (left, 17), cv2.FONT_HERSHEY_SIMPLEX, size, PALE, 1, cv2.LINE_AA)
    return picture


def status(tracks: Sequence[Track], overlay: Overlay) -> str:
    """The line below: speed, latency, and the standard deviation of each target's centre; empty without targets."""
    if not tracks:
        return ""
    spread = ", ".join(f"{centre_spread(track):.1f}" for track in tracks)
    return f"{overlay.fps:.1f} frames/s   {1000 * overlay.latency:.0f} ms from capture to result   spread {spread} px"


def centre_spread(track: Track) -> float:
    """Standard deviation of the centre in pixels, the root mean square of that in x and in y."""
    return float(track.posterior.covariance.diagonal()[:2].mean().clamp_min(0).sqrt())
