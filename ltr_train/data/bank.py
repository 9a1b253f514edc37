"""What a split of the corpus offers to draw from, weighted so that large sources do not drown the others."""

import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from ltr_train.data.coco_tracks import Annotation, Corpus, Picture
from ltr_train.data.config import PairConfig
from ltr_train.data.geometry import Box
from networks.config import ModelConfig

_SMALLEST_SIDE = 6.0
# Grey levels by which a patch must differ from its surroundings to be found again.
_DISTINCT = 22.0
_FLAT = 5.0
# Chosen so that one of the few varied clips is held out; by chance it may be none of them, or too many.
_SALT = "95:"


class Weighted:
    """Draws items with fixed weights; ``Generator.choice`` would rebuild its table at every draw."""

    def __init__(self, items: Sequence[int], weights: Sequence[float]) -> None:
        """Args: items to draw; their weights (any positive scale)."""
        self._items = list(items)
        total = np.cumsum(np.asarray(weights, np.float64))
        self._cumulative = total / total[-1] if len(total) else total

    def __len__(self) -> int:
        return len(self._items)

    def draw(self, rng: np.random.Generator) -> int:
        """One item."""
        at = int(np.searchsorted(self._cumulative, rng.random(), side="right"))
        return self._items[min(at, len(self._items) - 1)]


class Bank:
    """Index of one split of a corpus.

    Args:
        corpus: The pictures and annotations.
        config: Split, held-out share and weights.
        crops: Sizes and factors of the crops that the network takes.

    Raises:
        ValueError: The split holds no picture.
    """

    def __init__(self, corpus: Corpus, config: PairConfig, crops: ModelConfig) -> None:
        self.corpus = corpus
        self.crops = crops
        self._config = config
        kept = {i for i, p in enumerate(corpus.pictures) if in_split(p.clip, config)}
        if not kept:
            raise ValueError(
                f"the '{config.split}' split is empty; expected pictures in the corpus, and for a val split "
                f"a large enough holdout (now {config.holdout})"
            )
        usable = [
            i
            for i, a in enumerate(corpus.annotations)
            if a.picture in kept
            and corpus.pictures[a.picture].source not in config.background_only
            and min(a.box[2:]) >= _SMALLEST_SIDE
        ]
        still = [i for i in usable if _not_filling(corpus, corpus.annotations[i]) and self._has_texture(i)]
        masked = [i for i in still if _good_mask(corpus.annotations[i])]
        self.pictures = self._by_source(sorted(kept), lambda i: corpus.pictures[i].source, lambda i: 1.0)
        self.stills = self._by_source(still, self._source_of, lambda i: _context(corpus, corpus.annotations[i]))
        self.cutouts = self._by_source(masked, self._source_of, lambda i: 1.0)
        self._peers: dict[str, list[int]] = defaultdict(list)
        for i in still:
            self._peers[corpus.annotations[i].category].append(i)
        self._track: dict[int, list[int]] = defaultdict(list)
        for i in usable:
            track = corpus.annotations[i].track
            if track is not None:
                self._track[track].append(i)
        self.tracks = self._weigh_tracks()

    def picture(self, rng: np.random.Generator) -> Picture:
        """Any picture of the split."""
        return self.corpus.pictures[self.pictures.draw(rng)]

    def background(self, rng: np.random.Generator) -> Picture:
        """A picture to stand behind a target; mostly the busier of two, since a flat one hides nothing."""
        first, second = self.picture(rng), self.picture(rng)
        busier = second if _business(second) > _business(first) else first
        return busier if rng.random() < 0.7 else first

    def peer(self, annotation: Annotation, rng: np.random.Generator) -> Annotation | None:
        """Another object of the same category, or None where there is none."""
        peers = self._peers[annotation.category]
        for _ in range(4):
            other = self.corpus.annotations[peers[int(rng.integers(len(peers)))]] if peers else annotation
            same_object = annotation.track is not None and other.track == annotation.track
            if other is not annotation and not same_object:
                return other
        return None

    def any_object(self, rng: np.random.Generator) -> Annotation:
        """An object with a mask, or where there is none any object.

        Raises:
            ValueError: The split has no object.
        """
        pool = self.cutouts if len(self.cutouts) else self.stills
        if not len(pool):
            raise ValueError(f"the '{self._config.split}' split holds no annotated object; expected boxes")
        return self.corpus.annotations[pool.draw(rng)]

    def two_frames(self, track: int, rng: np.random.Generator) -> tuple[Annotation, Annotation]:
        """Two annotations of a track; the gap is log-uniform: short ones prevail, the whole clip occurs."""
        members = self._track[track]
        gap = min(len(members) - 1, int(math.exp(rng.uniform(0.0, math.log(len(members))))))
        first = int(rng.integers(len(members) - gap))
        pair = (self.corpus.annotations[members[first]], self.corpus.annotations[members[first + gap]])
        return pair if rng.random() < 0.6 else (pair[1], pair[0])

    def has_frames(self, annotation: Annotation) -> bool:
        """Whether its track has at least two usable annotations."""
        return annotation.track is not None and len(self._track[annotation.track]) > 1

    def patch(self, rng: np.random.Generator, smallest: float, largest: float) -> tuple[Picture, Box]:
        """A box with a face of its own: sqrt(w * h) log-uniform in source pixels, aspect log-normal."""
        best: tuple[float, Picture, Box] | None = None
        for _ in range(8):
            picture = self.picture(rng)
            height, width = picture.image.shape[:2]
            bound = max(smallest + 1.0, min(largest, 0.45 * min(width, height)))
            size = math.exp(rng.uniform(math.log(smallest), math.log(bound)))
            aspect = math.exp(float(np.clip(rng.normal(0.0, 0.35), -0.9, 0.9)))
            w, h = min(size * aspect, 0.9 * width), min(size / aspect, 0.9 * height)
            box = (rng.uniform(0.0, width - w), rng.uniform(0.0, height - h), w, h)
            energy = texture(picture, box)
            if best is None or energy > best[0]:
                best = (energy, picture, box)
            if energy > _DISTINCT:
                break
        assert best is not None
        return best[1], best[2]

    def _has_texture(self, annotation: int) -> bool:
        found = self.corpus.annotations[annotation]
        return texture(self.corpus.pictures[found.picture], found.box) > _FLAT

    def _source_of(self, annotation: int) -> str:
        return self.corpus.pictures[self.corpus.annotations[annotation].picture].source

    def _by_source(
        self, items: list[int], source_of: Callable[[int], str], weight_of: Callable[[int], float]
    ) -> Weighted:
        members: dict[str, list[int]] = defaultdict(list)
        for i in items:
            members[source_of(i)].append(i)
        order: list[int] = []
        weights: list[float] = []
        for source, mine in members.items():
            raw = [weight_of(i) for i in mine]
            share = math.sqrt(sum(raw)) * self._config.still_weights.get(source, 1.0)
            order += mine
            weights += [share * w / sum(raw) for w in raw]
        return Weighted(order, weights)

    def _weigh_tracks(self) -> Weighted:
        by_source: dict[str, list[int]] = defaultdict(list)
        for track, members in self._track.items():
            if len(members) > 1:
                by_source[self._source_of(members[0])].append(track)
        order: list[int] = []
        weights: list[float] = []
        for source, tracks in by_source.items():
            lengths = [math.sqrt(len(self._track[t])) for t in tracks]
            share = self._config.video_weights.get(source, 1.0)
            order += tracks
            weights += [share * length / sum(lengths) for length in lengths]
        return Weighted(order, weights)


