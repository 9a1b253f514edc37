"""A picture of the posterior: its samples, mean and spread at several moments of a video."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tracker.track import Track

LEVEL = 0.9
# The side of the square shown around a target, over the geometric mean of its box's sides, at the least.
CONTEXT = 4.0
COLUMNS = 3
MEAN, SPREAD, TRUTH = "#00e5ff", "#ffffff", "#3dff5a"


@dataclass(frozen=True)
class Moment:
    """One frame to show.

    Attributes:
        index: Number of the frame, for the title.
        image: H x W x 3 uint8 BGR.
        track: What the tracker said of it.
        truth: True box (x, y, w, h) in pixels; None where the target cannot be seen or the truth is unknown.
    """

    index: int
    image: NDArray[np.uint8]
    track: Track
    truth: Sequence[float] | NDArray[np.float64] | None


def draw_posteriors(moments: Sequence[Moment], path: Path) -> None:
    """Write a PNG with a panel a moment, of one target.

    A panel shows the frame around the target; the centres of the posterior's samples, coloured by weight; the
    mean box; a cross over the 90 % interval of the centre and dashed boxes at the ends of that of the size.
    """
    rows = -(-len(moments) // COLUMNS)
    figure = Figure(figsize=(4.0 * COLUMNS, 3.95 * rows + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for panel in axes[len(moments) :]:
        panel.set_axis_off()
    for panel, moment in zip(axes, moments, strict=False):
        points = _draw(panel, moment)
    bar = figure.colorbar(points, ax=axes.tolist(), shrink=0.6, ticks=[0, 1])
    bar.set_ticklabels(["0", "largest"])
    bar.set_label("weight of a sample (its place: the box's centre)")
    figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def _draw(panel: Any, moment: Moment) -> Any:
    posterior = moment.track.posterior
    cx, cy, half = _view(moment)
    height, width = moment.image.shape[:2]
    panel.imshow(moment.image[..., ::-1], extent=(0, width, height, 0), interpolation="bilinear")
    panel.set(xlim=(cx - half, cx + half), ylim=(cy + half, cy - half), xticks=[], yticks=[], facecolor="0.2")

    samples, weights = posterior.samples.numpy(), posterior.log_weights.exp().numpy()
    order = weights.argsort()  # heavy samples on top
    share = weights[order] / weights.max()
    points = panel.scatter(*samples[order, :2].T, c=share, cmap="plasma", vmin=0, vmax=1, s=7, alpha=0.8)

    mean = posterior.mean.numpy()
    low, high = (end.numpy() for end in posterior.interval(LEVEL))
    panel.hlines(mean[1], low[0], high[0], color=SPREAD, lw=1.5)
    panel.vlines(mean[0], low[1], high[1], color=SPREAD, lw=1.5)
    for size in (low[2:], high[2:]):
        panel.add_patch(_box(mean[:2], size, SPREAD, ls="--", lw=1.0))
    panel.add_patch(_box(mean[:2], mean[2:], MEAN, lw=2.0))
    if moment.truth is not None:
        corner, size = np.asarray(moment.truth[:2]), np.asarray(moment.truth[2:])
        panel.add_patch(_box(corner + size / 2, size, TRUTH, lw=1.5))
    unseen = "" if moment.truth is not None else " (not in view)"
    panel.set_title(f"frame {moment.index}{unseen}\nP(present) = {moment.track.presence:.2f}", fontsize=11)
    return points


def _view(moment: Moment) -> tuple[float, float, float]:
    """Centre and half the side of the square to show: room around the target, never without the truth."""
    boxes = np.array([moment.track.box] if moment.truth is None else [moment.track.box, moment.truth])
    low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    side = CONTEXT * np.sqrt(boxes[:, 2:].prod(axis=1)).max()
    cx, cy = (low + high) / 2
    return float(cx), float(cy), float(max(side, 1.2 * (high - low).max())) / 2


def _box(centre: NDArray[Any], size: NDArray[Any], colour: str, **line: Any) -> Rectangle:
    x, y = centre - size / 2
    return Rectangle((x, y), size[0], size[1], fill=False, edgecolor=colour, **line)


def _legend() -> list[Any]:
    percent = f"{LEVEL:.0%}"
    # A white line needs a dark edge to be seen on the page.
    return [
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=MEAN, lw=2, label="posterior mean"),
        Rectangle((0, 0), 1, 1, facecolor="0.3", edgecolor=SPREAD, ls="--", label=f"{percent} interval of size"),
        Rectangle((0, 0), 1, 0.2, facecolor=SPREAD, edgecolor="0.3", label=f"{percent} interval of centre (cross)"),
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=TRUTH, lw=1.5, label="ground truth"),
    ]
