"""What every source of frames gives and how it fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

USUAL_FPS = 25.0
"""Taken where a source bears no rate of its own."""


class SourceError(Exception):
    """A source that gives no frames; the message is one line and says how to mend it."""


class SourceDamaged(SourceError):
    """A source that broke off; every frame before the damage was given."""


@dataclass(frozen=True)
class Frame:
    """One frame of a source."""

    image: NDArray[np.uint8]
    """H x W x 3, BGR."""
    index: int
    """0 for the first frame given, then consecutive."""
    time_s: float
    """Seconds since the first frame: the video's own time stamps, or the clock for live sources."""


class Source(ABC):
    """An iterator over `Frame`, once from beginning to end; a context manager that closes what it opened.

    Raises:
        SourceDamaged: from the iteration, after the last good frame, where the source broke off.
    """

    def __init__(self, location: str, name: str) -> None:
        self.location = location
        """What the user named, without passwords."""
        self.name = name
        """A short name, fit for a folder."""
        self.fps: float | None = None
        self.frame_count: int | None = None
        """Frames that the container declares or the files there are; None where nothing says."""
        self._frames: Generator[Frame, None, None] | None = None
        self._first: Frame | None = None
        self._given = False

    @abstractmethod
    def _read(self) -> Generator[Frame, None, None]:
        """Gives the frames from the first to the last."""

    @abstractmethod
    def _release(self) -> None:
        """Closes the file or device."""

    def first(self) -> Frame:
        """The first frame, read when first asked for; the iteration gives it again.

        Raises:
            SourceError: there is none.
        """
        if self._first is None:
            self._frames = self._read()
            try:
                self._first = next(self._frames)
            except StopIteration:
                raise SourceError(f"{self.location}: no frame can be read; empty or damaged?") from None
            except SourceDamaged as damage:
                raise SourceError(str(damage)) from damage
        return self._first

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if not self._given:
            self._given = True
            return self.first()
        if self._frames is None:
            raise StopIteration
        return next(self._frames)

    def close(self) -> None:
        """Closes the file or device; no frames come afterwards."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
