"""One data set of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from networks.config import StrictModel

ReaderName = Literal["coco_tracks", "got10k", "lasot", "trackingnet", "imagenet_vid", "coco", "youtube_vos", "davis"]


class SetConfig(StrictModel):
    """A data set to train on; docs/datasets.md has a section for each reader."""

    reader: ReaderName
    root: Path = Path(".")
    """Folder of the data set; relative to ``data.root``."""
    split: str | None = None
    """Which part of it; the reader's own choice when left out."""
    weight: float = Field(1.0, gt=0)
    """Share among the sets that offer the same kind of item: tracks, masks, boxes or pictures."""
    names: tuple[str, ...] | None = None
    """Only these sources, clips or classes."""
    every: int = Field(1, ge=1)
    """Take each so-many-th frame of a clip."""
    limit: int | None = Field(None, ge=1)
    """Take the first so many stills or clips of each source."""

    def chosen_split(self, *known: str) -> str:
        """The split; the first of those that the reader knows when left out.

        Raises:
            ValueError: The reader knows no such split.
        """
        split = self.split or known[0]
        if split not in known:
            raise ValueError(f"split '{split}' is unknown; expected one of {', '.join(known)}")
        return split
