"""Painting layers with OpenCV."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.geometry import Box, FloatArray, corners, inverse, project
from ltr_train.data.opacity import Masked, Rim, Shaped
from ltr_train.data.scene import LEVELS, PLAIN, Sprite, Tint, View, mip_level, placement

UInt8Array = NDArray[np.uint8]


def painted(view: View) -> UInt8Array:
    """The layers of a view: size x size x 3 uint8 BGR."""
    return composited(view.sprites, view.camera, (view.size, view.size), view.fill)


def composited(
    sprites: Sequence[Sprite], camera: FloatArray, size: tuple[int, int], fill: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> UInt8Array:
    """Layers seen by a camera.

    Args:
        sprites: Back to front.
        camera: 3 x 3, from their plane into pixels.
        size: (width, height), px.
        fill: BGR where no layer lies.

    Returns:
        H x W x 3 uint8 BGR.
    """
    width, height = size
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = np.rint(fill).astype(np.uint8)
    if not sprites:
        return canvas
    matrices = np.stack([camera @ sprite.matrix for sprite in sprites])
    extents = np.array([sprite.extent for sprite in sprites])
    regions, scales = placement(matrices, extents, np.tile(size, (len(matrices), 1)))
    levels = mip_level(scales)
    for sprite, matrix, region, scale, level in zip(
        sprites, matrices, regions.tolist(), scales.tolist(), levels.tolist(), strict=True
    ):
        if region[2] > region[0] and region[3] > region[1]:
            _paint(canvas, sprite, matrix, region, scale, level)
    return canvas


def halved(image: UInt8Array, times: int) -> UInt8Array:
    """A picture or opacity averaged over squares of 2 x 2 px, so many times; an odd last line counts double."""
    for _ in range(times):
        height, width = image.shape[:2]
        half = ((width + 1) // 2, (height + 1) // 2)
        even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        image = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def _paint(canvas: UInt8Array, sprite: Sprite, matrix: FloatArray, region: list[int], scale: float, level: int) -> None:
    """Warp a sprite into a canvas, in place.

    Args:
        canvas: [S, S, 3] BGR.
        sprite: The sprite.
        matrix: 3 x 3, from picture into canvas pixels.
        region: (x0, y0, x1, y1), where it falls into the canvas.
        scale: Canvas pixels per picture pixel.
        level: How often its picture is halved first.
    """
    x0, y0, x1, y1 = region
    image, corner = _piece(sprite.picture.image, sprite.extent, level)
    to_picture = _placed(corner, 2.0**level)
    opacity = sprite.opacity
    if isinstance(opacity, Rim):
        opaque = opacity.ramp == 0.0 and _covers(matrix, opacity, region)
        alpha, alpha_to_picture = None if opaque else _rim(opacity, level), to_picture
    else:
        alpha, alpha_to_picture = _opacity(opacity, scale)
    if sprite.bend is not None and alpha is not None:
        image, alpha = _bent(sprite, image, alpha, to_picture, alpha_to_picture)
        alpha_to_picture = to_picture
    size = (x1 - x0, y1 - y0)
    to_region = np.array([[1.0, 0.0, -x0], [0.0, 1.0, -y0], [0.0, 0.0, 1.0]]) @ matrix
    colour = _tinted(_warp(image, to_region @ to_picture, size, cv2.BORDER_REPLICATE), sprite.tint)
    target = canvas[y0:y1, x0:x1]
    if alpha is None:
        target[:] = colour
        return
    weight = _warp(alpha, to_region @ alpha_to_picture, size, cv2.BORDER_CONSTANT).astype(np.float32)
    weight *= 1.0 / 255.0
    target[:] = cv2.blendLinear(colour, np.ascontiguousarray(target), weight, 1.0 - weight)


def _piece(image: UInt8Array, extent: Box, level: int) -> tuple[UInt8Array, tuple[int, int]]:
    """The part of a picture that an extent needs, halved ``level`` times, and its corner in the picture."""
    height, width = image.shape[:2]
    # The squares that are averaged must be those of the whole picture.
    step = 1 << (LEVELS - 1)
    x0 = min(max(0, math.floor(extent[0]) - step), width - 1) // step * step
    y0 = min(max(0, math.floor(extent[1]) - step), height - 1) // step * step
    x1 = min(width, max(x0 + 1, -(-math.ceil(extent[0] + extent[2] + step) // step) * step))
    y1 = min(height, max(y0 + 1, -(-math.ceil(extent[1] + extent[3] + step) // step) * step))
    return halved(image[y0:y1, x0:x1], level), (x0, y0)


def _placed(corner: tuple[float, float], across: float, down: float | None = None) -> FloatArray:
    return np.array([[across, 0.0, corner[0]], [0.0, across if down is None else down, corner[1]], [0.0, 0.0, 1.0]])


def _opacity(opacity: Masked | Shaped, scale: float) -> tuple[UInt8Array, FloatArray]:
    """Stored opacity, halved as the scale asks, and the matrix of its pixels into the picture's."""
    pixels = opacity.pixels
    x, y, w, h = opacity.box
    height, width = pixels.shape
    level = int(mip_level(np.array(scale * math.sqrt(w * h / (width * height)))))
    return halved(pixels, level), _placed((x, y), 2**level * w / width, 2**level * h / height)


