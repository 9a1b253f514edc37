"""Reader of COCO-format sources whose annotations may carry tracks.

A source is a folder with ``annotations.json`` and ``images/``. Boxes are ``[x, y, w, h]`` in pixels of the
stored picture (pixel ``i`` covers ``[i, i + 1)``). A mask comes as ``segmentation`` (polygons or RLE) or as
``mask_file``, a PNG of that one annotation. Pictures of a clip carry ``video_id`` and ``frame_index``, and
their annotations ``track_id`` (unique within one clip).
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The rectangle a mask occupies: ``pixels`` (uint8, 0 or 1), upper left corner at ``(x, y)``."""

    pixels: UInt8Array
    x: int
    y: int


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """One box of one picture.

    Attributes:
        picture: Index into ``Corpus.pictures``.
        box: ``(x, y, w, h)`` px, clipped to the picture.
        category: ``source/name``, so names of different sources are never mixed.
        mask: The object's pixels, where known.
        track: Index into ``Corpus.tracks``, or None for a still.
    """

    picture: int
    box: tuple[float, float, float, float]
    category: str
    mask: Mask | None
    track: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        image: H x W x 3 uint8 BGR.
        source: Name of the source.
        clip: Stable name of the clip, or of the picture itself for a still; what is held out as a whole.
        frame: Frame number within the clip (0 for a still).
        annotations: Indices into ``Corpus.annotations``.
    """

    image: UInt8Array
    source: str
    clip: str
    frame: int
    annotations: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Pictures, annotations, and tracks (annotation indices of one object in order of time)."""

    pictures: list[Picture]
    annotations: list[Annotation]
    tracks: list[tuple[int, ...]]


def load_corpus(
    root: str | Path, sources: Sequence[str] | None = None, limit: int | None = None, threads: int = 4
) -> Corpus:
    """Read and decode sources into memory.

    Args:
        root: Folder that holds one folder per source.
        sources: Names of the sources to read; None reads every source found.
        limit: Keep only the first so many pictures of each source.
        threads: Threads that decode.

    Raises:
        ValueError: A folder or file is missing or unreadable; the message says what was expected.
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(
            f"training data folder '{root}' does not exist; "
            "expected a folder of sources, each with annotations.json and images/"
        )
    if sources is None:
        sources = sorted(p.parent.name for p in root.glob("*/annotations.json"))
        if not sources:
            raise ValueError(f"no source in training data folder '{root}'; expected {root}/<source>/annotations.json")
    pictures: list[Picture] = []
    annotations: list[Annotation] = []
    tracks: dict[tuple[str, str], list[int]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for source in sources:
            _load_source(root / source, limit, pool, pictures, annotations, tracks)
    ordered = [
        tuple(sorted(members, key=lambda i: pictures[annotations[i].picture].frame)) for members in tracks.values()
    ]
    return Corpus(pictures, annotations, ordered)


def _load_source(
    folder: Path,
    limit: int | None,
    pool: ThreadPoolExecutor,
    pictures: list[Picture],
    annotations: list[Annotation],
    tracks: dict[tuple[str, str], list[int]],
) -> None:
    entries, boxes, names = _read_index(folder, limit)
    images = list(pool.map(lambda entry: _decode(folder / "images" / entry["file_name"]), entries))
    work = [(image, raw) for entry, image in zip(entries, images, strict=True) for raw in boxes[entry["id"]]]
    masks = iter(list(pool.map(lambda item: _read_mask(folder, item[1], item[0].shape[:2]), work)))
    track_of = {key: number for number, key in enumerate(tracks)}
    for entry, image in zip(entries, images, strict=True):
        video = entry.get("video_id")
        clip = f"{folder.name}/{entry['file_name'] if video is None else video}"
        mine = []
        for raw in boxes[entry["id"]]:
            mask = next(masks)
            box = _clip(raw["bbox"], image.shape)
            if box is None or raw.get("iscrowd"):
                continue
            track = None
            if video is not None and raw.get("track_id") is not None:
                key = (clip, str(raw["track_id"]))
                track = track_of.setdefault(key, len(track_of))
                tracks.setdefault(key, []).append(len(annotations))
            mine.append(len(annotations))
            category = f"{folder.name}/{names.get(raw.get('category_id'), 'object')}"
            annotations.append(Annotation(len(pictures), box, category, mask, track))
        pictures.append(Picture(image, folder.name, clip, int(entry.get("frame_index") or 0), tuple(mine)))


def _read_index(
    folder: Path, limit: int | None
) -> tuple[list[dict[str, Any]], dict[Any, list[dict[str, Any]]], dict[Any, str]]:
    index = folder / "annotations.json"
    if not index.is_file():
        raise ValueError(f"'{index}' does not exist; expected a COCO-format file of the source '{folder.name}'")
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
        entries = content["images"][:limit]
        names = {c["id"]: str(c["name"]) for c in content.get("categories", [])}
        boxes: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for raw in content["annotations"]:
            boxes[raw["image_id"]].append(raw)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"'{index}' is not COCO format (images, annotations, categories): {error}") from error
    return entries, boxes, names


def _decode(path: Path) -> UInt8Array:
    if not path.is_file():
        raise ValueError(f"picture '{path}' does not exist; annotations.json beside images/ names it")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"'{path}' cannot be decoded as a picture")
    return np.asarray(image, np.uint8)


def _clip(bbox: Sequence[float], shape: tuple[int, ...]) -> tuple[float, float, float, float] | None:
    x0, y0 = max(0.0, float(bbox[0])), max(0.0, float(bbox[1]))
    x1, y1 = min(float(shape[1]), bbox[0] + bbox[2]), min(float(shape[0]), bbox[1] + bbox[3])
    return (x0, y0, x1 - x0, y1 - y0) if x1 - x0 >= 2 and y1 - y0 >= 2 else None


def _coco_mask() -> ModuleType:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ValueError("masks in COCO's formats need the train extra: pip install 'ebtrack[train]'") from error
    return mask


def _read_mask(folder: Path, raw: dict[str, Any], shape: tuple[int, int]) -> Mask | None:
    segmentation = raw.get("segmentation")
    if raw.get("mask_file"):
        path = folder / raw["mask_file"]
        full = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
        if full is None:
            raise ValueError(f"mask '{path}' is missing or unreadable; annotations.json names it as mask_file")
    elif isinstance(segmentation, dict):
        compressed = isinstance(segmentation["counts"], str | bytes)
        coco_mask = _coco_mask()
        full = coco_mask.decode(
            segmentation if compressed else coco_mask.frPyObjects(segmentation, *segmentation["size"])
        )
    elif segmentation and all(len(polygon) >= 6 for polygon in segmentation):
        coco_mask = _coco_mask()
        full = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(segmentation, *shape)))
    else:
        return None
    if full.shape != shape:
        raise ValueError(
            f"a mask of annotation {raw.get('id')} in '{folder}' is {full.shape[1]} x {full.shape[0]} px; "
            f"expected the picture's {shape[1]} x {shape[0]}"
        )
    x, y, w, h = cv2.boundingRect((full > 0).astype(np.uint8))
    if w < 2 or h < 2:
        return None
    return Mask((full[y : y + h, x : x + w] > 0).astype(np.uint8), x, y)
