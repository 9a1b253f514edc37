"""The tracker that people use: a box in one frame, tracks in every later one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from networks.boxes import cxcywh_to_xywh, xywh_to_cxcywh
from networks.model import EnergyTracker
from networks.posterior import Posterior
from networks.weights import WeightsInfo
from tracker.config import TrackerConfig
from tracker.engines import EngineName, choose_engine
from tracker.frames import Box, check_box, to_bgr
from tracker.regions import crop
from tracker.search import due, search_frame
from tracker.state import State
from tracker.step import step
from tracker.template import encode_views, renew
from tracker.track import Track

SEARCHED_TOGETHER = 8
"""Most targets whose frames are searched in one batch of crops, so that many lost at once take no more memory."""


class Tracker:
    """Tracks one or several targets through frames that come one by one.

    Args:
        model: the networks; they are fused for inference.
        weights_info: the record of the weights file.
        device: where the networks run.
        seed: of the sampler; the same seed gives the same boxes.
        config: how to track.
        engine: what runs the networks; see `tracker.engines.choose_engine`.
    """

    def __init__(
        self,
        model: EnergyTracker,
        weights_info: WeightsInfo,
        device: torch.device,
        seed: int = 0,
        config: TrackerConfig | None = None,
        engine: EngineName = "torch",
    ) -> None:
        self.model = model.fuse().to(device)
        self.weights_info = weights_info
        self.device = device
        if not 0 <= seed < 2**63:
            raise ValueError(f"the seed must lie between 0 and 2^63 - 1, got {seed}")
        self.seed = seed
        self.config = config or TrackerConfig()
        self.engine = choose_engine(engine, self.model, self.config, device)
        self._state: State | None = None
        self._many = False

    def init(self, frame: Any, box: ArrayLike, rgb: bool = False) -> None:
        """Begins with a frame and the targets' boxes in it.

        Args:
            frame: H x W x 3 uint8 BGR, as OpenCV gives it; grey, alpha, 16-bit and 0-to-1 float frames are converted.
            box: (x, y, w, h) in 0-based pixels, or a list of such for several targets.
            rgb: the frame's channels are red, green, blue.

        Raises:
            ValueError: the frame or a box cannot be used; the message names the box and the frame's size.
        """
        image = to_bgr(frame, rgb)
        boxes: list[Any] = list(box) if isinstance(box, Iterable) else [box]
        if not boxes:
            raise ValueError("give at least one box x, y, w, h")
        many = all(np.ndim(one) == 1 for one in boxes)
        if not many:
            boxes = [box]
        height, width = image.shape[:2]
        self._state = self.start([image] * len(boxes), [check_box(one, width, height) for one in boxes])
        self._many = many

    def start(self, images: Sequence[NDArray[np.uint8]], boxes: Sequence[Box]) -> State:
        """The state of targets at the beginning, one image and box each: what lock-step tracking builds on."""
        with torch.inference_mode(False), torch.no_grad():
            return self._start(images, boxes)

    def _start(self, images: Sequence[NDArray[np.uint8]], boxes: Sequence[Box]) -> State:
        centre = xywh_to_cxcywh(torch.tensor(boxes, dtype=torch.float32, device=self.device).reshape(-1, 4))
        template = encode_views(self.model, images, centre)
        n = len(images)
        count = torch.zeros(n, dtype=torch.int64, device=self.device)
        return State(
            first=template,
            template=template,
            box=centre,
            steady_size=centre[:, 2:],
            frame_size=frame_sizes(images, self.device),
            factor=torch.full((n,), self.model.config.search_factor, device=self.device),
            presence=torch.ones(n, device=self.device),
            lost=count,
            seed=torch.full_like(count, self.seed),
            frame=count.clone(),
        )

    def update(self, frame: Any, rgb: bool = False) -> Track | list[Track]:
        """Tracks through the next frame.

        Args:
            frame: as for `init`; its size may differ from the last one's.
            rgb: the frame's channels are red, green, blue.

        Returns:
            A `Track`, or a list of them where `init` was given a list.

        Raises:
            RuntimeError: `init` was not called.
            ValueError: the frame cannot be used.
        """
        if self._state is None:
            raise RuntimeError("call init(frame, box) before update(frame)")
        image = to_bgr(frame, rgb)
        self._state, boxes, posterior = self.advance(self._state, [image] * len(self._state.box))
        tracks = as_tracks(boxes, posterior)
        return tracks if self._many else tracks[0]

    def advance(self, state: State, images: Sequence[NDArray[np.uint8]]) -> tuple[State, Tensor, Posterior]:
        """One frame of every target, each in its own image; targets that are lost are searched for.

        Args:
            state: of ``N`` targets.
            images: ``N`` frames, H x W x 3 uint8 BGR; a target's frame size may differ from its last one.

        Returns:
            The new state, the boxes ``[N, 4]`` (cx, cy, w, h) in frame pixels, and the posteriors ``[N]``.
        """
        with torch.inference_mode(False), torch.no_grad():
            state = state.resized(frame_sizes(images, state.box.device))
            crops = crop(images, state.region, self.model.config.search_size)
            state, posterior, views = step(self.engine, state, crops, self.config)
            state = renew(self.model, state, images, views, self.config)
            searched = due(state, self.config) if self.config.search else state.lost[:0]
            for begin in range(0, len(searched), SEARCHED_TOGETHER):
                lost = searched[begin : begin + SEARCHED_TOGETHER]
                part, found, seen = search_frame(
                    self.engine, state.select(lost), [images[i] for i in lost.tolist()], self.config
                )
                state = state.put(lost, part)
                posterior = posterior.put(lost[seen], found[seen])
        return state, state.box, posterior


def frame_sizes(images: Sequence[NDArray[np.uint8]], device: torch.device) -> Tensor:
    """``[N, 2]`` (width, height) of frames in pixels."""
    return _sizes(tuple((image.shape[1], image.shape[0]) for image in images), device)


@lru_cache(maxsize=64)
def _sizes(sizes: tuple[tuple[int, int], ...], device: torch.device) -> Tensor:
    return torch.tensor(sizes, dtype=torch.float32, device=device)


def as_tracks(boxes: Tensor, posterior: Posterior) -> list[Track]:
    """One `Track` a target from batched boxes ``[N, 4]`` (cx, cy, w, h) and posteriors."""
    outside = cxcywh_to_xywh(boxes).tolist()
    on_cpu = posterior.to("cpu")
    return [
        Track((x, y, w, h), presence, on_cpu[i])
        for i, ((x, y, w, h), presence) in enumerate(zip(outside, on_cpu.presence.tolist(), strict=True))
    ]
