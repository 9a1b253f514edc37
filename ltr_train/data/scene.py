"""Layered scenes painted straight at crop resolution.

A sprite is a picture or a cut-out with a matrix into the scene's plane; a camera is a matrix from that plane
into the crop. Each sprite is warped once, by the product of the two, only where it falls into the crop.
"""

import math
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.geometry import Box, FloatArray, bounds, corners, inverse, project

UInt8Array = NDArray[np.uint8]

# Beyond this reduction bilinear sampling skips pixels, and the crop would shimmer.
_ALIASING = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A layer.

    Attributes:
        image: H x W x 3 uint8 BGR.
        alpha: H x W uint8 opacity, or None for a wholly opaque rectangle.
        matrix: 3 x 3, from the image's pixel coordinates into the plane.
        outline: [N, 2] in the image's pixel coordinates; its image's bounding box is the object's box.
    """

    image: UInt8Array
    alpha: UInt8Array | None
    matrix: FloatArray
    outline: FloatArray

    def moved(self, matrix: FloatArray) -> "Sprite":
        """The sprite after a further transform of the plane."""
        return replace(self, matrix=matrix @ self.matrix)

    def box(self, camera: FloatArray) -> Box:
        """Bounding box (x, y, w, h) of the outline in crop pixels."""
        return bounds(project(camera @ self.matrix, self.outline))


@dataclass(slots=True)
class View:
    """What one camera sees.

    Attributes:
        camera: 3 x 3, from the plane into crop pixels.
        size: Side of the crop, px.
        sprites: Layers, back to front.
        box: The target's whole extent, (x, y, w, h) crop px, also what is hidden or outside the crop.
        target: Convex outline of the target in crop px, [N, 2].
        fill: BGR where no layer lies.
    """

    camera: FloatArray
    size: int
    sprites: list[Sprite]
    box: Box
    target: FloatArray
    fill: tuple[float, ...] = field(default=(110.0, 110.0, 110.0))

    def render(self) -> UInt8Array:
        """Paint the layers: size x size x 3 uint8 BGR."""
        canvas = np.empty((self.size, self.size, 3), np.uint8)
        canvas[:] = np.asarray(self.fill, np.float32).astype(np.uint8)
        for sprite in self.sprites:
            paint(canvas, sprite, self.camera)
        return canvas


def shrink(sprite: Sprite, scale: float) -> Sprite:
    """The sprite with its pixels averaged to ``scale`` times their number a side; same place in the plane."""
    height, width = sprite.image.shape[:2]
    new_w, new_h = max(2, round(width * scale)), max(2, round(height * scale))
    to_old = np.diag([width / new_w, height / new_h, 1.0])
    return Sprite(
        _resize(sprite.image, new_w, new_h),
        None if sprite.alpha is None else _resize(sprite.alpha, new_w, new_h),
        sprite.matrix @ to_old,
        sprite.outline * (new_w / width, new_h / height),
    )


def _resize(image: UInt8Array, width: int, height: int) -> UInt8Array:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def local_scale(matrix: FloatArray, point: FloatArray) -> float:
    """Root of the area that a unit square at ``point`` [2] maps to."""
    weight = float(matrix[2, :2] @ point + matrix[2, 2])
    return math.sqrt(abs(float(np.linalg.det(matrix)))) / max(abs(weight), 1e-6) ** 1.5


def paint(canvas: UInt8Array, sprite: Sprite, camera: FloatArray) -> None:
    """Warp a sprite into a canvas [H, W, 3], in place."""
    height, width = sprite.image.shape[:2]
    scale = local_scale(camera @ sprite.matrix, np.array([0.5 * width, 0.5 * height]))
    if scale * _ALIASING < 1.0:
        sprite = shrink(sprite, scale)
        height, width = sprite.image.shape[:2]
    matrix = camera @ sprite.matrix
    region = _visible(matrix, width, height, canvas.shape)
    if region is None:
        return
    x0, y0, x1, y1 = region
    size = (x1 - x0, y1 - y0)
    # OpenCV puts coordinate i at the centre of pixel i; ours has it at the left edge.
    shifted = np.array([[1.0, 0.0, -x0 - 0.5], [0.0, 1.0, -y0 - 0.5], [0.0, 0.0, 1.0]]) @ matrix
    shifted[:, 2] += 0.5 * (shifted[:, 0] + shifted[:, 1])
    colour = _warp(sprite.image, shifted, size, cv2.BORDER_REPLICATE)
    target = canvas[y0:y1, x0:x1]
    if sprite.alpha is None and _covers(matrix, width, height, region):
        target[:] = colour
        return
    opaque = np.full((height, width), 255, np.uint8) if sprite.alpha is None else sprite.alpha
    alpha = _warp(opaque, shifted, size, cv2.BORDER_CONSTANT).astype(np.float32)
    alpha *= 1.0 / 255.0
    target[:] = cv2.blendLinear(colour, np.ascontiguousarray(target), alpha, 1.0 - alpha)


def coverage(sprite: Sprite, view: View) -> float:
    """Share of the target's outline, as far as it lies in the crop, that a sprite would hide."""
    shape = np.zeros((view.size, view.size), np.uint8)
    cv2.fillConvexPoly(shape, np.round(view.target).astype(np.int32), 255)
    area = cv2.countNonZero(shape)
    if area == 0 or sprite.alpha is None:
        return 0.0
    matrix = view.camera @ sprite.matrix
    shifted = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]]) @ matrix
    shifted[:, 2] += 0.5 * (shifted[:, 0] + shifted[:, 1])
    alpha = _warp(sprite.alpha, shifted, (view.size, view.size), cv2.BORDER_CONSTANT)
    alpha[alpha < 128] = 0
    return cv2.countNonZero(cv2.bitwise_and(alpha, shape)) / area


def _visible(matrix: FloatArray, width: int, height: int, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    quad = corners(width, height)
    if (quad @ matrix[2, :2] + matrix[2, 2]).min() <= 1e-3:
        return 0, 0, shape[1], shape[0]
    x, y, w, h = bounds(project(matrix, quad))
    x0, y0 = max(0, math.floor(x)), max(0, math.floor(y))
    x1, y1 = min(shape[1], math.ceil(x + w)), min(shape[0], math.ceil(y + h))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _covers(matrix: FloatArray, width: int, height: int, region: tuple[int, int, int, int]) -> bool:
    x0, y0, x1, y1 = region
    inside = project(inverse(matrix), np.add(corners(x1 - x0, y1 - y0), (x0, y0)))
    return bool((inside >= 0.0).all() and (inside <= (width, height)).all())


def _warp(image: UInt8Array, matrix: FloatArray, size: tuple[int, int], border: int) -> UInt8Array:
    if abs(matrix[2, 0]) + abs(matrix[2, 1]) < 1e-9:
        affine = matrix[:2] / matrix[2, 2]
        return np.asarray(cv2.warpAffine(image, affine, size, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)
    return np.asarray(cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)
