"""Tracks drawn into a frame: box, presence and the posterior's spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from networks.posterior import Posterior
from tracker.track import Track

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

# BGR, told apart also by colour-blind eyes (after Okabe and Ito, brightened for video).
COLOURS: tuple[Colour, ...] = (
    (255, 225, 60),
    (40, 180, 255),
    (120, 235, 90),
    (190, 120, 255),
    (60, 240, 250),
    (70, 110, 255),
)
ABSENT: Colour = (170, 170, 170)
LEVEL = 0.9
"""Of the intervals drawn and written."""
# Samples beyond this mass are too light to be seen and may lie anywhere in the frame.
SHOWN_MASS = 0.99


@dataclass(frozen=True)
class View:
    """A rectangle of the frame and the size at which it is shown."""

    left: int
    top: int
    width: int
    height: int
    scale: float = 1.0

    @classmethod
    def whole(cls, image: Image, scale: float = 1.0) -> View:
        """All of a frame."""
        return cls(0, 0, image.shape[1], image.shape[0], scale)

    def cut(self, image: Image) -> Image:
        """The picture of this view, grey where it reaches outside the frame."""
        height, width = image.shape[:2]
        x0, y0 = max(self.left, 0), max(self.top, 0)
        x1, y1 = min(self.left + self.width, width), min(self.top + self.height, height)
        if (x0, y0, x1, y1) == (0, 0, self.width, self.height) == (0, 0, width, height):
            part = image.copy()
        else:
            part = np.full((self.height, self.width, 3), 60, np.uint8)
            if x1 > x0 and y1 > y0:
                part[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left] = image[y0:y1, x0:x1]
        if self.scale == 1.0:
            return part
        size = (max(1, round(self.width * self.scale)), max(1, round(self.height * self.scale)))
        way = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(part, size, interpolation=way)  # type: ignore[return-value]

    def place(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Frame pixels ``[..., 2]`` in pixels of the picture."""
        return (np.asarray(xy, np.float64) - (self.left, self.top)) * self.scale


def draw_tracks(
    image: Image,
    tracks: Sequence[Track],
    view: View | None = None,
    labels: bool = True,
    note: str = "",
    numbers: Sequence[int] | None = None,
) -> Image:
    """A picture of the frame with its tracks.

    The shade is the probability that a pixel lies in the target, strongest where it is least certain, so its width
    along an edge is the posterior's spread; the cross is the 90 % interval of the centre about its mean. A target
    that is more likely absent than present has a grey, dashed box.

    Args:
        image: H x W x 3 uint8 BGR; it stays as it is.
        tracks: of this frame, in the order of the targets.
        view: the part to draw; the whole frame when left out.
        labels: whether to write each target's presence at its box.
        note: a line for the lower left corner.
        numbers: of the targets, which choose their colours; 1, 2, ... when left out.

    Returns:
        A new picture, uint8 BGR, of the view's size.
    """
    view = view or View.whole(image)
    picture = view.cut(image)
    size = max(1.0, min(picture.shape[:2]) / 400)
    numbers = range(1, len(tracks) + 1) if numbers is None else numbers
    colours = [COLOURS[(number - 1) % len(COLOURS)] for number in numbers]
    for track, colour in zip(tracks, colours, strict=True):
        _shade(picture, track.posterior, colour, view)
    for number, track, colour in zip(numbers, tracks, colours, strict=True):
        present = track.presence >= 0.5
        _cross(picture, track.posterior, colour, view, size)
        corners = _corners(track.box, view)
        _box(picture, corners, colour if present else ABSENT, size, dashed=not present)
        if labels:
            name = f"{number}: " if len(tracks) > 1 else "present "
            at = (corners[0], corners[1] - round(4 * size))
            _text(picture, f"{name}{track.presence:.2f}", at, colour if present else ABSENT, size)
    if note:
        _text(picture, note, (round(6 * size), picture.shape[0] - round(8 * size)), (225, 225, 225), 0.9 * size)
    return picture


