"""Plans of a batch as a few flat tensors, small enough to travel from a worker to a device."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltr_train.data.atlas import AtlasIndex
from ltr_train.data.bend import Bend
from ltr_train.data.geometry import FloatArray
from ltr_train.data.opacity import Rim
from ltr_train.data.photometric import Change
from ltr_train.data.plan import Plan
from ltr_train.data.scene import Sprite, View, mip_level, placement

TILE = 16
"""Side of the squares that crops are rendered in, px; sizes of crops are multiples of it."""
RIM, CUT, BENT = range(3)
"""Kinds of layers: whole pictures; pieces under a stored opacity, their colours changed; such pieces deformed."""
WHOLE = 2048
"""Blur kernels are whole numbers of which 2048 make one."""

Packed = dict[str, Tensor]


def pack(index: AtlasIndex, plans: Sequence[Plan]) -> Packed:
    """A batch of N plans as tensors. The 2 N views are all template views, then all search views.

    Args:
        index: Where the atlas has the pictures.
        plans: The batch.

    Returns:
        * ``sizes`` [2] int64: sides of template and search crops, px;
        * ``layer_numbers`` [L, 10] int64: offset, width, height of the picture; of the opacity; order of the
          channels; row of ``bends``;
        * ``layer_factors`` [L, 24] float32: matrix (9) from crop to picture pixels; reduction of the picture; x, y of
          the rim in the picture and its pixels per picture pixel in x and y; its width, height, slope, offset; gain (3)
          and bias (3) of the channels;
        * ``bends`` [D, 36] float32: x, y, 1 / w, 1 / h of the box; knots (2 x 4 x 4); the first for none;
        * ``tiles`` [T, 4] int32: layer, square of the canvas, x and y of its corner in the crop; in groups, each of
          squares that differ;
        * ``groups`` [G, 2] int64: number of tiles of each group in their order, and the kind of their layers;
        * ``view_numbers`` [2 N, 9] int32: row of ``kernels``, -1 for none; side (0 none), area, cubic of the loss of
          resolution; coloured (-1 none), x, y of the noise; quality (0 none); flip;
        * ``view_factors`` [2 N, 5] float32: fill (3), saturation, factor of the noise;
        * ``tables`` [2 N, 256, 3] uint8; ``kernels`` [B, K, K] int16;
        * ``boxes`` [N, 2, 4] float32; ``present`` [N] bool; ``kind`` [N] int64.
    """
    views = [plan.views[side] for side in range(2) for plan in plans]
    changes = [plan.changes[side] for side in range(2) for plan in plans]
    packed = _pack_layers(index, views)
    kernels = [change.blur.kernel() for change in changes if change.blur is not None]
    rows = iter(range(len(kernels)))
    numbers = [
        [next(rows) if change.blur is not None else -1, *_numbers(change), plan.flip]
        for change, plan in zip(changes, [*plans, *plans], strict=True)
    ]
    factors = [
        [*view.fill, change.saturation, 0.0 if change.noise is None else change.noise.factor]
        for view, change in zip(views, changes, strict=True)
    ]
    packed |= {
        "view_numbers": np.array(numbers, np.int32),
        "view_factors": np.array(factors, np.float32),
        "tables": np.stack([change.table for change in changes]),
        "kernels": _whole(kernels),
        "boxes": np.stack([np.stack([plan.template_box, plan.search_box]) for plan in plans]),
        "present": np.array([plan.present for plan in plans]),
        "kind": np.array([plan.kind for plan in plans]),
    }
    return {name: torch.from_numpy(value) for name, value in packed.items()}


def _pack_layers(index: AtlasIndex, views: Sequence[View]) -> dict[str, np.ndarray]:
    sprites = [sprite for view in views for sprite in view.sprites]
    view_of = np.repeat(np.arange(len(views)), [len(view.sprites) for view in views])
    sizes = np.array([view.size for view in views])
    matrices = np.stack([view.camera @ sprite.matrix for view in views for sprite in view.sprites])
    extents = np.array([sprite.extent for sprite in sprites])
    regions, scales = placement(matrices, extents, np.stack([sizes, sizes], 1)[view_of])
    level = mip_level(scales)
    row, shelf = np.array([index.picture(sprite.picture) for sprite in sprites]), index.colours
    numbers = np.zeros((len(sprites), 10), np.int64)
    numbers[:, 0] = shelf.offset[row, level]
    numbers[:, 1] = shelf.width[row, level]
    numbers[:, 2] = shelf.height[row, level]
    numbers[:, 6:9] = [sprite.tint.order for sprite in sprites]
    factors = np.zeros((len(sprites), 24), np.float32)
    back = np.linalg.inv(matrices)
    factors[:, :9] = (back / back[:, 2:, 2:]).reshape(-1, 9)
    factors[:, 9] = 0.5**level
    factors[:, 10:18], numbers[:, 3:6] = _rims(index, sprites, scales, level)
    factors[:, 18:21] = [sprite.tint.gain for sprite in sprites]
    factors[:, 21:] = [sprite.tint.bias for sprite in sprites]
    kinds = np.array([RIM if isinstance(s.opacity, Rim) else CUT if s.bend is None else BENT for s in sprites])
    bends = [np.zeros(36)]
    for number, sprite in enumerate(sprites):
        if sprite.bend is not None:
            numbers[number, 9] = len(bends)
            bends.append(_bend_row(sprite.bend))
    tiles, groups = _tiles(regions, view_of, sizes, kinds)
    return {
        "sizes": sizes[[0, -1]],
        "layer_numbers": numbers,
        "layer_factors": factors,
        "bends": np.array(bends, np.float32),
        "tiles": tiles,
        "groups": groups,
    }


def _rims(
    index: AtlasIndex, sprites: Sequence[Sprite], scales: FloatArray, level: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Columns x, y, sx, sy, width, height, slope, offset of the rims; offset, width, height of stored opacities."""
    rims = np.zeros((len(sprites), 8))
    stored = np.zeros((len(sprites), 3), np.int64)
    shelf = index.opacities
    for number, sprite in enumerate(sprites):
        opacity = sprite.opacity
        x, y, w, h = opacity.box
        if not isinstance(opacity, Rim):
            row = index.opacity(opacity)
            whole_w, whole_h = shelf.width[row, 0], shelf.height[row, 0]
            reduced = mip_level(scales[number] * np.sqrt(w * h / (whole_w * whole_h)))
            width, height = shelf.width[row, reduced], shelf.height[row, reduced]
            step = 2.0**reduced
            rims[number] = x, y, whole_w / (w * step), whole_h / (h * step), width, height, 1.0, 0.5
            stored[number] = shelf.offset[row, reduced], width, height
        elif opacity.ramp > 0.0:
            rims[number] = 0.0, 0.0, 1.0, 1.0, w, h, 1.0 / opacity.ramp, 0.0
        else:
            step = 2.0 ** level[number]
            rims[number] = 0.0, 0.0, 1.0 / step, 1.0 / step, np.ceil(w / step), np.ceil(h / step), 1.0, 0.5
    return rims, stored


