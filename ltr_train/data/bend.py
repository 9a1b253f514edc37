"""Smooth deformation of a cut-out by a field of 4 x 4 knots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltr_train.data.geometry import Box, FloatArray

KNOTS = 4
# The cubic of OpenCV and of torch's bicubic sampling.
_SHARPNESS = -0.75
# Beyond the outermost knots the field has their value.
_PADDED = np.arange(-2.0, KNOTS + 2.0)
_FOLDED = np.eye(KNOTS)[np.clip(_PADDED, 0, KNOTS - 1).astype(int)]


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """A pixel at p shows what was at p + d(p).

    Attributes:
        knots: [2, 4, 4] displacements (x, then y) in picture pixels at the middles of the cells of a 4 x 4 grid over
            ``box``; d is their bicubic interpolation, constant outside.
        box: (x, y, w, h) in picture pixels.
    """

    knots: FloatArray
    box: Box

    def displacement(self, points: FloatArray) -> FloatArray:
        """d at points [N, 2]."""
        x, y, w, h = self.box
        across, down = _weights((points[:, 0] - x) / w), _weights((points[:, 1] - y) / h)
        return np.asarray(((down @ self.knots) * across).sum(axis=2).T, np.float64)

    def grid(self, xs: FloatArray, ys: FloatArray) -> NDArray[np.float32]:
        """d at the crossings of columns xs [W] and rows ys [H]: [2, H, W]."""
        x, y, w, h = self.box
        field = _weights((ys - y) / h) @ self.knots @ _weights((xs - x) / w).T
        return np.asarray(field, np.float32)

    def moved(self, points: FloatArray) -> FloatArray | None:
        """Where points [N, 2] of the unbent picture come to lie; None where the field folds over itself."""
        result = points
        for _ in range(6):
            result = points - self.displacement(result)
        error = np.abs(result + self.displacement(result) - points).max()
        return result if error < 0.5 else None


def _weights(places: FloatArray) -> FloatArray:
    """Weights [N, 4] of the knots at places [N] of the unit interval."""
    place = np.minimum(np.maximum(places * KNOTS - 0.5, -1.0), KNOTS)
    d = np.abs(place[:, None] - _PADDED)
    a = _SHARPNESS
    near = ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    far = ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    return np.asarray(np.where(d < 1.0, near, np.where(d < 2.0, far, 0.0)) @ _FOLDED, np.float64)
