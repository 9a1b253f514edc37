"""Tracks as `supervision.Detections`, for its annotators, zones and sinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ebtrack.adapters.numbering import numbered
from tracker.track import Track

if TYPE_CHECKING:
    from supervision import Detections


def to_supervision(tracks: Track | Sequence[Track], ids: Sequence[int] | None = None) -> Detections:
    """The targets of one frame for the supervision library, which need not be installed for anything else.

    Args:
        tracks: as `Tracker.update` gives them: one, or a list.
        ids: numbers of the targets; 1, 2, ... when left out.

    Returns:
        ``xyxy`` in pixels, ``confidence`` = P(present), ``tracker_id``, and in ``data`` the ``spread``: ``[N, 4]``, the
        posterior's standard deviations of cx, cy, w, h in pixels. Targets that are thought absent are among them:
        ``detections[detections.confidence >= 0.5]`` leaves them out. ``class_id`` is None, since a tracker knows no
        classes: set it, or let annotators take their colours with ``color_lookup=ColorLookup.TRACK``.

    Raises:
        ModuleNotFoundError: supervision is not installed; the message says how to install it.
        ValueError: there are not as many ids as tracks, or one comes twice.
    """
    try:
        from supervision import Detections
    except ModuleNotFoundError as error:
        if error.name != "supervision":
            raise
        raise ModuleNotFoundError(
            'to_supervision needs the supervision library: pip install "ebtrack[supervision]"', name=error.name
        ) from error
    targets = numbered(tracks, ids)
    boxes = np.array([track.box for _, track in targets], np.float32).reshape(-1, 4)
    spread = [track.posterior.covariance.diagonal().clamp_min(0).sqrt().numpy() for _, track in targets]
    return Detections(
        xyxy=np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), 1),
        confidence=np.array([track.presence for _, track in targets], np.float32),
        tracker_id=np.array([number for number, _ in targets], np.int64),
        data={"spread": np.array(spread, np.float32).reshape(-1, 4)},
    )
