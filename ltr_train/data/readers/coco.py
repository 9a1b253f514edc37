"""COCO's instances: stills with boxes and masks.

Layout: ``<root>/annotations/instances_<split>.json`` and the pictures in ``<root>/<split>/`` or
``<root>/images/<split>/``. Split: train2017 when left out; any that has such a file will do. Boxes are 0-based.
``names`` chooses pictures that show one of the classes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ltr_train.data.readers.clips import Clip, Frame, pictures_in
from ltr_train.data.readers.coco_file import CocoFile, Entry, read_coco, size_of
from ltr_train.data.readers.options import SetConfig

SOURCE = "coco"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Pictures of a split, each a clip of its own."""
    split = config.split or "train2017"
    file = root / "annotations" / f"instances_{split}.json"
    content = read_coco(file, f"COCO's annotations/instances_{split}.json beside the pictures in {split}/")
    folder = next((f for f in (root / split, root / "images" / split) if f.is_dir()), None)
    if folder is None:
        raise ValueError(f"folder '{root / split}' does not exist; expected COCO's pictures there or in images/{split}")
    there = set(pictures_in(folder))
    return [
        Clip(SOURCE, image["file_name"], _classes(content, image), partial(_frames, content, image, folder, there))
        for image in content.images
    ]


def _classes(content: CocoFile, image: Entry) -> tuple[str, ...]:
    return tuple({content.category(note) for note in content.notes.get(image["id"], ())})


def _frames(content: CocoFile, image: Entry, folder: Path, there: set[str]) -> list[Frame]:
    path = folder / image["file_name"]
    if image["file_name"] not in there:
        raise ValueError(f"picture '{path}' does not exist; '{content.path}' names it")
    return [Frame(str(path), 0, content.items(image, folder, tracked=False), size_of(image))]
