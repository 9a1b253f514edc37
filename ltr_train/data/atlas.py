"""All pictures, masks and soft shapes of a corpus in flat memory of a device, each in several sizes.

Nothing is padded: a picture is found by its offset and width. One int32 holds the bytes B, G, R, 0 of a pixel.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltr_train.data.corpus import Corpus, Picture
from ltr_train.data.cv2_layers import halved
from ltr_train.data.opacity import MARGIN, SIDE, Masked, Shaped, feathered, shapes
from ltr_train.data.photometric import noise_tile
from ltr_train.data.scene import LEVELS

# Pictures decoded at a time, so that host memory stays small beside the atlas.
_AHEAD = 64


class Shelf:
    """Places of ragged pictures in flat memory.

    Attributes:
        offset: [N, LEVELS] first pixel of each picture, halved 0 to LEVELS - 1 times.
        width: [N, LEVELS].
        height: [N, LEVELS].
        pixels: Of all.
    """

    def __init__(self, sizes: NDArray[np.int64]) -> None:
        """Args: sizes [N, 2], (width, height)."""
        step = 1 << np.arange(LEVELS)
        self.width, self.height = -(-sizes[:, :1] // step), -(-sizes[:, 1:] // step)
        ends = np.cumsum(self.width * self.height).reshape(-1, LEVELS)
        self.offset = ends - self.width * self.height
        self.pixels = int(ends[-1, -1]) if len(ends) else 0


class AtlasIndex:
    """Where the atlas of a corpus holds what; known from the sizes alone, before anything is decoded.

    Args:
        corpus: The pictures and annotations.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._pictures = {picture: row for row, picture in enumerate(corpus.pictures)}
        self.masks = [a.mask for a in corpus.annotations if a.mask is not None]
        self._masks = {mask: row for row, mask in enumerate(self.masks)}
        self.colours = Shelf(np.array([(p.width, p.height) for p in corpus.pictures], np.int64).reshape(-1, 2))
        sizes = [(m.width + 2 * MARGIN, m.height + 2 * MARGIN) for m in self.masks]
        self.opacities = Shelf(np.array(sizes + [(SIDE, SIDE)] * len(shapes()), np.int64))
        self.bytes = 4 * self.colours.pixels + self.opacities.pixels

    @property
    def pictures(self) -> list[Picture]:
        """In the order of the rows of ``colours``."""
        return list(self._pictures)

    def picture(self, picture: Picture) -> int:
        """Row of ``colours``."""
        return self._pictures[picture]

    def opacity(self, opacity: Masked | Shaped) -> int:
        """Row of ``opacities``."""
        return self._masks[opacity.mask] if isinstance(opacity, Masked) else len(self._masks) + opacity.shape


class Atlas:
    """The pixels themselves.

    Args:
        index: Where they are to lie.
        device: Holds them.
        threads: Threads that decode.

    Attributes:
        colours: [pixels] int32.
        opacities: [pixels] uint8.
        noise: [2, 512, 512, 3] int16, grey and coloured.
    """

    def __init__(self, index: AtlasIndex, device: torch.device, threads: int = 4) -> None:
        self.index = index
        self.colours = torch.empty(index.colours.pixels, dtype=torch.int32, device=device)
        self.opacities = torch.empty(index.opacities.pixels, dtype=torch.uint8, device=device)
        self.noise = torch.from_numpy(np.stack([noise_tile(False), noise_tile(True)])).to(device)
        with ThreadPoolExecutor(threads) as pool:
            pictures = index.pictures
            for start in range(0, len(pictures), _AHEAD):
                colours = pool.map(_colour_row, pictures[start : start + _AHEAD])
                _put(self.colours, int(index.colours.offset[start, 0]), list(colours))
            masks = index.masks
            for start in range(0, len(masks), _AHEAD):
                opacities = pool.map(_opacity_row, map(feathered, masks[start : start + _AHEAD]))
                _put(self.opacities, int(index.opacities.offset[start, 0]), list(opacities))
        _put(self.opacities, int(index.opacities.offset[len(masks), 0]), [_opacity_row(shape) for shape in shapes()])

    @property
    def device(self) -> torch.device:
        """Where the pixels are."""
        return self.colours.device


def _colour_row(picture: Picture) -> NDArray[np.int32]:
    image = picture.image
    rows = [cv2.cvtColor(halved(image, level), cv2.COLOR_BGR2BGRA) for level in range(LEVELS)]
    return np.concatenate([row.reshape(-1) for row in rows]).view(np.int32)


def _opacity_row(opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([halved(opacity, level).reshape(-1) for level in range(LEVELS)])


def _put(memory: Tensor, offset: int, rows: list[NDArray[np.int32]] | list[NDArray[np.uint8]]) -> None:
    block = torch.from_numpy(np.concatenate(rows))
    memory[offset : offset + len(block)] = block.to(memory.device)