def _rim(rim: Rim, level: int) -> UInt8Array:
    """Opacity of a whole picture halved ``level`` times."""
    step = 1 << level
    width, height = -(-rim.width // step), -(-rim.height // step)
    if rim.ramp == 0.0:
        return np.full((height, width), 255, np.uint8)
    across, down = (np.arange(width) + 0.5) * step, (np.arange(height) + 0.5) * step
    across = np.clip(np.minimum(across, rim.width - across) / rim.ramp, 0.0, 1.0)
    down = np.clip(np.minimum(down, rim.height - down) / rim.ramp, 0.0, 1.0)
    return np.rint(np.outer(down * 255.0, across)).astype(np.uint8)


def _bent(
    sprite: Sprite, image: UInt8Array, alpha: UInt8Array, to_picture: FloatArray, alpha_to_picture: FloatArray
) -> tuple[UInt8Array, UInt8Array]:
    """Colours and opacity of a bent sprite, both on the pixels of ``image``."""
    assert sprite.bend is not None
    height, width = image.shape[:2]
    xs = (np.arange(width) + 0.5) * to_picture[0, 0] + to_picture[0, 2]
    ys = (np.arange(height) + 0.5) * to_picture[1, 1] + to_picture[1, 2]
    field = sprite.bend.grid(xs, ys)
    from_x = field[0] + xs.astype(np.float32)
    from_y = field[1] + ys.astype(np.float32)[:, None]
    layers = []
    for pixels, matrix, border in (
        (image, to_picture, cv2.BORDER_REPLICATE),
        (alpha, alpha_to_picture, cv2.BORDER_CONSTANT),
    ):
        across = (from_x - np.float32(matrix[0, 2])) / np.float32(matrix[0, 0]) - np.float32(0.5)
        down = (from_y - np.float32(matrix[1, 2])) / np.float32(matrix[1, 1]) - np.float32(0.5)
        # Two maps, not one of two channels: with that, OpenCV 5.0 differs from call to call beyond the border.
        layers.append(np.asarray(cv2.remap(pixels, across, down, cv2.INTER_LINEAR, borderMode=border), np.uint8))
    return layers[0], layers[1]


def _tinted(image: UInt8Array, tint: Tint) -> UInt8Array:
    if tint is PLAIN:
        return image
    ramp = np.arange(256)[:, None]
    table = np.clip(np.rint(ramp * tint.gain + tint.bias), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(image[..., tint.order]), table[None]), np.uint8)


def _covers(matrix: FloatArray, rim: Rim, region: list[int]) -> bool:
    x0, y0, x1, y1 = region
    inside = project(inverse(matrix), np.add(corners(x1 - x0, y1 - y0), (x0, y0)))
    return bool((inside >= 0.0).all() and (inside <= (rim.width, rim.height)).all())


def _warp(image: UInt8Array, matrix: FloatArray, size: tuple[int, int], border: int) -> UInt8Array:
    # OpenCV puts coordinate i at the centre of pixel i; ours has it at the left edge.
    shifted = matrix.copy()
    shifted[:2] -= 0.5 * shifted[2]
    shifted[:, 2] += 0.5 * (shifted[:, 0] + shifted[:, 1])
    if abs(shifted[2, 0]) + abs(shifted[2, 1]) < 1e-9:
        affine = shifted[:2] / shifted[2, 2]
        return np.asarray(cv2.warpAffine(image, affine, size, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)
    return np.asarray(cv2.warpPerspective(image, shifted, size, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)
