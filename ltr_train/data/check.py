"""Counting and verifying a corpus before training on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ltr_train.data.bank import Bank, in_split
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus, Picture
from ltr_train.data.geometry import overlap
from ltr_train.data.pictures import expect_whole, header_size
from networks.config import ModelConfig

_THREADS = 4
# Below this the rectangle of a mask and its box are hardly of the same object.
_AGREE = 0.5
Key = tuple[int, str]
"""Number of the data set, and name of the source."""


@dataclass(slots=True)
class Counts:
    """What one source holds; ``clips`` are those of more than one picture, ``val`` are pictures held out."""

    pictures: int = 0
    boxes: int = 0
    masks: int = 0
    clips: int = 0
    tracks: int = 0
    train: int = 0
    val: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """What was verified.

    Attributes:
        problems: One line each; none where all is well.
        headers: Pictures whose header was read.
        decoded: Pictures that were decoded.
        disagreeing: Masks whose rectangle overlaps their box with an IoU below one half.
        dropped: Boxes left out because less than 2 px a side of them lie in their picture.
    """

    problems: tuple[str, ...]
    headers: int
    decoded: int
    disagreeing: int
    dropped: int


def count(corpus: Corpus, config: PairConfig) -> dict[Key, Counts]:
    """What every source holds, in the order of the configuration."""
    counts: dict[Key, Counts] = defaultdict(Counts)
    lengths: dict[tuple[Key, str], int] = defaultdict(int)
    for picture in corpus.pictures:
        row = counts[_key(picture)]
        row.pictures += 1
        row.boxes += len(picture.annotations)
        row.masks += sum(corpus.annotations[i].mask is not None for i in picture.annotations)
        lengths[_key(picture), picture.clip] += 1
        if in_split(picture.clip, config) == (config.split == "train"):
            row.train += 1
        else:
            row.val += 1
    for (key, _), length in lengths.items():
        counts[key].clips += length > 1
    for track in corpus.tracks:
        counts[_key(_first(corpus, track))].tracks += 1
    return dict(counts)


def pair_shares(corpus: Corpus, config: PairConfig, model: ModelConfig) -> dict[Key, float]:
    """Share of training pairs whose target comes from a source.

    Raises:
        ValueError: The split holds no picture.
    """
    bank = Bank(corpus, config, model)

    def of_annotation(index: int) -> Key:
        return _key(corpus.pictures[corpus.annotations[index].picture])

    kinds: tuple[tuple[float, dict[Key, float]], ...] = (
        (config.video, bank.tracks.shares(lambda track: _key(_first(corpus, corpus.tracks[track])))),
        (config.cutout, bank.cutouts.shares(of_annotation)),
        (config.still, bank.stills.shares(of_annotation)),
        (config.patch, bank.pictures.shares(lambda index: _key(corpus.pictures[index]))),
    )
    total = sum(weight for weight, shares in kinds if shares) or 1.0
    merged: dict[Key, float] = defaultdict(float)
    for weight, shares in kinds:
        for key, share in shares.items():
            merged[key] += weight * share / total
    return dict(merged)


def verify(corpus: Corpus, decode: int) -> Findings:
    """Read the header of every picture, and decode a sample.

    Args:
        corpus: What was indexed; what could not be is in its ``sets``.
        decode: Pictures to decode, evenly spaced over the corpus.
    """
    pictures = corpus.pictures
    problems = [f"{found.name}: {problem}" for found in corpus.sets for problem in found.problems]
    with ThreadPoolExecutor(_THREADS) as pool:
        headers = list(pool.map(_tried(_same_size), pictures))
        readable = [picture for picture, problem in zip(pictures, headers, strict=True) if problem is None]
        sample = readable[:: -(-len(readable) // decode)] if decode and readable else []
        decoded = list(pool.map(_tried(_decodes), sample))
    masked = [a for a in corpus.annotations if a.mask is not None]
    disagreeing = 0
    for annotation in masked:
        mask, box = annotation.mask, annotation.box
        assert mask is not None
        common = overlap((mask.x, mask.y, mask.width, mask.height), box)
        disagreeing += common < _AGREE * (mask.width * mask.height + box[2] * box[3] - common)
    dropped = sum(sum(found.dropped.values()) for found in corpus.sets)
    wrong = [problem for problem in (*headers, *decoded) if problem is not None]
    return Findings((*problems, *wrong), len(pictures), len(sample), disagreeing, dropped)


def _same_size(picture: Picture) -> None:
    size = header_size(picture.path)
    if size != picture.native:
        raise ValueError(
            f"picture '{picture.path}' is {size[0]} x {size[1]} px; its annotation or the first picture of its clip "
            f"says {picture.native[0]} x {picture.native[1]}"
        )


def _decodes(picture: Picture) -> None:
    expect_whole(picture.path)
    picture.image  # noqa: B018


def _tried(act: Callable[[Picture], object]) -> Callable[[Picture], str | None]:
    def attempt(picture: Picture) -> str | None:
        try:
            act(picture)
        except ValueError as error:
            return str(error)
        return None

    return attempt


def _key(picture: Picture) -> Key:
    return picture.data_set, picture.source


def _first(corpus: Corpus, track: tuple[int, ...]) -> Picture:
    return corpus.pictures[corpus.annotations[track[0]].picture]
