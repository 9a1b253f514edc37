"""What a split of the corpus offers to draw from, weighted so that large sources do not drown the others."""

import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Annotation, Corpus, Picture
from ltr_train.data.facts import Facts
from ltr_train.data.geometry import Box
from ltr_train.data.weighted import Weighted
from networks.config import ModelConfig

_SMALLEST_SIDE = 6.0
# Grey levels by which a patch must differ from its surroundings to be found again.
_DISTINCT = 22.0
_FLAT = 5.0
# Frames that a track must go on for its cut-outs to be shown one after the other.
_SUCCESSION = 8
# Pictures, and boxes in each, that a patch is looked for in; to decode a picture may cost more than the whole pair.
_PICTURES, _BOXES = 3, 3
# Chosen so that one of the few varied clips is held out; by chance it may be none of them, or too many.
_SALT = "95:"


class Bank:
    """Index of one split of a corpus. Pictures are looked at when they are drawn, not before.

    Args:
        corpus: The pictures and annotations.
        config: Split, held-out share and weights.
        crops: Sizes and factors of the crops that the network takes.

    Attributes:
        pictures: All pictures of the split, by index.
        stills: Annotations that do not fill their picture, flat ones drawn again.
        cutouts: Those of them that have a good mask.
        tracks: Tracks with at least two usable annotations.

    Raises:
        ValueError: The split holds no picture.
    """

    def __init__(self, corpus: Corpus, config: PairConfig, crops: ModelConfig) -> None:
        self.corpus = corpus
        self.crops = crops
        self.facts = Facts()
        self._config = config
        clips = {clip: in_split(clip, config) for clip in {p.clip for p in corpus.pictures}}
        kept = [clips[p.clip] for p in corpus.pictures]
        if not any(kept):
            raise ValueError(
                f"the '{config.split}' split is empty: pairs.holdout ({config.holdout:g}) is the share of clips and "
                "stills held out for val; each goes as a whole, so of few it takes a larger share, and two at least"
            )
        usable = [
            i
            for i, a in enumerate(corpus.annotations)
            if kept[a.picture]
            and corpus.pictures[a.picture].source not in config.background_only
            and min(a.box[2:]) >= _SMALLEST_SIDE
        ]
        still = [i for i in usable if _not_filling(corpus, corpus.annotations[i])]
        masked = [i for i in still if _good_mask(corpus.annotations[i])]
        drawn = [i for i, in_it in enumerate(kept) if in_it]
        self.pictures = self._weigh(drawn, self.corpus.pictures.__getitem__, lambda i: 1.0)
        self.stills = self._weigh(
            still, self._picture_of, lambda i: _context(corpus, corpus.annotations[i]), self._has_texture
        )
        self.cutouts = self._weigh(masked, self._picture_of, lambda i: 1.0, self._has_texture)
        self._peers: dict[str, list[int]] = defaultdict(list)
        for i in still:
            self._peers[corpus.annotations[i].category].append(i)
        self._track: dict[int, list[int]] = defaultdict(list)
        for i in usable:
            track = corpus.annotations[i].track
            if track is not None:
                self._track[track].append(i)
        self.tracks = self._weigh_tracks()
        # What was found out by looking: 0 unknown, 1 textured, 2 flat; and the business of pictures, NaN unknown.
        self._looked = np.zeros(len(corpus.annotations), np.uint8)
        self._business = np.full(len(corpus.pictures), np.nan, np.float32)

    def picture(self, rng: np.random.Generator) -> Picture:
        """Any picture of the split."""
        return self.corpus.pictures[self.pictures.draw(rng)]

    def background(self, rng: np.random.Generator) -> Picture:
        """A picture to stand behind a target; mostly the busier of two, since a flat one hides nothing."""
        first, second = self.pictures.draw(rng), self.pictures.draw(rng)
        if rng.random() < 0.7 and self._busy(second) > self._busy(first):
            return self.corpus.pictures[second]
        return self.corpus.pictures[first]

    def peer(self, annotation: Annotation, rng: np.random.Generator) -> Annotation | None:
        """Another object of the same category, or None where there is none."""
        peers = self._peers[annotation.category]
        for _ in range(4 if peers else 0):
            index = peers[int(rng.integers(len(peers)))]
            other = self.corpus.annotations[index]
            same_object = annotation.track is not None and other.track == annotation.track
            if other is not annotation and not same_object and self._has_texture(index):
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

    def succession(self, annotation: Annotation, count: int) -> list[Annotation]:
        """An annotation with a mask and those of its track that follow, back and forth until there are ``count``.

        They end where a good mask is missing, or where the look jumps. A still, or what lasts for less than eight
        frames, gives the same annotation ``count`` times.
        """
        found = [annotation]
        members = [] if annotation.track is None else self._track[annotation.track]
        later = [self.corpus.annotations[i] for i in members]
        for following in later[later.index(annotation) + 1 :] if later else ():
            if len(found) == count or not _good_mask(following) or _jumps(found[-1], following):
                break
            found.append(following)
        if len(found) < _SUCCESSION:
            return [annotation] * count
        there_and_back = found + found[-2:0:-1]
        return [there_and_back[i % len(there_and_back)] for i in range(count)]

    def patch(self, rng: np.random.Generator, smallest: float, largest: float) -> tuple[Picture, Box]:
        """A box with a face of its own: sqrt(w * h) log-uniform in source pixels, aspect log-normal."""
        best: tuple[float, Picture, Box] | None = None
        for _ in range(_PICTURES):
            picture = self.picture(rng)
            for _ in range(_BOXES):
                box = _random_box(picture, rng, smallest, largest)
                energy = texture(picture, box)
                if energy > _DISTINCT:
                    return picture, box
                if best is None or energy > best[0]:
                    best = (energy, picture, box)
        assert best is not None
        return best[1], best[2]

    def _has_texture(self, annotation: int) -> bool:
        if not self._looked[annotation]:
            found = self.corpus.annotations[annotation]
            flat = texture(self.corpus.pictures[found.picture], found.box) <= _FLAT
            self._looked[annotation] = 2 if flat else 1
        return bool(self._looked[annotation] == 1)

    def _busy(self, picture: int) -> float:
        """Mean absolute gradient of a picture's thumbnail, grey levels."""
        if math.isnan(self._business[picture]):
            thumbnail = cv2.resize(self.corpus.pictures[picture].image, (32, 32))
            grey = cv2.cvtColor(thumbnail, cv2.COLOR_BGR2GRAY).astype(np.float32)
            self._business[picture] = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
        return float(self._business[picture])

    def _picture_of(self, annotation: int) -> Picture:
        return self.corpus.pictures[self.corpus.annotations[annotation].picture]

    def _weigh(
        self,
        items: list[int],
        picture_of: Callable[[int], Picture],
        weight_of: Callable[[int], float],
        accept: Callable[[int], bool] | None = None,
    ) -> Weighted:
        """Sources of a set by the root of their weight, and by ``still_weights``."""

        def source_weight(source: str, raw: float) -> float:
            return math.sqrt(raw) * self._config.still_weights.get(source, 1.0)

        return self._shared(items, picture_of, weight_of, source_weight, accept)

    def _weigh_tracks(self) -> Weighted:
        """Sources of a set by ``video_weights`` alone, tracks of a source by the root of their length."""
        return self._shared(
            [track for track, members in self._track.items() if len(members) > 1],
            lambda track: self._picture_of(self._track[track][0]),
            lambda track: math.sqrt(len(self._track[track])),
            lambda source, _: self._config.video_weights.get(source, 1.0),
        )

    def _shared(
        self,
        items: Iterable[int],
        picture_of: Callable[[int], Picture],
        weight_of: Callable[[int], float],
        source_weight: Callable[[str, float], float],
        accept: Callable[[int], bool] | None = None,
    ) -> Weighted:
        """Items weighted within their source, sources within their set, and sets among those that have any item."""
        members: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for item in items:
            picture = picture_of(item)
            members[picture.data_set][picture.source].append(item)
        order: list[int] = []
        weights: list[float] = []
        for number, sources in members.items():
            raw = {source: [weight_of(item) for item in mine] for source, mine in sources.items()}
            total = {source: sum(each) for source, each in raw.items()}
            wanted = {source: source_weight(source, total[source]) for source in sources}
            scale = self.corpus.sets[number].weight / (sum(wanted.values()) or 1.0)
            for source, mine in sources.items():
                order += mine
                weights += [scale * wanted[source] / total[source] * each for each in raw[source]]
        if not sum(weights):
            return Weighted((), ())
        return Weighted(order, weights, accept)


