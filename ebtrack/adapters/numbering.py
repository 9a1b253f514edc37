"""Targets and their numbers, as every output of a frame needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Placed(Protocol):
    """A target in a frame: a `Track`, or the `InitialBox` that it began with."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x, y, w, h), 0-based pixels of the frame."""

    @property
    def presence(self) -> float:
        """P(present), in [0, 1]."""


P = TypeVar("P", bound=Placed)


def numbered(tracks: P | Sequence[P], ids: Sequence[int] | None) -> list[tuple[int, P]]:
    """Each target's number, and the target.

    Args:
        tracks: of one frame, as `Tracker.update` gives them: one, or a list.
        ids: a number for each; 1, 2, ... when left out.

    Raises:
        ValueError: there are not as many numbers as targets, or a number comes twice.
    """
    listed = list(tracks) if isinstance(tracks, Sequence) else [tracks]
    numbers = list(range(1, len(listed) + 1)) if ids is None else [int(number) for number in ids]
    if len(numbers) != len(listed):
        raise ValueError(f"ids must hold a number for each of the {len(listed)} targets, got {len(numbers)}")
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"each target needs a number of its own, got ids {numbers}")
    return list(zip(numbers, listed, strict=True))
