"""Contact sheets: look at what the network is fed before training on it.

python -m ltr_train.data.sheet CONFIG OUT.png [--pairs 24] [--set name.name=value]
"""

import argparse
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.config import ConfigError, read_config
from ltr_train.data.coco_tracks import load_corpus
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


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="a YAML file, or the name of one that ships with ebtrack")
    parser.add_argument("out", help="the picture to write")
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    if options.pairs < 1:
        parser.error("--pairs must be at least 1")
    try:
        config = read_config(options.config, options.set)
        corpus = load_corpus(config.data.root, config.data.sources, config.data.limit)
        dataset = PairDataset(corpus, config.pairs, config.seed, config.model)
    except (ConfigError, ValueError) as error:
        parser.error(str(error))
    if not cv2.imwrite(options.out, contact_sheet(dataset, range(options.pairs))):
        parser.error(f"cannot write {options.out}: name a .png in a folder that exists")


if __name__ == "__main__":
    main()
