"""Painting the layers of many views at once from the atlas of a device.

Crops are rendered in squares of 16 x 16 px: of each layer only those that it touches. Shares of pixels and opacities
are rounded to 256ths, so that float32 holds every mixture exactly, and a pixel depends neither on the batch nor on how
it is cut up.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ltr_train.data.atlas import Atlas
from ltr_train.data.bend import KNOTS
from ltr_train.data.packing import BENT, RIM, TILE, Packed

_PIXELS = TILE * TILE
_SHARES = 256.0


def painted(
    atlas: Atlas, packed: Packed, groups: list[tuple[int, int]], sizes: tuple[int, int], at_once: int
) -> tuple[Tensor, Tensor]:
    """The layers of N template and N search views.

    Args:
        atlas: The pictures.
        packed: What ``pack`` gives, on the atlas's device.
        groups: ``packed["groups"]`` as numbers.
        sizes: Sides T and S of template and search crops, px.
        at_once: Most squares rendered at once; bounds the memory that is needed.

    Returns:
        [N, T, T, 3] and [N, S, S, 3] uint8 BGR.
    """
    squares = [(size // TILE) ** 2 for size in sizes]
    count = len(packed["present"])
    fill = packed["view_factors"][:, :3].round().to(torch.uint8)
    fill = functional.pad(fill, (0, 1)).view(torch.int32).view(-1, 1, 1)
    fills = zip(fill.split(count), squares, strict=True)
    canvas = torch.cat([part.expand(count, n, _PIXELS).reshape(-1, _PIXELS) for part, n in fills])
    start = 0
    for length, kind in groups:
        for first in range(start, start + length, at_once):
            tiles = packed["tiles"][first : min(first + at_once, start + length)]
            _paint(canvas, atlas, packed, tiles, kind)
        start += length
    views = zip(canvas.split([count * n for n in squares]), sizes, strict=True)
    template, search = (_whole(part, count, size // TILE) for part, size in views)
    return template, search


def _whole(squares: Tensor, count: int, n: int) -> Tensor:
    """Crops [count, 16 n, 16 n, 3] uint8 put together from their n x n squares [count * n * n, 256] int32."""
    grid = squares.view(torch.uint8).view(count, n, n, TILE, TILE, 4).transpose(2, 3)
    return grid.reshape(count, n * TILE, n * TILE, 4)[..., :3].contiguous()


def _paint(canvas: Tensor, atlas: Atlas, packed: Packed, tiles: Tensor, kind: int) -> None:
    """Blend layers of one kind into squares [n] of the canvas [squares, 256], in place."""
    layer, square = tiles[:, 0], tiles[:, 1].long()
    numbers = packed["layer_numbers"].index_select(0, layer)
    factors = packed["layer_factors"].index_select(0, layer)
    place = _in_picture(factors[:, :9].view(-1, 3, 3, 1), tiles[:, 2:])
    if kind == BENT:
        place = _bent(packed["bends"].index_select(0, numbers[:, 9]), place)
    colour = _sampled(atlas.colours, numbers[:, :3], place * factors[:, 9].view(-1, 1, 1))
    place = (place - factors[:, 10:12].unsqueeze(2)) * factors[:, 12:14].unsqueeze(2)
    inside = torch.minimum(place, factors[:, 14:16].unsqueeze(2) - place)
    rim = (inside * factors[:, 16].view(-1, 1, 1) + factors[:, 17].view(-1, 1, 1)).clamp_(0.0, 1.0)
    alpha = rim[:, 0] * rim[:, 1]
    if kind != RIM:
        order = numbers[:, 6:10].clone()
        order[:, 3] = 3
        colour = colour.gather(2, order.unsqueeze(1).expand_as(colour))
        gain, bias = (functional.pad(factors[:, at : at + 3], (0, 1)).unsqueeze(1) for at in (18, 21))
        colour = (colour * gain + bias).clamp_(0.0, 255.0)
        alpha = alpha * _sampled(atlas.opacities, numbers[:, 3:6], place).squeeze(2) * (1.0 / 255.0)
    alpha = (alpha * _SHARES).round_() * (1.0 / _SHARES)
    below = canvas.index_select(0, square).view(torch.uint8).view(-1, _PIXELS, 4).float()
    blended = torch.lerp(below, colour.round_(), alpha.unsqueeze(2)).round_()
    canvas.index_copy_(0, square, blended.to(torch.uint8).view(-1, 4 * _PIXELS).view(torch.int32))


def _in_picture(matrices: Tensor, corners: Tensor) -> Tensor:
    """Where the middles of the pixels of squares at corners [n, 2] lie in the pictures: x and y, [n, 2, 256].

    ``matrices`` [n, 3, 3, 1] map crop to picture pixels.
    """
    steps = torch.arange(TILE, dtype=torch.float32, device=corners.device) + 0.5
    across, down = (corners.unsqueeze(2) + steps).unsqueeze(2).unbind(1)
    columns, rows = matrices[:, :, 0] * across, matrices[:, :, 1] * down + matrices[:, :, 2]
    mapped = columns.unsqueeze(2) + rows.unsqueeze(3)
    return (mapped[:, :2] / mapped[:, 2:].clamp_min(1e-3)).view(-1, 2, _PIXELS)


def _bent(bends: Tensor, place: Tensor) -> Tensor:
    """Places [n, 2, 256] after the displacements of bends [n, 36]."""
    knots = bends[:, 4:].reshape(-1, 2, KNOTS, KNOTS)
    # Beyond the outermost knots the field is constant; far beyond, sampling would lose itself in large numbers.
    grid = ((place - bends[:, 0:2].unsqueeze(2)) * bends[:, 2:4].unsqueeze(2) * 2.0 - 1.0).clamp_(-2.0, 2.0)
    grid = grid.transpose(1, 2).unsqueeze(1)
    field = functional.grid_sample(knots, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return place + field.squeeze(2)


def _sampled(memory: Tensor, numbers: Tensor, place: Tensor) -> Tensor:
    """Bilinear samples of pictures in flat memory, their border repeated outside.

    Args:
        memory: [pixels] of one or four bytes.
        numbers: [n, 3] offset, width, height of each picture.
        place: [n, 2, 256] x and y in pixels of the pictures.

    Returns:
        [n, 256, 1 or 4] float32.
    """
    place = (place * _SHARES - 0.5 * _SHARES).round_() * (1.0 / _SHARES)
    corner = place.floor()
    right, low = (place - corner).unsqueeze(3).unbind(1)
    last = (numbers[:, 1:] - 1.0).unsqueeze(2)
    ends = [torch.minimum(end.clamp_min(0.0), last).int() for end in (corner, corner + 1.0)]
    columns = [end[:, 0] + numbers[:, :1] for end in ends]
    rows = [end[:, 1] * numbers[:, 1:2].int() for end in ends]
    lines = []
    for row in rows:
        first, second = (memory.take(column + row).view(torch.uint8).float() for column in columns)
        lines.append(torch.lerp(first.view(*right.shape[:2], -1), second.view(*right.shape[:2], -1), right))
    return torch.lerp(lines[0], lines[1], low)
