"""Making sprites: cut-outs by mask, soft patches, look-alikes, and smooth deformation."""

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.coco_tracks import Annotation, Picture
from ltr_train.data.geometry import (
    Box,
    FloatArray,
    bounds,
    centre,
    corners,
    linear,
    superellipse,
    translation,
)
from ltr_train.data.scene import Sprite, shrink

UInt8Array = NDArray[np.uint8]
_MARGIN = 2
# Cut-outs end up about 64 px large in a crop; more pixels than this would only cost time.
_LONGEST = 160


def picture_sprite(picture: Picture) -> Sprite:
    """A whole picture, opaque, its pixel coordinates being the plane's."""
    height, width = picture.image.shape[:2]
    return Sprite(picture.image, None, np.eye(3), corners(width, height))


def cutout(picture: Picture, annotation: Annotation) -> Sprite:
    """The annotated object, its edge feathered, centred at the origin; without a mask a soft ellipse."""
    mask = annotation.mask
    if mask is None:
        return soft_patch(picture.image, annotation.box, ellipse(2.5))
    h, w = mask.pixels.shape
    image = _padded(picture.image, mask.x, mask.y, w, h)
    alpha = cv2.copyMakeBorder(mask.pixels * 255, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT)
    outline = hull(np.asarray(alpha, np.uint8))
    sprite = Sprite(image, np.asarray(cv2.blur(alpha, (3, 3)), np.uint8), np.eye(3), outline)
    longest = max(w, h)
    if longest > _LONGEST:
        sprite = shrink(sprite, _LONGEST / longest)
    x, y = centre(sprite.box(np.eye(3)))
    return sprite.moved(translation(-x, -y))


def hull(alpha: UInt8Array) -> FloatArray:
    """Convex outline [N, 2] of the pixels of ``alpha`` above one half, as continuous coordinates."""
    contours, _ = cv2.findContours((alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = cv2.convexHull(np.concatenate(contours)).reshape(-1, 2).astype(np.float64)
    corner = points[:, None] + corners(1.0, 1.0)[None]
    return np.asarray(cv2.convexHull(corner.reshape(-1, 2).astype(np.float32)).reshape(-1, 2), np.float64)


def soft_patch(image: UInt8Array, box: Box, shape: UInt8Array) -> Sprite:
    """A piece of a picture with the opacity ``shape`` stretched over it, centred at the plane's origin."""
    x, y, w, h = math.floor(box[0]), math.floor(box[1]), max(4, round(box[2])), max(4, round(box[3]))
    patch = _padded(image, x, y, w, h, 0)
    alpha = np.asarray(cv2.resize(shape, (patch.shape[1], patch.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)
    rectangle: Box = (0.0, 0.0, float(patch.shape[1]), float(patch.shape[0]))
    shift = translation(-0.5 * rectangle[2], -0.5 * rectangle[3])
    return Sprite(patch, alpha, shift, superellipse(rectangle))


def _padded(image: UInt8Array, x: int, y: int, w: int, h: int, margin: int = _MARGIN) -> UInt8Array:
    """Rectangle of a picture with a margin, edge pixels repeated where the picture ends."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = x - margin, y - margin, x + w + margin, y + h + margin
    inside = image[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)]
    return np.asarray(
        cv2.copyMakeBorder(
            inside, max(0, -y0), max(0, y1 - height), max(0, -x0), max(0, x1 - width), cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


@cache
def ellipse(exponent: float) -> UInt8Array:
    """Opacity 64 x 64 of a superellipse with a soft edge; 2 is an ellipse, a large exponent a rectangle."""
    axis = np.abs((np.arange(64) + 0.5) / 32.0 - 1.0) ** exponent
    radius = (axis[:, None] + axis[None, :]) ** (1.0 / exponent)
    return np.clip((1.0 - radius) * 16.0 * 255.0, 0, 255).astype(np.uint8)


@cache
def blobs() -> list[UInt8Array]:
    """Irregular opacities 64 x 64 with soft edges."""
    rng = np.random.default_rng(7)
    axis = (np.arange(64) + 0.5) / 32.0 - 1.0
    angle = np.arctan2(axis[:, None], axis[None, :])
    radius = np.hypot(axis[:, None], axis[None, :])
    shapes = []
    for _ in range(48):
        edge = np.full((64, 64), 0.72)
        for order in range(2, 7):
            edge += rng.normal(0.0, 0.22 / order) * np.cos(order * angle + rng.uniform(0, 2 * math.pi))
        shapes.append(np.clip((np.clip(edge, 0.3, 0.97) - radius) * 12.0 * 255.0, 0, 255).astype(np.uint8))
    return shapes


def deform(sprite: Sprite, rng: np.random.Generator, strength: float) -> Sprite:
    """Bend a cut-out by a smooth random field.

    Args:
        sprite: A sprite with opacity.
        rng: Source of randomness.
        strength: Deviation of the displacement, in units of the sprite's size.
    """
    if sprite.alpha is None:
        raise ValueError("only a sprite with opacity can be bent")
    height, width = sprite.alpha.shape
    knots = rng.normal(0.0, strength * math.sqrt(width * height), (2, 4, 4)).astype(np.float32)
    across = np.asarray(cv2.resize(knots[0], (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    down = np.asarray(cv2.resize(knots[1], (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    across += np.arange(width, dtype=np.float32)[None, :]
    down += np.arange(height, dtype=np.float32)[:, None]
    layers = np.dstack([sprite.image, sprite.alpha])
    # Two maps, not one of two channels: with that, OpenCV 5.0 differs from call to call beyond the border.
    bent = cv2.remap(layers, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = np.asarray(bent[..., 3], np.uint8, order="C")
    if cv2.countNonZero(cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY)[1]) < 16:
        return sprite
    return Sprite(np.asarray(bent[..., :3], np.uint8, order="C"), alpha, sprite.matrix, hull(alpha))


def recolour(sprite: Sprite, rng: np.random.Generator, strength: float) -> Sprite:
    """Change gains, brightness and sometimes the order of the colour channels of a sprite."""
    gains = np.exp(rng.normal(0.0, strength, 3)) * math.exp(rng.normal(0.0, strength))
    ramp = np.arange(256, dtype=np.float32)
    table = np.clip(ramp[:, None] * gains[None] + rng.normal(0.0, 40.0 * strength), 0, 255).astype(np.uint8)
    image = sprite.image
    if rng.random() < strength:
        image = np.ascontiguousarray(image[..., rng.permutation(3)])
    return Sprite(np.asarray(cv2.LUT(image, table[None]), np.uint8), sprite.alpha, sprite.matrix, sprite.outline)


def reshape(sprite: Sprite, rng: np.random.Generator, strength: float) -> Sprite:
    """Change aspect and rotation of a sprite about the plane's origin, and mirror it half of the time."""
    sx, sy = np.exp(rng.normal(0.0, strength, 2))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    return sprite.moved(linear(rng.normal(0.0, 100.0 * strength), mirror * sx, sy))


def at(sprite: Sprite, size: float, x: float, y: float) -> Sprite:
    """A sprite with its outline scaled to sqrt(w * h) = ``size`` and centred at (x, y) of the plane."""
    box = bounds(sprite.outline @ sprite.matrix[:2, :2].T + sprite.matrix[:2, 2])
    scale = size / max(1e-6, math.sqrt(box[2] * box[3]))
    cx, cy = centre(box)
    return sprite.moved(translation(x, y) @ linear(0.0, scale, scale) @ translation(-cx, -cy))
