"""Which frames tell how a target was lost, and which part of them to show: pure functions of arrays."""

from __future__ import annotations

import numpy as np

from evaluation.calibration import FOLLOWED, LOST
from evaluation.metrics import Floats


def longest_loss(overlap: Floats) -> tuple[int, int]:
    """The first and the last frame of the longest run of an IoU below 0.1; frames without the target do not end it.

    Args:
        overlap: ``[T]`` IoU, nan without the target; annotated in a frame after the first.

    Returns:
        The frame of the lowest IoU, twice, where the target is never lost.
    """
    annotated = np.flatnonzero(~np.isnan(overlap[1:])) + 1
    lost = np.concatenate(([False], overlap[annotated] < LOST, [False])).astype(int)
    begins, ends = np.flatnonzero(np.diff(lost) == 1), np.flatnonzero(np.diff(lost) == -1) - 1
    if not len(begins):
        worst = int(annotated[np.argmin(overlap[annotated])])
        return worst, worst
    longest = int(np.argmax(ends - begins))
    return int(annotated[begins[longest]]), int(annotated[ends[longest]])


def story(overlap: Floats, count: int) -> dict[int, str]:
    """The frames to show, in order, with a word about those that are more than a step on the way.

    Args:
        overlap: ``[T]`` as `longest_loss` takes it.
        count: at least 5; all frames are shown where there are fewer.
    """
    begin, end = longest_loss(overlap)
    good = np.flatnonzero(overlap >= FOLLOWED)
    before, after = good[(good > 0) & (good < begin)], good[good > end]
    shown = {0: "first", len(overlap) - 1: "", begin: "lost" if overlap[begin] < LOST else "lowest IoU"}
    if len(before):
        shown[int(before[-1])] = "last good"
    if len(after):
        shown[int(after[0])] = "good again"
    while len(shown) < min(count, len(overlap)):
        known = sorted(shown)
        gap = int(np.argmax(np.diff(known)))
        shown[(known[gap] + known[gap + 1]) // 2] = ""
    return dict(sorted(shown.items()))


def view(boxes: Floats, width: int, height: int) -> tuple[float, float, float]:
    """Left, top and side of a square with some context about boxes ``[N, 4]``, inside the frame as far as it fits."""
    low, high = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    low, high = np.clip(low, 0, (width, height)), np.clip(high, 0, (width, height))
    size = np.sqrt(boxes[:, 2:].prod(1)).max()
    side = float(min(max((high - low).max() + 0.8 * size, 2.5 * size, 48), max(width, height)))
    corner = (low + high - side) / 2
    room = np.array((width, height)) - side
    left, top = np.where(room > 0, np.clip(corner, 0, np.maximum(room, 0)), room / 2)
    return float(left), float(top), side
