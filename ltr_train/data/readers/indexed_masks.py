"""Pictures of masks in which the value of a pixel is the number of its object (DAVIS, YouTube-VOS)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ltr_train.data.pictures import UInt8Array
from ltr_train.data.readers.clips import Frame, Item, pictures_in


def read_indices(file: Path) -> UInt8Array:
    """Numbers of objects, H x W; 0 is the background.

    Raises:
        ValueError: The file is no picture with a palette or of one channel.
    """
    try:
        with Image.open(file) as picture:
            indices = np.asarray(picture)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"mask '{file}' cannot be read: {error}") from error
    if indices.ndim != 2:
        raise ValueError(f"mask '{file}' is a colour picture; expected a PNG with a palette, an object a number")
    return indices.astype(np.uint8)


def frames_with_masks(masks: Path, pictures: Path, category: Callable[[int], str], every: int) -> list[Frame]:
    """Frames of a clip that have a picture of masks of the same name.

    Args:
        masks: Folder of ``<frame>.png``.
        pictures: Folder of ``<frame>.jpg``.
        category: Class of an object by its number.
        every: Take each so-many-th of these frames.

    Raises:
        ValueError: A folder or a picture is missing, or a mask cannot be read.
    """
    names = {name.rpartition(".")[0]: name for name in pictures_in(pictures)}
    frames = []
    for number, file in list(enumerate(pictures_in(masks)))[::every]:
        stem = file.rpartition(".")[0]
        if stem not in names:
            raise ValueError(f"picture '{pictures}/{stem}.jpg' does not exist, but mask '{masks}/{file}' does")
        indices = read_indices(masks / file)
        items = tuple(_item(indices, int(i), category(int(i))) for i in np.unique(indices) if i > 0)
        frames.append(Frame(str(pictures / names[stem]), number, items))
    return frames


def _item(indices: UInt8Array, number: int, category: str) -> Item:
    mask = (indices == number).astype(np.uint8)
    return Item(tuple(float(v) for v in cv2.boundingRect(mask)), category, str(number), mask)
