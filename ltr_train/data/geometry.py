"""Plane transforms and boxes, all in continuous pixel coordinates (pixel ``i`` covers ``[i, i + 1)``)."""

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Box = tuple[float, float, float, float]

_ANGLES = np.linspace(0.0, 2.0 * math.pi, 32, endpoint=False)
# Exponent 4: touches the middle of each side and keeps most of the corners, as objects in drawn boxes do.
_SUPERELLIPSE = np.stack(
    [
        np.sign(np.cos(_ANGLES)) * np.abs(np.cos(_ANGLES)) ** 0.5,
        np.sign(np.sin(_ANGLES)) * np.abs(np.sin(_ANGLES)) ** 0.5,
    ],
    axis=1,
)


def superellipse(box: Box) -> FloatArray:
    """Outline [32, 2] standing for the object inside a drawn box; its bounding box is the box.

    The corners of a drawn box hold background, so turning the box itself would make the turned box too large.
    """
    x, y, w, h = box
    return _SUPERELLIPSE * (0.5 * w, 0.5 * h) + (x + 0.5 * w, y + 0.5 * h)


def translation(x: float, y: float) -> FloatArray:
    """3 x 3 matrix that adds (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def linear(angle: float = 0.0, sx: float = 1.0, sy: float = 1.0) -> FloatArray:
    """3 x 3 matrix that scales the axes by (sx, sy), then turns by ``angle`` degrees."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([[c * sx, -s * sy, 0.0], [s * sx, c * sy, 0.0], [0.0, 0.0, 1.0]])


def about(point: tuple[float, float], matrix: FloatArray) -> FloatArray:
    """``matrix`` with its origin moved to ``point``."""
    return translation(*point) @ matrix @ translation(-point[0], -point[1])


def project(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Points [N, 2] through a 3 x 3 matrix."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped[:, :2] / mapped[:, 2:]


def inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of a 3 x 3 matrix, by its adjugate: ``numpy.linalg`` takes several times longer for one so small."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    adjugate = np.array(
        [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ]
    )
    return np.asarray(adjugate / (a * adjugate[0, 0] + b * adjugate[1, 0] + c * adjugate[2, 0]), np.float64)


def bounds(points: FloatArray) -> Box:
    """Smallest (x, y, w, h) around points [N, 2]."""
    x0, y0 = np.minimum.reduce(points).tolist()
    x1, y1 = np.maximum.reduce(points).tolist()
    return x0, y0, x1 - x0, y1 - y0


def corners(width: float, height: float) -> FloatArray:
    """Corners [4, 2] of the rectangle from the origin to (width, height)."""
    return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])


def centre(box: Box) -> tuple[float, float]:
    """Centre of a box (x, y, w, h)."""
    return box[0] + 0.5 * box[2], box[1] + 0.5 * box[3]


def overlap(a: Box, b: Box) -> float:
    """Area of the intersection of two boxes (x, y, w, h)."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return w * h if w > 0.0 and h > 0.0 else 0.0


def crop_camera(box: Box, size: int, factor: float, offset: tuple[float, float] = (0.0, 0.0)) -> FloatArray:
    """Matrix from the plane of ``box`` to a square crop of ``size`` px.

    Args:
        box: The target, (x, y, w, h).
        size: Side of the crop, px.
        factor: Side of the crop's region in units of sqrt(w * h).
        offset: Where the target's centre comes to lie from the crop's centre, in crop sides.
    """
    side = factor * math.sqrt(box[2] * box[3])
    cx, cy = centre(box)
    scale = size / side
    return np.array(
        [
            [scale, 0.0, size * (0.5 + offset[0]) - scale * cx],
            [0.0, scale, size * (0.5 + offset[1]) - scale * cy],
            [0.0, 0.0, 1.0],
        ]
    )


def to_crop_coordinates(box: Box, size: int) -> NDArray[np.float32]:
    """Box in px of a crop of ``size`` px as (cx, cy, log w, log h): unit its side, origin its centre."""
    x, y = centre(box)
    return np.array(
        [x / size - 0.5, y / size - 0.5, math.log(box[2] / size), math.log(box[3] / size)], dtype=np.float32
    )


def cover(width: int, height: int, region: Box, zoom: float, shift: tuple[float, float]) -> FloatArray:
    """Matrix that lays a picture over a region so that it covers it.

    Args:
        width: Width of the picture, px.
        height: Height of the picture, px.
        region: What must be covered, (x, y, w, h).
        zoom: Enlargement beyond what is needed, at least 1.
        shift: Where in the slack the region lies, each in [0, 1].
    """
    scale = zoom * max(region[2] / width, region[3] / height)
    x = region[0] - shift[0] * (width * scale - region[2])
    y = region[1] - shift[1] * (height * scale - region[3])
    return np.array([[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]])
