"""Filmstrips: how a target was tracked and lost, in frames over a strip chart of IoU and presence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from evaluation.metrics import Bools, Floats, box_iou
from evaluation.plots import BLUE, FIRST, PAGE, new_figure
from evaluation.report.story import story, view

TRUTH, PRESENCE, ABSENT = "#ffffff", BLUE, "0.85"
_EDGE = [withStroke(linewidth=2.2, foreground="black")]
"""Black about a line, so that it is seen on any picture."""
FRAMES = 7
# Inches: the key on top, the block of a sequence, and in it the title with the captions, a frame and the strip chart.
KEY, HEAD, STRIP, LEFT, GAP = 0.28, 0.5, 0.5, 0.3, 0.06
SIDE = (PAGE - LEFT - GAP) / FRAMES - GAP
BLOCK = HEAD + SIDE + GAP + STRIP + 0.3


@dataclass(frozen=True)
class Reel:
    """A tracked sequence of ``T`` frames to show."""

    title: str
    groundtruth: Floats
    """``[T, 4]`` x, y, w, h in pixels, nan where there is no box."""
    absent: Bools
    """``[T]`` labelled as absent."""
    boxes: Floats
    """``[T, 4]``"""
    presence: Floats | None
    """``[T]`` P(present), nan in the first frame; None where the tracker says nothing of it."""
    frames: Iterable[NDArray[np.uint8]]
    """BGR; read once, up to the last frame that is shown."""


def film_figure(reels: Sequence[Reel], tracker: str) -> Figure:
    """A block for each of one or more sequences: title, frames, strip chart.

    Raises:
        ValueError: of a reel's frames.
    """
    height = KEY + BLOCK * len(reels)
    figure = new_figure(PAGE, height)
    figure.set_layout_engine("none")

    def place(left: float, top: float, width: float, tall: float) -> Axes:
        return figure.add_axes((left / PAGE, 1 - (top + tall) / height, width / PAGE, tall / height))

    handles: list[Any] = [
        Patch(facecolor="0.45", edgecolor=TRUTH, linewidth=1.4, path_effects=_EDGE, label="ground truth"),
        Patch(facecolor="0.45", edgecolor=FIRST, linewidth=1.4, path_effects=_EDGE, label=f"box of {tracker}"),
        Line2D([], [], color=FIRST, label="IoU"),
    ]
    if any(reel.presence is not None for reel in reels):
        handles.append(Line2D([], [], color=PRESENCE, linestyle=(0, (4, 1.5)), label="P(present)"))
    if any(reel.absent.any() for reel in reels):
        handles.append(Patch(facecolor=ABSENT, label="target absent"))
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), borderaxespad=0.3)
    for number, reel in enumerate(reels):
        top = KEY + BLOCK * number
        overlap = box_iou(reel.boxes, reel.groundtruth)
        shown = story(overlap, FRAMES)
        frames = (image for at, image in enumerate(reel.frames) if at in shown)
        for column, ((at, word), image) in enumerate(zip(shown.items(), frames, strict=False)):
            axes = place(LEFT + column * (SIDE + GAP), top + HEAD, SIDE, SIDE)
            _draw_frame(axes, image, reel, at)
            _write(axes, _caption(reel, overlap, at), 3, "center")
            _write(axes, f"{at}, {word}" if word else f"{at}", 12, "center")
            if column == 0:
                _write(axes, reel.title, 23.5, "left", fontsize=8, fontweight="bold")
        strip = place(LEFT, top + HEAD + SIDE + GAP, FRAMES * (SIDE + GAP) - GAP, STRIP)
        _draw_strip(strip, overlap, reel, list(shown))
    return figure


def _caption(reel: Reel, overlap: Floats, at: int) -> str:
    if at == 0:
        return "given"
    judged = "absent" if reel.absent[at] else "no label" if np.isnan(overlap[at]) else f"IoU {overlap[at]:.2f}"
    return judged if reel.presence is None else f"{judged}, P {reel.presence[at]:.2f}"


def _write(axes: Any, text: str, above: float, at: str, **font: Any) -> None:
    """A line over the axes, its baseline this many points above them."""
    x = {"left": 0, "center": 0.5}[at]
    where = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": at, "va": "baseline"}
    axes.annotate(text, (x, 1), (0, above), **{"fontsize": 6.5, **where, **font})


def _draw_frame(axes: Any, image: NDArray[np.uint8], reel: Reel, at: int) -> None:
    both = ((TRUTH, reel.groundtruth[at]), (FIRST, reel.boxes[at]))
    drawn = [(colour, box) for colour, box in both if not np.isnan(box).any()]
    height, width = image.shape[:2]
    left, top, side = view(np.array([box for _, box in drawn]), width, height)
    # Only the part that is seen, so that a vector file stays small. A pixel covers [i, i + 1]: boxes lie where they
    # are measured.
    x0, y0 = max(0, int(left)), max(0, int(top))
    x1, y1 = min(width, int(np.ceil(left + side))), min(height, int(np.ceil(top + side)))
    axes.imshow(image[y0:y1, x0:x1, ::-1], extent=(x0, x1, y1, y0), interpolation="bilinear")
    axes.set(xlim=(left, left + side), ylim=(top + side, top), xticks=[], yticks=[], facecolor="0.25")
    axes.grid(False)
    for colour, (x, y, w, h) in drawn:
        axes.add_patch(Rectangle((x, y), w, h, fill=False, edgecolor=colour, linewidth=1.2, path_effects=_EDGE))


def _draw_strip(axes: Any, overlap: Floats, reel: Reel, shown: Sequence[int]) -> None:
    frames = np.arange(len(overlap))
    edges = np.stack((frames - 0.5, frames + 0.5), 1).ravel()
    axes.fill_between(edges, 0, 1, where=np.repeat(reel.absent, 2), color=ABSENT, linewidth=0)
    for at in shown:
        axes.axvline(at, color="0.6", linewidth=0.6, linestyle=":")
    if reel.presence is not None:
        axes.plot(frames, reel.presence, color=PRESENCE, linewidth=0.9, linestyle=(0, (4, 1.5)))
    axes.plot(frames, overlap, color=FIRST, linewidth=1.1)
    axes.set(xlim=(-0.5, len(overlap) - 0.5), ylim=(-0.04, 1.04), yticks=(0, 0.5, 1))
    axes.tick_params(labelsize=6.5, pad=1.5)
    axes.grid(False, axis="x")
