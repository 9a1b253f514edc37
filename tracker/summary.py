"""The summary picture: a filmstrip with close-ups, presence and effective sample size over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracker.drawing import COLOURS, Image, View, draw_tracks
from tracker.sinks.trace import Trace
from tracker.sources import Frame
from tracker.track import Track

STRIP = 8
"""Frames of the filmstrip, spread evenly; the one of the lowest presence comes on top."""
KEPT = 24
"""Most frames kept to choose from."""
OVERVIEW_SIDE, CLOSE_SIDE = 240, 200
# The side of a close-up over the geometric mean of the box's sides.
CONTEXT = 3.0


@dataclass(frozen=True)
class Still:
    """One frame of the filmstrip, small."""

    index: int
    time_s: float
    presence: float
    target: int
    """The target of the close-up, the one of the lowest presence."""
    overview: Image
    close: Image


class Summary:
    """Gathers what the summary picture shows, in bounded memory.

    Args:
        targets: how many.
    """

    def __init__(self, targets: int) -> None:
        self._targets = targets
        self.stills: list[Still] = []
        self._every = 1
        self._lowest: Still | None = None
        self._last: tuple[Frame, Sequence[Track]] | None = None
        self._presence = Trace(targets)
        self._ess = Trace(targets)

    def write(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Takes note of a frame; `frame.index` counts from 0 without gaps."""
        presence = [track.presence for track in tracks]
        self._presence.add(np.array(presence))
        # The first frame is given: it has no samples, and no place under the curve of their number.
        ess = [1.0 if frame.index == 0 else float(t.posterior.ess) / t.posterior.samples.shape[-2] for t in tracks]
        self._ess.add(np.array(ess))
        if frame.index % self._every == 0:
            self.stills.append(_still(frame, tracks))
            if len(self.stills) == KEPT:
                self.stills, self._every = self.stills[::2], 2 * self._every
        if frame.index > 0 and (self._lowest is None or min(presence) < self._lowest.presence):
            self._lowest = _still(frame, tracks)
        self._last = (frame, tracks)

    def save(self, path: Path, title: str) -> None:
        """Draws the picture.

        Args:
            path: a ``.png`` file.
            title: the line on top.

        Raises:
            OSError: the file cannot be written.
        """
        # Only here: importing matplotlib takes longer than the first frame, and drawing comes last.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        stills = self.chosen()
        lowest = self._lowest.index if self._lowest else -1
        columns = max(len(stills), 4)
        width = max(9.0, 1.85 * columns)
        shape = stills[0].overview.shape
        heights = (width / columns * min(shape[0] / shape[1], 1.5) + 0.35, width / columns + 0.2, 2.2, 1.4)
        figure = Figure(figsize=(width, sum(heights) + 0.6), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=12, x=0.01, ha="left")
        grid = figure.add_gridspec(4, columns, height_ratios=heights)
        for column, still in enumerate(stills):
            over, close = (figure.add_subplot(grid[row, column]) for row in (0, 1))
            heading = f"frame {still.index}, {still.time_s:.1f} s"
            colour = "crimson" if still.index == lowest else "black"
            over.set_title(heading + ("\nlowest presence" if still.index == lowest else ""), fontsize=8, color=colour)
            of = f"target {still.target + 1}: " if self._targets > 1 else ""
            close.set_title(f"{of}P(present) {still.presence:.2f}", fontsize=8, color=colour)
            for axes, image in ((over, still.overview), (close, still.close)):
                axes.imshow(image[..., ::-1])
                axes.set(xticks=[], yticks=[])
                for spine in axes.spines.values():
                    spine.set(color=colour, linewidth=2 if still.index == lowest else 0.5)
        presence = figure.add_subplot(grid[2, :])
        ess = figure.add_subplot(grid[3, :], sharex=presence)
        self._plot(presence, self._presence)
        presence.set(ylim=(-0.03, 1.03), ylabel="P(present)")
        presence.axhline(0.5, color="0.6", linewidth=0.8, linestyle="--")
        presence.tick_params(labelbottom=False)
        self._plot(ess, self._ess)
        ess.set(ylim=(0, None), ylabel="ESS / samples", xlabel="frame")
        for axes in (presence, ess):
            axes.grid(alpha=0.25)
            for still in stills:
                axes.axvline(still.index, color="crimson" if still.index == lowest else "0.5", lw=0.8, ls=":")
        if self._targets > 1:
            presence.legend(loc="lower left", ncols=min(self._targets, 8), fontsize=8)
        figure.savefig(path, dpi=110, format="png")

    def _plot(self, axes: Any, trace: Trace) -> None:
        frames, mean, low, high = trace.curves()
        begin = 1 if trace is self._ess else 0
        for target in range(self._targets):
            colour = tuple(value / 255 * 0.9 for value in COLOURS[target % len(COLOURS)][::-1])
            span = (frames[begin:], low[begin:, target], high[begin:, target])
            axes.fill_between(*span, color=colour, alpha=0.25, linewidth=0)
            axes.plot(frames[begin:], mean[begin:, target], color=colour, lw=1.6, label=f"target {target + 1}")
        if len(frames):
            axes.set_xlim(-0.5, frames[-1] + 0.5)

    def chosen(self) -> list[Still]:
        """At most `STRIP` stills spread evenly from the first to the last, and the one of the lowest presence."""
        stills = list(self.stills)
        if self._last and stills[-1].index != self._last[0].index:
            stills.append(_still(*self._last))
        wanted = np.linspace(0, stills[-1].index, STRIP)
        nearest = [min(stills, key=lambda still, at=at: abs(still.index - at)) for at in wanted]  # type: ignore[misc]
        chosen = {still.index: still for still in nearest}
        if self._lowest:
            chosen[self._lowest.index] = self._lowest
        return [chosen[index] for index in sorted(chosen)]


def _still(frame: Frame, tracks: Sequence[Track]) -> Still:
    target = min(range(len(tracks)), key=lambda i: tracks[i].presence)
    x, y, w, h = tracks[target].box
    side = max(8, round(CONTEXT * float(np.sqrt(w * h))))
    close = View(round(x + w / 2 - side / 2), round(y + h / 2 - side / 2), side, side, CLOSE_SIDE / side)
    whole = View.whole(frame.image, OVERVIEW_SIDE / max(frame.image.shape[:2]))
    overview = draw_tracks(frame.image, tracks, whole, labels=False)
    return Still(
        frame.index,
        frame.time_s,
        tracks[target].presence,
        target,
        overview,
        draw_tracks(frame.image, tracks, close, labels=False),
    )