def coverage(posterior: Posterior, view: View) -> tuple[NDArray[np.float64], int, int]:
    """P(pixel inside the target) over the part of a view where it is above zero.

    Returns:
        The probabilities ``[h, w]`` and the part's left and top in pixels of the picture.
    """
    weights = posterior.weights.numpy().astype(np.float64)
    order = np.argsort(weights)[::-1]
    kept = order[: int(np.searchsorted(np.cumsum(weights[order]), SHOWN_MASS)) + 1]
    boxes, weights = posterior.samples.numpy()[kept], weights[kept] / weights[kept].sum()
    width, height = round(view.width * view.scale), round(view.height * view.scale)
    low = np.rint(view.place(boxes[:, :2] - boxes[:, 2:] / 2)).clip(0, (width, height)).astype(np.int64)
    high = np.rint(view.place(boxes[:, :2] + boxes[:, 2:] / 2)).clip(0, (width, height)).astype(np.int64)
    left, top = (int(v) for v in low.min(0))
    right, bottom = (int(v) for v in high.max(0))
    # A box is +w at two corners and -w at the others; two running sums fill it.
    steps = np.zeros((bottom - top + 1, right - left + 1))
    for x, y, sign in ((low, low, 1), (high, low, -1), (low, high, -1), (high, high, 1)):
        np.add.at(steps, (y[:, 1] - top, x[:, 0] - left), sign * weights)
    return steps.cumsum(0).cumsum(1)[:-1, :-1].clip(0, 1), left, top


def _shade(picture: Image, posterior: Posterior, colour: Colour, view: View) -> None:
    inside, left, top = coverage(posterior, view)
    part = picture[top : top + inside.shape[0], left : left + inside.shape[1]]
    inside = inside[: part.shape[0], : part.shape[1]]
    if inside.size == 0:
        return
    alpha = (0.08 * inside + 0.55 * 4 * inside * (1 - inside))[..., None].astype(np.float32)
    part[:] = np.rint(part * (1 - alpha) + np.array(colour, np.float32) * alpha).astype(np.uint8)


def _cross(picture: Image, posterior: Posterior, colour: Colour, view: View, size: float) -> None:
    low, high = (view.place(end[:2].numpy()) for end in posterior.interval(LEVEL))
    if max(high - low) < 4 * size:
        return
    x, y = view.place(posterior.mean[:2].numpy()).clip(low, high)
    ends = [((low[0], y), (high[0], y)), ((x, low[1]), (x, high[1]))]
    for shade, thickness in (((0, 0, 0), round(size) + 2), (colour, round(size))):
        for begin, end in ends:
            _line(picture, begin, end, shade, thickness)


def _box(picture: Image, corners: tuple[int, int, int, int], colour: Colour, size: float, dashed: bool) -> None:
    x0, y0, x1, y1 = corners
    sides = [((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))]
    for shade, thickness in (((0, 0, 0), round(4 * size)), (colour, round(2 * size))):
        for begin, end in sides:
            for a, b in _dashes(begin, end, 9 * size) if dashed else [(begin, end)]:
                _line(picture, a, b, shade, thickness)


def _dashes(
    begin: tuple[int, int], end: tuple[int, int], length: float
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """An odd number of equal pieces, the first, third, ... of them drawn, so that corners are closed."""
    distance = float(np.hypot(end[0] - begin[0], end[1] - begin[1]))
    pieces = 2 * min(500, round(distance / length / 2)) + 1
    at = np.linspace(begin, end, pieces + 1)
    return [((a[0], a[1]), (b[0], b[1])) for a, b in zip(at[0::2], at[1::2], strict=True)]


def _line(picture: Image, begin: Sequence[float], end: Sequence[float], colour: Colour, thickness: int) -> None:
    # OpenCV's coordinates are 16-bit with sub-pixel bits inside: far ends are brought near first.
    limit = 8 * max(picture.shape[:2])
    a, b = ([round(float(np.clip(v, -limit, limit))) for v in end_] for end_ in (begin, end))
    cv2.line(picture, (a[0], a[1]), (b[0], b[1]), colour, max(1, thickness), cv2.LINE_AA)


def _corners(box: Sequence[float], view: View) -> tuple[int, int, int, int]:
    x, y, w, h = box
    (x0, y0), (x1, y1) = view.place(np.array([[x, y], [x + w, y + h]]))
    return round(x0), round(y0), round(x1), round(y1)


def _text(picture: Image, text: str, at: tuple[int, int], colour: Colour, size: float) -> None:
    """Text on a dark ground with its lower left corner at a point, moved to lie inside the picture."""
    font, scale, thick = cv2.FONT_HERSHEY_SIMPLEX, 0.45 * size, max(1, round(size))
    (width, height), below = cv2.getTextSize(text, font, scale, thick)
    pad = round(3 * size)
    x = int(np.clip(at[0], pad, max(pad, picture.shape[1] - width - pad)))
    y = int(np.clip(at[1], height + pad, max(height + pad, picture.shape[0] - below - pad)))
    ground = picture[max(0, y - height - pad) : y + below, max(0, x - pad) : x + width + pad]
    ground[:] = (ground * 0.35).astype(np.uint8)
    cv2.putText(picture, text, (x, y), font, scale, colour, thick, cv2.LINE_AA)
