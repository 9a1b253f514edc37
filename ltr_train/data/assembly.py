"""From the clips of readers to a corpus: boxes and masks at the working size, tracks, and what had to be left out."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ltr_train.data.corpus import Annotation, Corpus, Mask, Picture
from ltr_train.data.geometry import Box
from ltr_train.data.masks import make_mask
from ltr_train.data.pictures import Size, header_size, working_size
from ltr_train.data.readers import Clip
from ltr_train.data.readers.clips import Frame, Item

_SMALLEST = 2.0


@dataclass(frozen=True, slots=True)
class _Sized:
    """A frame at its working size; ``items`` are its objects without the degenerate ones."""

    frame: Frame
    native: Size
    size: Size
    items: tuple[tuple[Box, Mask | None, Item], ...]


@dataclass(slots=True)
class Assembly:
    """Collects clips, several of which are read at a time.

    Args:
        longest: Longer side of a picture at its working size, at the most, px.
    """

    longest: int
    corpus: Corpus = field(default_factory=lambda: Corpus([], [], [], ()))

    def add(self, clips: Sequence[Clip], data_set: int, pool: ThreadPoolExecutor) -> tuple[dict[str, int], list[str]]:
        """Read clips of data set number ``data_set``.

        Returns:
            Boxes dropped, by source; what could not be read, one line each.
        """
        dropped: Counter[str] = Counter()
        problems: list[str] = []
        for clip, sized in zip(clips, pool.map(self._read, clips), strict=True):
            if isinstance(sized, str):
                problems.append(sized)
            else:
                self._append(clip, sized, data_set)
                dropped[clip.source] += sum(len(found.frame.items) - len(found.items) for found in sized)
        return dict(dropped), problems

    def _read(self, clip: Clip) -> list[_Sized] | str:
        """The frames of a clip, or what is wrong with it."""
        try:
            frames = clip.read()
            unsized = any(frame.size is None for frame in frames)
            # Frames of a clip have one size; `ebtrack data check` looks at all of them.
            first = header_size(frames[0].path) if unsized else (0, 0)
            return [self._sized(frame, frame.size or first) for frame in frames]
        except (ValueError, TypeError) as error:
            return f"{clip.source}/{clip.name}: {error}"

    def _sized(self, frame: Frame, native: Size) -> _Sized:
        size = working_size(native, self.longest)
        items = []
        for item in frame.items:
            box = scaled_box(item.box, native, size)
            if box is not None:
                mask = None if item.mask is None else make_mask(item.mask, native, size)
                items.append((box, mask, item))
        return _Sized(frame, native, size, tuple(items))

    def _append(self, clip: Clip, frames: Sequence[_Sized], data_set: int) -> None:
        corpus, name = self.corpus, f"{clip.source}/{clip.name}"
        tracks: dict[str, list[int]] = {}
        numbers: dict[str, int] = {}
        for found in frames:
            first = len(corpus.annotations)
            for box, mask, item in found.items:
                track = None
                if item.track is not None:
                    track = numbers.setdefault(item.track, len(corpus.tracks) + len(numbers))
                    tracks.setdefault(item.track, []).append(len(corpus.annotations))
                category = sys.intern(f"{clip.source}/{item.category}")
                corpus.annotations.append(Annotation(len(corpus.pictures), box, category, mask, track))
            mine = tuple(range(first, len(corpus.annotations)))
            corpus.pictures.append(
                Picture(
                    found.frame.path, found.native, *found.size, clip.source, name, found.frame.number, mine, data_set
                )
            )
        corpus.tracks.extend(tuple(members) for members in tracks.values())


def scaled_box(box: Sequence[float], native: Size, size: Size) -> Box | None:
    """``(x, y, w, h)`` in native pixels, in those of the working size and clipped to the picture.

    Returns:
        None where less than 2 px a side are left, or a number is not finite.
    """
    if not all(math.isfinite(value) for value in box):
        return None
    sx, sy = size[0] / native[0], size[1] / native[1]
    x0, y0 = max(0.0, box[0] * sx), max(0.0, box[1] * sy)
    x1, y1 = min(float(size[0]), (box[0] + box[2]) * sx), min(float(size[1]), (box[1] + box[3]) * sy)
    return (x0, y0, x1 - x0, y1 - y0) if x1 - x0 >= _SMALLEST and y1 - y0 >= _SMALLEST else None
