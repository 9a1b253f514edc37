"""A corpus in memory: textured pictures of odd sizes, objects with masks, and a clip."""

import cv2
import numpy as np

from ltr_train.data.corpus import Annotation, Corpus, DataSet, Picture
from ltr_train.data.masks import make_mask

STILLS, FRAMES = 10, 3


def scenery() -> Corpus:
    """Ten stills with an object each, and a clip of three frames in which one object moves."""
    rng = np.random.default_rng(3)
    pictures: list[Picture] = []
    annotations: list[Annotation] = []
    track: list[int] = []
    for number in range(STILLS + FRAMES):
        moving = number >= STILLS
        width, height = (181, 141) if moving else (int(rng.integers(120, 230)), int(rng.integers(110, 200)))
        coarse = rng.integers(0, 256, (height // 12, width // 12, 3), dtype=np.uint8)
        image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        mask = np.zeros((height, width), np.uint8)
        x, y = (50 + 30 * (number - STILLS), 60) if moving else (width // 2, height // 2)
        cv2.ellipse(mask, (x, y), (23, 15), 20.0 * number, 0, 360, 1, -1)
        cv2.circle(mask, (x + 8, y + 12), 13, 1, -1)
        image[mask > 0] = image[mask > 0] // 3 + np.array([10, 90, 160], np.uint8)
        found = make_mask(mask, (width, height), (width, height))
        assert found is not None
        found.keep()
        box = (float(found.x), float(found.y), float(found.width), float(found.height))
        if moving:
            track.append(len(annotations))
        annotations.append(Annotation(number, box, "made/thing", found, 0 if moving else None))
        clip, frame = ("made/clip", number - STILLS) if moving else (f"made/{number}", 0)
        kept = np.asarray(image, np.uint8)
        pictures.append(Picture("", (width, height), width, height, "made", clip, frame, (number,), 0, kept))
    return Corpus(pictures, annotations, [tuple(track)], (DataSet("scenery", 1.0, {}, ()),), in_memory=True)
