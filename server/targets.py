"""One visitor's targets: the rows of a state, and the numbers by which the page knows them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from server.batching import Batcher, Tracked
from server.protocol import Box, TargetResult
from tracker.config import TrackerConfig
from tracker.frames import check_box
from tracker.live import search_at_once
from tracker.state import State


class VisitorTargets:
    """Targets that come and go; all of a visitor's are in one picture.

    Args:
        batcher: tracks them.
        config: of the tracker.
        visitor: whose they are.
    """

    def __init__(self, batcher: Batcher, config: TrackerConfig, visitor: int) -> None:
        self._batcher = batcher
        self._config = config
        self._visitor = visitor
        self._state: State | None = None
        self._given = 0
        self.ids: list[int] = []
        """In the order of the rows; none is given twice."""
        self.results: list[TargetResult] = []
        """Of the last frame that was tracked."""

    async def add(self, image: NDArray[np.uint8], box: Box) -> int:
        """The number of a new target.

        Args:
            image: H x W x 3 uint8 BGR, in which the box was drawn.
            box: (x, y, w, h) in its pixels; what lies outside is cut off.

        Raises:
            ValueError: the box cannot be used.
        """
        height, width = image.shape[:2]
        x, y, w, h = box
        if w > 0 and h > 0:
            left, top = min(max(x, 0.0), width), min(max(y, 0.0), height)
            inside = (left, top, min(x + w, width) - left, min(y + h, height) - top)
            box = inside if min(inside[2:]) > 0 else box
        state = await self._batcher.start(image, check_box(box, width, height))
        # The next frame may be much later than the one that was drawn in.
        state = search_at_once(state, self._config)
        self._state = state if self._state is None else self._state.join(state.resized(self._state.frame_size[:1]))
        self._given += 1
        self.ids.append(self._given)
        return self._given

    def remove(self, target: int) -> None:
        """One target less.

        Raises:
            ValueError: there is none of this number.
        """
        at = self._row(target)
        keep = [row for row in range(len(self.ids)) if row != at]
        if self._state is not None:
            self._state = self._state.select(torch.tensor(keep, device=self._state.box.device)) if keep else None
        del self.ids[at]
        self.results = [result for result in self.results if result.id != target]

    def reset(self) -> None:
        """No targets."""
        self._state, self.ids, self.results = None, [], []

    def search(self) -> None:
        """Time has passed unseen: who is not where they were is looked for everywhere in the next frame."""
        if self._state is not None:
            self._state = search_at_once(self._state, self._config)

    def check(self, target: int) -> None:
        """Whether there is a target of this number.

        Raises:
            ValueError: there is none.
        """
        self._row(target)

    async def advance(self, image: NDArray[np.uint8], energy: int | None) -> Tracked | None:
        """Tracks all targets through the next frame; `results` holds what is told of them.

        Args:
            image: H x W x 3 uint8 BGR.
            energy: the target whose energy map is wanted.

        Returns:
            The batch's answer; None without targets.
        """
        if self._state is None:
            return None
        row = self.ids.index(energy) if energy in self.ids else None
        tracked = await self._batcher.advance(self._visitor, self._state, image, row)
        self._state = tracked.state
        before = {result.id: result.present for result in self.results}
        self.results = []
        for target, fields in zip(self.ids, tracked.fields, strict=True):
            present = fields["presence"] >= self._config.present_above
            changed = present != before.get(target, True)
            event = ("found" if present else "lost") if changed else None
            self.results.append(TargetResult(id=target, present=present, event=event, **fields))
        return tracked

    def _row(self, target: int) -> int:
        if target not in self.ids:
            raise ValueError(f"there is no target {target}")
        return self.ids.index(target)