def _tiles(
    regions: NDArray[np.int64], view_of: NDArray[np.int64], sizes: NDArray[np.int64], kinds: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The squares that each layer touches, layers that share one in different groups, the lower first."""
    across = sizes // TILE
    first_square = np.cumsum(across**2) - across**2
    seen = (regions[:, 2] > regions[:, 0]) & (regions[:, 3] > regions[:, 1])
    low, high = regions[:, :2] // TILE, -(-regions[:, 2:] // TILE)
    counts = np.where(seen, (high - low).prod(axis=1), 0)
    layer = np.repeat(np.arange(len(regions)), counts)
    number = np.arange(len(layer)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = (high - low)[layer, 0]
    x, y = low[layer, 0] + number % columns, low[layer, 1] + number // columns
    view = view_of[layer]
    square = first_square[view] + y * across[view] + x
    # The n-th layer of a square goes into the n-th groups.
    order = np.argsort(square, kind="stable")
    starts = np.flatnonzero(np.diff(square[order], prepend=-1))
    depth = np.empty(len(layer), np.int64)
    depth[order] = np.arange(len(layer)) - np.repeat(starts, np.diff(starts, append=len(layer)))
    kind = kinds[layer]
    # Few layers lie so high; one group for all of their pieces takes fewer steps, and a bend of zero changes nothing.
    kind[(depth >= 2) & (kind == CUT)] = BENT
    key = depth * 3 + kind
    order = np.argsort(key, kind="stable")
    keys, lengths = np.unique(key, return_counts=True)
    tiles = np.stack([layer, square, x * TILE, y * TILE], axis=1)[order].astype(np.int32)
    return tiles, np.stack([lengths, keys % 3], axis=1)


def _bend_row(bend: Bend) -> FloatArray:
    x, y, w, h = bend.box
    return np.concatenate([[x, y, 1.0 / w, 1.0 / h], bend.knots.ravel()])


def _numbers(change: Change) -> list[int]:
    resize, noise = change.resize, change.noise
    return [
        *((resize.side, resize.area, resize.cubic) if resize is not None else (0, 0, 0)),
        *((noise.coloured, noise.x, noise.y) if noise is not None else (-1, 0, 0)),
        change.quality or 0,
    ]


def _whole(kernels: Sequence[NDArray[np.float32]]) -> NDArray[np.int16]:
    """Kernels in whole numbers of sum ``WHOLE``, zeros around the smaller ones."""
    side = max((len(kernel) for kernel in kernels), default=1)
    result = np.zeros((len(kernels), side, side), np.int16)
    for whole, kernel in zip(result, kernels, strict=True):
        margin = (side - len(kernel)) // 2
        rounded = np.rint(kernel * WHOLE)
        rounded.flat[rounded.argmax()] += WHOLE - rounded.sum()
        whole[margin : side - margin, margin : side - margin] = rounded
    return result