def in_split(clip: str, config: PairConfig) -> bool:
    """Whether a clip or still belongs to the configured split, by a hash of its name that never changes."""
    held_out = zlib.crc32((_SALT + clip).encode()) / 2**32 < config.holdout
    return held_out == (config.split == "val")


def texture(picture: Picture, box: Box) -> float:
    """How far a box differs from itself moved by half its size, in grey levels; least of eight directions.

    A flat patch, a lone edge (it slides along itself) and even grass (it averages out here) all score low.
    """
    x, y, w, h = box
    width, height = picture.width, picture.height
    x0, y0 = max(0, int(x - 0.5 * w)), max(0, int(y - 0.5 * h))
    x1, y1 = min(width, math.ceil(x + 1.5 * w)), min(height, math.ceil(y + 1.5 * h))
    around = cv2.resize(picture.image[y0:y1, x0:x1], (16, 16), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(around, cv2.COLOR_BGR2GRAY).astype(np.float32)
    middle = grey[4:12, 4:12]
    shifts = [(dy, dx) for dy in (0, 4, 8) for dx in (0, 4, 8) if (dy, dx) != (4, 4)]
    return float(min(np.abs(grey[dy : dy + 8, dx : dx + 8] - middle).mean() for dy, dx in shifts))


def _random_box(picture: Picture, rng: np.random.Generator, smallest: float, largest: float) -> Box:
    width, height = picture.width, picture.height
    bound = max(smallest + 1.0, min(largest, 0.45 * min(width, height)))
    size = math.exp(rng.uniform(math.log(smallest), math.log(bound)))
    aspect = math.exp(float(np.clip(rng.normal(0.0, 0.35), -0.9, 0.9)))
    w, h = min(size * aspect, 0.9 * width), min(size / aspect, 0.9 * height)
    return rng.uniform(0.0, width - w), rng.uniform(0.0, height - h), w, h


def _not_filling(corpus: Corpus, annotation: Annotation) -> bool:
    picture = corpus.pictures[annotation.picture]
    width, height = picture.width, picture.height
    return annotation.box[2] * annotation.box[3] < 0.75 * width * height


def _context(corpus: Corpus, annotation: Annotation) -> float:
    """Share of the search region that the object's own picture can fill."""
    picture = corpus.pictures[annotation.picture]
    width, height = picture.width, picture.height
    side = 4.0 * math.sqrt(annotation.box[2] * annotation.box[3])
    return max(0.05, min(1.0, width / side) * min(1.0, height / side))


def _jumps(first: Annotation, second: Annotation) -> bool:
    """A side of a box changes by more than a sixth from one frame to the next, and by more than two pixels."""
    before, after = np.array(first.box[2:]), np.array(second.box[2:])
    return bool((np.abs(after - before) > np.maximum(2.0, before / 6.0)).any())


def _good_mask(annotation: Annotation) -> bool:
    mask = annotation.mask
    return (
        mask is not None
        and mask.area >= 150
        and min(mask.width, mask.height) >= 8
        and mask.area > 0.22 * mask.width * mask.height
    )
