"""The sequences that the first tracker does worst in, in pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import Floats, box_iou
from evaluation.report.context import Context
from evaluation.report.film import Reel, film_figure
from evaluation.report.page import Picture, Section
from evaluation.results import POSTERIOR, read_result
from evaluation.scoring import Labelled


def failures(context: Context, count: int) -> Section | None:
    """Filmstrips of the worst ``count`` sequences; None where there is nothing to show.

    Raises:
        ValueError: a frame cannot be read; the message names it.
    """
    material = context.material
    scored = context.scored(material.first)
    pictured = [sequence for sequence in material.sequences if _has_pictures(sequence) and sequence.name in scored]
    worst = sorted(pictured, key=lambda sequence: (scored[sequence.name], sequence.name))
    reels = [reel for sequence in worst[:count] if (reel := _reel(context, sequence))]
    if not reels:
        return None
    caption = (
        f"The {len(reels)} sequences of the lowest {context.title} of {material.first.name}: the first and the last "
        "frame, the last good one (IoU of at least 0.5) before the longest loss, the loss (IoU below 0.1), the "
        f"recovery where there is one, and frames that fill the gaps. {context.about}"
    )
    figure = film_figure(reels, material.first.name)
    return Section("failures", "Failures", figures=[Picture("failures", caption, figure, photographs=True)])


def _has_pictures(sequence: Labelled) -> bool:
    return hasattr(sequence, "frames")


def _reel(context: Context, sequence: Labelled) -> Reel | None:
    """None where the target is never seen after the first frame."""
    first, *others = context.material.contestants
    boxes = first.boxes[sequence.name]
    frames = len(boxes)
    groundtruth: Floats = sequence.groundtruth[:frames]
    if np.isnan(box_iou(boxes, groundtruth)[1:]).all():
        return None
    presence = None
    if (first.folder / POSTERIOR / f"{sequence.name}.csv").is_file():
        presence = read_result(first.folder, sequence.name).presence
    title = f"{sequence.name}: {context.title} {context.scored(first)[sequence.name]:.3f}, {frames} frames"
    theirs = {other.name: value for other in others if (value := context.scored(other).get(sequence.name)) is not None}
    if theirs:
        best = max(theirs, key=lambda name: theirs[name])
        title += f" (best other: {best} {theirs[best]:.3f})"
    return Reel(title, groundtruth, sequence.absent[:frames], boxes, presence, _frames(sequence, frames))


def _frames(sequence: Labelled, count: int) -> Iterator[NDArray[np.uint8]]:
    return islice(sequence.frames(), count)  # type: ignore[attr-defined]
