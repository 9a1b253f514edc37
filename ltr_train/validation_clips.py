"""Clips to validate on by tracking, made of what the training corpus holds out: tracks, stills and absent stretches."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.bank import in_split
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Annotation, Corpus, Picture

LEAST_FRAMES = 8
"""Annotated frames that a track needs to be a clip, and a clip keeps when others are spliced in."""
SPLICED_EVERY = 3
"""One clip in so many gets a stretch without its target."""
_SMALLEST_SIDE = 16.0
_LARGEST_SHARE = 0.4
_ZOOM = 0.65

Box = tuple[float, float, float, float]
_Item = TypeVar("_Item")


class View(NamedTuple):
    """What one frame shows."""

    picture: Picture
    window: Box
    """(x, y, w, h) the shown part of the picture, px."""


@dataclass(frozen=True)
class Clip:
    """A sequence of views of held-out pictures, decoded as they are needed."""

    name: str
    source: str
    origin: str
    """Name of the corpus' clip or still."""
    size: tuple[int, int]
    """(width, height) of the frames, px."""
    views: tuple[View, ...]
    groundtruth: NDArray[np.float64]
    """``[T, 4]`` x, y, w, h in px of the frames, nan where the target is absent."""

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The frames, H x W x 3 uint8 BGR."""
        for view in self.views:
            yield _render(view, self.size)


def held_out_clips(corpus: Corpus, pairs: PairConfig, clips: int, frames: int, seed: int) -> list[Clip]:
    """Clips of what the corpus holds out, evenly over its sources; the same for the same seed.

    Real tracks come first. Where there are too few, stills seen by a camera that pans and zooms make up the number. One
    clip in three is interrupted by frames of another, in which its target is absent, and goes on where it stopped.

    Args:
        corpus: pictures, annotations and tracks.
        pairs: names the held-out share and the sources whose boxes are too loose to be targets.
        clips: most clips.
        frames: most frames of a clip.
        seed: of the choice, the camera and the interruptions.

    Returns:
        As many as there are; none where the corpus holds out nothing that can be tracked.
    """
    rng = np.random.default_rng(seed)
    held_out = pairs.model_copy(update={"split": "val"})
    kept = {
        i
        for i, picture in enumerate(corpus.pictures)
        if picture.source not in pairs.background_only and in_split(picture.clip, held_out)
    }
    chosen = _spread(_track_clips(corpus, kept, frames), clips, rng)
    stills = _spread(_stills(corpus, kept), clips - len(chosen), rng)
    chosen += [_still_clip(corpus.pictures[still.picture], still.box, frames, rng) for still in stills]
    return [
        _interrupted(clip, chosen, frames, rng) if number % SPLICED_EVERY == 0 else clip
        for number, clip in enumerate(chosen)
    ]


def _spread(by_source: dict[str, list[_Item]], count: int, rng: np.random.Generator) -> list[_Item]:
    """At most ``count`` items, of every source in turn."""
    queues = [[items[i] for i in rng.permutation(len(items))] for _, items in sorted(by_source.items())]
    queues = [queues[i] for i in rng.permutation(len(queues))]
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)][:count]


def _track_clips(corpus: Corpus, kept: set[int], frames: int) -> dict[str, list[Clip]]:
    """Every held-out track that is long enough, from its first frame on, by source."""
    pictures: dict[str, list[Picture]] = defaultdict(list)
    for i in sorted(kept, key=lambda i: corpus.pictures[i].frame):
        pictures[corpus.pictures[i].clip].append(corpus.pictures[i])
    found: dict[str, list[Clip]] = defaultdict(list)
    for number, track in enumerate(corpus.tracks):
        members = [corpus.annotations[i] for i in track]
        if members[0].picture not in kept:
            continue
        box_in = {corpus.pictures[member.picture].frame: member.box for member in members}
        first = corpus.pictures[members[0].picture]
        shown = [picture for picture in pictures[first.clip] if picture.frame >= min(box_in)][:frames]
        groundtruth = np.array([box_in.get(picture.frame, (np.nan,) * 4) for picture in shown])
        if np.isfinite(groundtruth[:, 0]).sum() >= LEAST_FRAMES:
            views = tuple(View(picture, (0.0, 0.0, picture.width, picture.height)) for picture in shown)
            name = f"{first.clip} track {number}"
            found[first.source].append(
                Clip(name, first.source, first.clip, (first.width, first.height), views, groundtruth)
            )
    return found


def _stills(corpus: Corpus, kept: set[int]) -> dict[str, list[Annotation]]:
    """Held-out stills' objects that a camera can be led around, one a picture, by source."""
    found: dict[str, dict[int, Annotation]] = defaultdict(dict)
    for annotation in corpus.annotations:
        if annotation.picture not in kept or annotation.track is not None:
            continue
        picture, (_, _, w, h) = corpus.pictures[annotation.picture], annotation.box
        if min(w, h) >= _SMALLEST_SIDE and max(w / picture.width, h / picture.height) <= _LARGEST_SHARE:
            found[picture.source].setdefault(annotation.picture, annotation)
    return {source: list(by_picture.values()) for source, by_picture in found.items()}


