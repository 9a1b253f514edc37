"""Where targets begin, from a JSON file: a detector's boxes, or boxes drawn elsewhere."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORM = (
    'expected [x, y, w, h], {"box": [x, y, w, h], "label": "cup"}, or a COCO detection '
    '{"image_id": 1, "category_id": 1, "bbox": [x, y, w, h]}, in 0-based pixels of the first frame, w and h above 0'
)


@dataclass(frozen=True)
class InitialBox:
    """A target in the first frame."""

    box: tuple[float, float, float, float]
    """(x, y, w, h), 0-based pixels."""
    label: str | None = None
    """What it is, where the file says so."""

    @property
    def presence(self) -> float:
        """1: a box that is given is not in doubt."""
        return 1.0


def read_initial_boxes(path: str | Path) -> list[InitialBox]:
    """The targets that a JSON file names (docs/embedding.md shows every form).

    A list, each entry of one of these forms:

    * ``[x, y, w, h]``;
    * an object with ``box`` or ``bbox``, and if one likes ``label`` and ``frame``, which must be 0;
    * a COCO detection, ``{"image_id": 1, "category_id": 1, "bbox": [x, y, w, h], "score": 0.9}``.

    Or a COCO annotation file; its categories become labels. COCO entries must be of one and the same image. Every box
    is a target, whatever its score.

    Raises:
        ValueError: the file cannot be read or has no box; or an entry is of another form: the message names the file,
            the entry, counted from 1, and what was expected.
    """
    path = Path(path)
    content = _read(path)
    categories: dict[str, str] = {}
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        categories = _categories(content.get("categories"))
        content = content["annotations"]
    if not isinstance(content, list):
        raise ValueError(f"{path} holds no list of boxes: write [[x, y, w, h], ...]; of an entry: {FORM}")
    if not content:
        raise ValueError(f"{path} has no boxes: its list is empty; of an entry: {FORM}")
    found = []
    image: Any = None
    for number, entry in enumerate(content, start=1):
        try:
            found.append(_initial_box(entry, categories))
            here = entry.get("image_id") if isinstance(entry, dict) else None
            image = here if image is None else image
            if here is not None and here != image:
                raise ValueError(
                    f"it is of image_id {here!r}, an earlier one of {image!r}; keep those of the first frame alone"
                )
        except ValueError as error:
            raise ValueError(f"{path}, entry {number}: {error}") from None
    return found


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}; name a JSON file of boxes") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}; write [[x, y, w, h], ...]") from error


def _categories(entries: Any) -> dict[str, str]:
    """Names by their ids, written as JSON: an id may be anything there."""
    listed = entries if isinstance(entries, list) else []
    named = [entry for entry in listed if isinstance(entry, dict) and {"id", "name"} <= entry.keys()]
    return {json.dumps(entry["id"]): str(entry["name"]) for entry in named}


def _initial_box(entry: Any, categories: dict[str, str]) -> InitialBox:
    if not isinstance(entry, dict):
        return InitialBox(_box(entry))
    keys = [key for key in ("box", "bbox") if key in entry]
    if len(keys) != 1:
        raise ValueError(f"it has {'both box and bbox' if keys else 'neither box nor bbox'}; {FORM}")
    if entry.get("frame", 0) != 0:
        raise ValueError(f"its frame is {entry['frame']!r}, but targets begin in frame 0, the first one; leave it out")
    label = entry.get("label", categories.get(json.dumps(entry.get("category_id"))))
    if not isinstance(label, str | None):
        raise ValueError(f"its label is {label!r}, not a text; {FORM}")
    return InitialBox(_box(entry[keys[0]]), label)


def _box(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_finite, value)):
        shown = json.dumps(value)
        raise ValueError(f"{shown if len(shown) <= 60 else shown[:60] + ' ...'} is not a box; {FORM}")
    x, y, w, h = map(float, value)
    if w <= 0 or h <= 0:
        raise ValueError(f"the box {json.dumps(value)} has no size; {FORM}")
    return x, y, w, h


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
