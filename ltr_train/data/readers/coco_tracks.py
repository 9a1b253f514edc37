"""COCO format with tracks: the reader for data sets of one's own.

Layout: a folder with ``annotations.json`` and ``images/``, or a folder of such folders, each a source. CVAT's export
("COCO 1.0": ``annotations/instances_default.json``) is read as it is. Boxes are ``[x, y, w, h]`` in pixels of the
stored picture, 0-based (pixel ``i`` covers ``[i, i + 1)``). A mask comes as ``segmentation`` (polygons or run
lengths) or as ``mask_file``, a PNG of that one annotation.

Pictures of a clip carry ``video_id`` and ``frame_index``, their annotations ``track_id`` (unique within one clip; also
in ``attributes``). Where annotations have tracks and no picture has a ``video_id``, the file is one clip in the order
of file names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ltr_train.data.readers.clips import Clip, Frame, expect_folder
from ltr_train.data.readers.coco_file import CocoFile, Entry, read_coco, size_of, track_id
from ltr_train.data.readers.options import SetConfig

_INDICES = ("annotations.json", "annotations/instances_default.json")
_LAYOUT = "a folder of sources, each with annotations.json and images/"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Stills and clips of all sources, or of those among them that ``names`` names."""
    if config.split is not None:
        raise ValueError(f"split '{config.split}' is unknown: COCO files with tracks have no splits")
    expect_folder(root, _LAYOUT)
    # A root that is a source is known by its folder's name, also where it is given as ".".
    folders = [root.resolve()] if _index(root) else sorted(f for f in root.iterdir() if _index(f))
    if not folders:
        raise ValueError(f"no source in '{root}'; expected {root}/<source>/annotations.json")
    named = set(config.names or ())
    if named and named <= {folder.name for folder in folders}:
        folders = [folder for folder in folders if folder.name in named]
    return [clip for folder in folders for clip in _source(folder, config.every)]


def _index(folder: Path) -> Path | None:
    return next((folder / name for name in _INDICES if (folder / name).is_file()), None)


def _source(folder: Path, every: int) -> Iterator[Clip]:
    content = read_coco(_index(folder) or folder / _INDICES[0], _LAYOUT)
    images = content.images
    untold = all(image.get("video_id") is None for image in images)
    if untold and any(track_id(note) is not None for notes in content.notes.values() for note in notes):
        in_order = enumerate(sorted(images, key=lambda image: image["file_name"]))
        images = [image | {"video_id": "clip", "frame_index": number} for number, image in in_order]
    clips: dict[tuple[str, bool], list[Entry]] = {}
    for image in images:
        still = image.get("video_id") is None
        clips.setdefault((image["file_name"] if still else str(image["video_id"]), still), []).append(image)
    for (name, still), members in clips.items():
        frames = sorted(members, key=lambda image: int(image.get("frame_index") or 0))[::every]
        yield Clip(folder.name, name, (), partial(_frames, content, folder, frames, not still))


def _frames(content: CocoFile, folder: Path, images: list[Entry], tracked: bool) -> list[Frame]:
    return [
        Frame(
            str(_picture(folder, image["file_name"], content.path)),
            int(image.get("frame_index") or 0),
            content.items(image, folder, tracked),
            size_of(image),
        )
        for image in images
    ]


def _picture(folder: Path, name: str, index: Path) -> Path:
    for path in (folder / "images" / name, folder / "images" / "default" / name):
        if path.is_file():
            return path
    raise ValueError(f"picture '{folder / 'images' / name}' does not exist; '{index}' names it")
