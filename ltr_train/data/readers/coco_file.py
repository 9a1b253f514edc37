"""Files in COCO's format: pictures, categories, and annotations with boxes and masks."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ltr_train.data.masks import RawMask
from ltr_train.data.pictures import Size
from ltr_train.data.readers.clips import Item

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CocoFile:
    """What one file says.

    Attributes:
        path: The file.
        images: Entries of ``images``.
        notes: Entries of ``annotations`` by ``image_id``.
        names: Names of categories by their ids.
    """

    path: Path
    images: list[Entry]
    notes: dict[Any, list[Entry]]
    names: dict[Any, str]

    def category(self, note: Entry) -> str:
        """Name of an annotation's category; ``object`` where it has none."""
        return self.names.get(note.get("category_id"), "object")

    def items(self, image: Entry, folder: Path, tracked: bool) -> tuple[Item, ...]:
        """Objects of a picture, crowds left out.

        Args:
            image: Its entry.
            folder: What ``mask_file`` is relative to.
            tracked: Read ``track_id`` of the annotation, or of its ``attributes`` where CVAT puts it.

        Raises:
            ValueError: An annotation has no box, or its mask file cannot be read.
        """
        return tuple(
            Item(self._box(note), self.category(note), track_id(note) if tracked else None, _mask(folder, note))
            for note in self.notes.get(image["id"], ())
            if not note.get("iscrowd")
        )

    def _box(self, note: Entry) -> tuple[float, float, float, float]:
        try:
            x, y, width, height = (float(v) for v in note["bbox"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"annotation {note.get('id')} in '{self.path}' has no bbox of four numbers") from error
        return x, y, width, height


def read_coco(path: Path, layout: str) -> CocoFile:
    """Reads a file.

    Raises:
        ValueError: It is missing or not COCO format; the message gives the layout that was expected.
    """
    if not path.is_file():
        raise ValueError(f"'{path}' does not exist; expected {layout}")
    notes: dict[Any, list[Entry]] = defaultdict(list)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        images = [image | {"id": image["id"], "file_name": str(image["file_name"])} for image in content["images"]]
        names = {c["id"]: str(c["name"]) for c in content.get("categories", ())}
        for note in content["annotations"]:
            notes[note["image_id"]].append(note)
        stray = next(iter(notes.keys() - {image["id"] for image in images}), None)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"'{path}' is not COCO format (images, annotations, categories): {error!r}") from error
    if stray is not None:
        raise ValueError(f"'{path}' has annotations of image_id {stray!r}, but no such id among its images")
    return CocoFile(path, images, dict(notes), names)


def size_of(image: Entry) -> Size | None:
    """(width, height) that an entry states, or None."""
    width, height = image.get("width"), image.get("height")
    return (int(width), int(height)) if width and height else None


def track_id(note: Entry) -> str | None:
    """Name of the track an annotation belongs to, or None."""
    found = note.get("track_id", (note.get("attributes") or {}).get("track_id"))
    return None if found is None else str(found)


def _mask(folder: Path, note: Entry) -> RawMask | None:
    if note.get("mask_file"):
        path = folder / note["mask_file"]
        full = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
        if full is None:
            raise ValueError(f"mask '{path}' is missing or unreadable; an annotation names it as mask_file")
        return np.asarray(full, np.uint8)
    found: RawMask | None = note.get("segmentation")
    return found or None
