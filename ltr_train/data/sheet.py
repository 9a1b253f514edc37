"""Contact sheets: look at what the network is fed before training on it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.pairs import KINDS, PairDataset

UInt8Array = NDArray[np.uint8]
_GREEN, _RED = (80, 255, 80), (40, 40, 255)
_BORDER, _LABEL = 3, 16


def contact_sheet(dataset: PairDataset, indices: Sequence[int], columns: int = 4) -> UInt8Array:
    """Draw pairs side by side, template | search, with their boxes.

    Args:
        dataset: The pairs.
        indices: Which of them.
        columns: Pairs in a row.

    Returns:
        H x W x 3 uint8 BGR, each pair labelled with its index and kind; a red border: no target.
    """
    tiles = [_tile(dataset, index) for index in indices]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])


def write_sheet(path: Path, dataset: PairDataset, indices: Sequence[int]) -> None:
    """Write a contact sheet.

    Raises:
        ValueError: The file cannot be written.
    """
    if not cv2.imwrite(str(path), contact_sheet(dataset, indices)):
        raise ValueError(f"cannot write {path}: name a .png in a folder that can be written to")


def _tile(dataset: PairDataset, index: int) -> UInt8Array:
    pair = dataset[index]
    template, search = pair["template"].copy(), pair["search"].copy()
    present = bool(pair["present"])
    _draw(template, pair["template_box"])
    if present:
        _draw(search, pair["search_box"])
    below = np.zeros((search.shape[0] - template.shape[0], template.shape[1], 3), np.uint8)
    body = np.hstack([np.vstack([template, below]), search])
    colour = _GREEN if present else _RED
    body = cv2.copyMakeBorder(body, _LABEL, _BORDER, _BORDER, _BORDER, cv2.BORDER_CONSTANT, value=colour)
    text = f"{index} {KINDS[int(pair['kind'])]}{'' if present else ' absent'}"
    cv2.putText(body, text, (6, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.asarray(body, np.uint8)


def _draw(crop: UInt8Array, box: NDArray[np.float32]) -> None:
    size = crop.shape[0]
    x, y = (box[:2] + 0.5) * size
    w, h = np.exp(box[2:]) * size
    corners = [(round(float(a)), round(float(b))) for a, b in ((x - w / 2, y - h / 2), (x + w / 2, y + h / 2))]
    cv2.rectangle(crop, corners[0], corners[1], _GREEN, 1)