def in_split(clip: str, config: PairConfig) -> bool:
    """Whether a clip or still belongs to the configured split, by a hash of its name that never changes."""
    held_out = zlib.crc32((_SALT + clip).encode()) / 2**32 < config.holdout
    return held_out == (config.split == "val")


def texture(picture: Picture, box: Box) -> float:
    """How far a box differs from itself moved by half its size, in grey levels; least of eight directions.

    A flat patch, a lone edge (it slides along itself) and even grass (it averages out here) all score low.
    """
    x, y, w, h = box
    height, width = picture.image.shape[:2]
    x0, y0 = max(0, int(x - 0.5 * w)), max(0, int(y - 0.5 * h))
    x1, y1 = min(width, math.ceil(x + 1.5 * w)), min(height, math.ceil(y + 1.5 * h))
    around = cv2.resize(picture.image[y0:y1, x0:x1], (16, 16), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(around, cv2.COLOR_BGR2GRAY).astype(np.float32)
    middle = grey[4:12, 4:12]
    shifts = [(dy, dx) for dy in (0, 4, 8) for dx in (0, 4, 8) if (dy, dx) != (4, 4)]
    return float(min(np.abs(grey[dy : dy + 8, dx : dx + 8] - middle).mean() for dy, dx in shifts))


def _business(picture: Picture) -> float:
    """Mean absolute gradient of a picture's thumbnail, grey levels."""
    small = cv2.cvtColor(cv2.resize(picture.image, (32, 32)), cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(np.diff(small, axis=0)).mean() + np.abs(np.diff(small, axis=1)).mean())


def _not_filling(corpus: Corpus, annotation: Annotation) -> bool:
    height, width = corpus.pictures[annotation.picture].image.shape[:2]
    return annotation.box[2] * annotation.box[3] < 0.75 * width * height


def _context(corpus: Corpus, annotation: Annotation) -> float:
    """Share of the search region that the object's own picture can fill."""
    height, width = corpus.pictures[annotation.picture].image.shape[:2]
    side = 4.0 * math.sqrt(annotation.box[2] * annotation.box[3])
    return max(0.05, min(1.0, width / side) * min(1.0, height / side))


def _good_mask(annotation: Annotation) -> bool:
    if annotation.mask is None:
        return False
    height, width = annotation.mask.pixels.shape
    area = int(annotation.mask.pixels.sum())
    return area >= 150 and min(width, height) >= 8 and area > 0.22 * width * height