def _still_clip(picture: Picture, box: Box, frames: int, rng: np.random.Generator) -> Clip:
    """A still seen by a camera in which the target wanders over the middle of the frame and changes size."""
    width, height = round(_ZOOM * picture.width), round(_ZOOM * picture.height)
    time = np.arange(frames)
    # Two or three turns in sixty frames: up to a tenth of the frame from one to the next.
    phase, rate = rng.uniform(0, 2 * math.pi, 3), rng.uniform(0.1, 0.3, 3)
    u, v, zoom = np.sin(phase + rate * time[:, None]).T
    window_size = _ZOOM * np.exp(0.2 * zoom)[:, None] * (picture.width, picture.height)
    centre = np.array(box[:2]) + 0.5 * np.array(box[2:])
    corner = centre - (0.5 + 0.3 * np.stack((u, v), 1)) * window_size
    corner = np.clip(corner, 0, np.array((picture.width, picture.height)) - window_size)
    scale = (width, height) / window_size
    low = np.clip((np.array(box[:2]) - corner) * scale, 0, (width, height))
    high = np.clip((np.array(box[:2]) + np.array(box[2:]) - corner) * scale, 0, (width, height))
    views = tuple(
        View(picture, (float(x), float(y), float(w), float(h)))
        for (x, y), (w, h) in zip(corner, window_size, strict=True)
    )
    name = f"{picture.clip} still"
    return Clip(name, picture.source, picture.clip, (width, height), views, np.concatenate((low, high - low), 1))


def _interrupted(clip: Clip, others: list[Clip], frames: int, rng: np.random.Generator) -> Clip:
    """The clip with a stretch of another one in its middle; unchanged where there is no other or no room."""
    strangers = [other for other in others if other.origin != clip.origin]
    strangers = [other for other in strangers if other.source != clip.source] or strangers
    if not strangers:
        return clip
    stranger = strangers[int(rng.integers(len(strangers)))]
    gap = min(len(stranger.views), max(LEAST_FRAMES // 2, min(len(clip.views), frames) // 4))
    stay = min(len(clip.views), frames - gap)
    if stay < LEAST_FRAMES:
        return clip
    at = int(rng.integers(stay // 3, 2 * stay // 3 + 1))
    foreign = tuple(View(view.picture, _covering(view.window, clip.size)) for view in stranger.views[:gap])
    truth = clip.groundtruth
    return replace(
        clip,
        name=f"{clip.name}, interrupted by {stranger.name}",
        views=clip.views[:at] + foreign + clip.views[at:stay],
        groundtruth=np.concatenate((truth[:at], np.full((gap, 4), np.nan), truth[at:stay])),
    )


def _covering(window: Box, size: tuple[int, int]) -> Box:
    """The largest part in the middle of a window that has a frame's aspect."""
    x, y, w, h = window
    scale = min(w / size[0], h / size[1])
    width, height = scale * size[0], scale * size[1]
    return x + 0.5 * (w - width), y + 0.5 * (h - height), width, height


def _render(view: View, size: tuple[int, int]) -> NDArray[np.uint8]:
    x, y, w, h = view.window
    image = view.picture.image
    if (x, y) == (0, 0) and (round(w), round(h)) == size == (image.shape[1], image.shape[0]):
        return image
    # warpAffine maps pixel centres: output centre u + 1/2 lies at x + (u + 1/2) * w / width.
    sx, sy = w / size[0], h / size[1]
    matrix = np.array([[sx, 0, x + sx / 2 - 0.5], [0, sy, y + sy / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]
