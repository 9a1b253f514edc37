"""YouTube-VOS; boxes are the extents of the masks.

Layout: ``<root>/<split>/JPEGImages/<clip>/00000.jpg``, ``<root>/<split>/Annotations/<clip>/00000.png`` (palette, every
fifth frame) and ``<root>/<split>/meta.json``, which gives the classes of the objects. Split: train (the others have
their first masks only).
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from ltr_train.data.readers.clips import Clip, Frame, expect_folder
from ltr_train.data.readers.indexed_masks import frames_with_masks
from ltr_train.data.readers.options import SetConfig

SOURCE = "youtube_vos"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Clips of a split."""
    folder = root / config.chosen_split("train")
    layout = f"YouTube-VOS's {folder}/ with JPEGImages, Annotations and meta.json"
    for part in ("JPEGImages", "Annotations"):
        expect_folder(folder / part, layout)
    clips = []
    for name, kinds in sorted(_classes(folder / "meta.json", layout).items()):
        groups = tuple(sorted(set(kinds.values())))
        clips.append(Clip(SOURCE, name, groups, partial(_frames, folder, name, kinds, config.every)))
    return clips


def _classes(file: Path, layout: str) -> dict[str, dict[str, str]]:
    if not file.is_file():
        raise ValueError(f"file '{file}' does not exist; expected {layout}")
    try:
        videos = json.loads(file.read_text(encoding="utf-8"))["videos"]
        return {
            clip: {number: str(found["category"]) for number, found in content["objects"].items()}
            for clip, content in videos.items()
        }
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"'{file}' is not YouTube-VOS's meta.json (videos, objects, category): {error!r}") from error


def _frames(folder: Path, name: str, kinds: dict[str, str], every: int) -> list[Frame]:
    def category(number: int) -> str:
        return kinds.get(str(number), "object")

    return frames_with_masks(folder / "Annotations" / name, folder / "JPEGImages" / name, category, every)
