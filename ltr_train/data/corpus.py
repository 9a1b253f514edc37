"""Annotated pictures and clips, as every reader gives them and every pair is made from."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ltr_train.data.masks import Mask
from ltr_train.data.pictures import Size, UInt8Array, cached_decode, decode

__all__ = ["Annotation", "Corpus", "DataSet", "Mask", "Picture"]


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """One box of one picture.

    Attributes:
        picture: Index into ``Corpus.pictures``.
        box: ``(x, y, w, h)`` px of the picture at its working size, 0-based, clipped to the picture.
        category: ``source/name``, so names of different sources are never mixed.
        mask: The object's pixels, where known.
        track: Index into ``Corpus.tracks``, or None for a still.
    """

    picture: int
    box: tuple[float, float, float, float]
    category: str
    mask: Mask | None
    track: int | None


@dataclass(slots=True, eq=False)
class Picture:
    """A picture file, decoded when it is looked at.

    Attributes:
        path: The file.
        native: (width, height) of the file, px.
        width: At the working size, which ``image``, boxes and masks have, px.
        height: At the working size, px.
        source: Name of the source.
        clip: Stable name of the clip, or of the picture itself for a still; what is held out as a whole.
        frame: Frame number within the clip (0 for a still).
        annotations: Indices into ``Corpus.annotations``.
        data_set: Index into ``Corpus.sets``.
        kept: ``image`` where it was decoded for good.
    """

    path: str
    native: Size
    width: int
    height: int
    source: str
    clip: str
    frame: int
    annotations: tuple[int, ...]
    data_set: int = 0
    kept: UInt8Array | None = None

    @property
    def image(self) -> UInt8Array:
        """H x W x 3 uint8 BGR, contiguous, not to be written to.

        Raises:
            ValueError: The file is missing, cannot be decoded, or has another size than the index says.
        """
        return cached_decode(self.path, self.native, (self.width, self.height)) if self.kept is None else self.kept

    def keep(self) -> None:
        """Decode for good."""
        self.kept = decode(self.path, self.native, (self.width, self.height))


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """One entry of the configuration, as it was read.

    Attributes:
        name: Reader and root, as messages give them.
        weight: Share among the sets that offer the same kind of item.
        dropped: Boxes left out because less than 2 px a side of them lie in their picture, by source.
        problems: What could not be read, one line each.
    """

    name: str
    weight: float
    dropped: dict[str, int]
    problems: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Corpus:
    """Pictures, annotations, and tracks (annotation indices of one object in order of time).

    Attributes:
        sets: What the pictures come from.
        in_memory: All pictures and masks are decoded, and shared by processes that fork.
    """

    pictures: list[Picture]
    annotations: list[Annotation]
    tracks: list[tuple[int, ...]]
    sets: tuple[DataSet, ...]
    in_memory: bool = False

    def decoded_bytes(self) -> int:
        """What all pictures and masks take when decoded."""
        pictures = sum(3 * p.width * p.height for p in self.pictures)
        return pictures + sum(a.mask.width * a.mask.height for a in self.annotations if a.mask is not None)

    def keep_decoded(self, threads: int = 4) -> None:
        """Decode everything for good.

        Raises:
            ValueError: A picture is missing, cannot be decoded, or has another size than the index says.
        """
        items: Iterable[Picture | Mask] = [*self.pictures, *(a.mask for a in self.annotations if a.mask is not None)]
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda item: item.keep(), items):
                pass
        self.in_memory = True
