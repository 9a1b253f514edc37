"""A small corpus of coloured objects with masks on grey pictures: stills, and clips of an object that changes shape."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ltr_train.data.corpus import Corpus
from ltr_train.data.readers import SetConfig
from ltr_train.data.sets import load_sets

WIDTH, HEIGHT = 240, 180
COLOURS = ((30, 30, 240), (240, 60, 20), (20, 220, 230), (220, 30, 220))


def write_scenes(root: Path, stills: int = 12, clips: int = 4, frames: int = 14) -> Path:
    """Sources ``stills`` and ``clips`` in COCO format below a folder; the folder."""
    numbers = [(number, 0) for number in range(stills)]
    _write(root / "stills", numbers, clip=False)
    _write(root / "clips", [(number, frame) for number in range(clips) for frame in range(frames)], clip=True)
    return root


def load_scenes(root: Path) -> Corpus:
    """The corpus that a folder of `write_scenes` gives."""
    return load_sets(root, [SetConfig(reader="coco_tracks")], longest=512, memory_gb=1.0)


def _write(folder: Path, numbers: list[tuple[int, int]], clip: bool) -> None:
    (folder / "images").mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, (number, frame) in enumerate(numbers):
        rng = np.random.default_rng([number, int(clip)])
        blocks = cv2.resize(rng.integers(90, 170, (9, 12), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        picture = cv2.cvtColor(blocks, cv2.COLOR_GRAY2BGR)
        outline = _outline(rng, frame)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mask, [outline], 1)
        stripes = 0.6 + 0.4 * (np.arange(WIDTH) // 5 % 2)
        colour = (np.array(COLOURS[number % 4]) * stripes[:, None]).astype(np.uint8)
        picture = np.where(mask[..., None] > 0, colour[None], picture)
        cv2.imwrite(str(folder / "images" / f"{index}.png"), picture)
        entry = {"id": index, "file_name": f"{index}.png", "width": WIDTH, "height": HEIGHT}
        images.append(entry | ({"video_id": number, "frame_index": frame} if clip else {}))
        note = {"id": index, "image_id": index, "category_id": 1 + number % 2, "bbox": list(cv2.boundingRect(outline))}
        note["segmentation"] = [outline.ravel().tolist()]
        annotations.append(note | ({"track_id": number} if clip else {}))
    categories = [{"id": 1, "name": "star"}, {"id": 2, "name": "stone"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(content), encoding="utf-8")


def _outline(rng: np.random.Generator, frame: int) -> np.ndarray:
    """A polygon whose corners come and go from frame to frame."""
    angle = np.arange(14) * 2 * math.pi / 14
    radius = 26 + rng.uniform(-6, 6, 14) + 4 * np.sin(0.5 * frame + np.arange(14))
    centre = rng.uniform((70, 60), (170, 120)) + frame * np.array([1.0, 0.5])
    points = centre + radius[:, None] * np.stack([1.3 * np.cos(angle), np.sin(angle)], axis=1)
    return np.round(points).astype(np.int32)
