"""Tracks in COCO's format: as annotations to correct or train on, and as results to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ebtrack.adapters.numbering import Placed, numbered

UNNAMED = "object"
DECIMALS = 4
"""Of a pixel, as in the other box files."""


class CocoTracks:
    """Collects the frames of one video.

    Args:
        labels: what a target is, by its number; `UNNAMED` for the others.
        present_above: P(present) from which a target is annotated in a frame.
    """

    def __init__(self, labels: Mapping[int, str] | None = None, present_above: float = 0.5) -> None:
        self._labels = dict(labels or {})
        self._present_above = present_above
        self._images: list[dict[str, Any]] = []
        self._seen: list[dict[str, Any]] = []

    def add(
        self, file_name: str, size: tuple[int, int], tracks: Placed | Sequence[Placed], ids: Sequence[int] | None = None
    ) -> None:
        """Adds the next frame; images count from 1.

        Args:
            file_name: of the frame's picture, relative to the folder of pictures.
            size: (width, height) of the frame in pixels.
            tracks: as `Tracker.update` gives them, or the `InitialBox`es of the first frame.
            ids: numbers of the targets; 1, 2, ... when left out.

        Raises:
            ValueError: there are not as many ids as tracks, or one comes twice.
        """
        targets = numbered(tracks, ids)
        number = len(self._images) + 1
        width, height = size
        self._images.append(
            {"id": number, "file_name": file_name, "width": width, "height": height}
            | {"video_id": 1, "frame_index": number - 1}
        )
        for target, track in targets:
            bbox = [round(value, DECIMALS) for value in track.box]
            self._seen.append({"image_id": number, "track_id": target, "bbox": bbox, "score": round(track.presence, 6)})

    @property
    def annotations(self) -> dict[str, Any]:
        """The content of an annotation file, with `track_id`s, of the targets that are present.

        ``ebtrack train`` reads it as a data set of one's own (docs/datasets.md), annotation tools open it.
        """
        known = self._categories
        present = (seen for seen in self._seen if seen["score"] >= self._present_above)
        return {
            "images": self._images,
            "annotations": [
                {
                    "id": number,
                    "image_id": seen["image_id"],
                    "category_id": known[self._label(seen)],
                    "track_id": seen["track_id"],
                    "bbox": seen["bbox"],
                    "area": round(seen["bbox"][2] * seen["bbox"][3], DECIMALS),
                    "iscrowd": 0,
                }
                for number, seen in enumerate(present, start=1)
            ],
            "categories": [{"id": number, "name": name} for name, number in known.items()],
        }

    @property
    def results(self) -> list[dict[str, Any]]:
        """The content of a results file, as pycocotools' ``loadRes`` takes it: every target in every frame, absent
        or not, with P(present) as its score."""
        known = self._categories
        return [{**seen, "category_id": known[self._label(seen)]} for seen in self._seen]

    @property
    def _categories(self) -> dict[str, int]:
        """Names and their ids, in the order of the alphabet."""
        names = sorted({self._label(seen) for seen in self._seen})
        return {name: number for number, name in enumerate(names, start=1)}

    def _label(self, seen: Mapping[str, Any]) -> str:
        return self._labels.get(seen["track_id"], UNNAMED)
