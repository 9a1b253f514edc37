"""What planning has to know of pixels, looked up once: outlines of masks and mean colours."""

from typing import Any

import cv2
import numpy as np

from ltr_train.data.corpus import Annotation, Mask, Picture
from ltr_train.data.geometry import FloatArray, corners

# Some 70 MB at the most, in every worker.
_MOST = 20_000
_CONTOUR = 160


class Facts:
    """Cache of what was measured on pictures and masks."""

    def __init__(self) -> None:
        self._outlines: dict[Annotation, tuple[FloatArray, FloatArray]] = {}
        self._object_colours: dict[Annotation, FloatArray] = {}
        self._picture_colours: dict[Picture, FloatArray] = {}

    def outline(self, annotation: Annotation, mask: Mask) -> FloatArray:
        """Convex outline [N, 2] of a mask in its picture's pixels."""
        return self._measured(annotation, mask)[0]

    def contour(self, annotation: Annotation, mask: Mask) -> FloatArray:
        """Outline and points [N, 2] along the edge of a mask, from which the outline of a bent one follows."""
        return self._measured(annotation, mask)[1]

    def _measured(self, annotation: Annotation, mask: Mask) -> tuple[FloatArray, FloatArray]:
        found = self._outlines.get(annotation)
        if found is None:
            found = _outline(mask)
            _keep(self._outlines, annotation, found)
        return found

    def object_colour(self, picture: Picture, annotation: Annotation, mask: Mask) -> FloatArray:
        """Mean BGR [3] of an object."""
        found = self._object_colours.get(annotation)
        if found is None:
            part = picture.image[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width]
            found = np.array(cv2.mean(part, mask.pixels)[:3])
            _keep(self._object_colours, annotation, found)
        return found

    def picture_colour(self, picture: Picture) -> FloatArray:
        """Mean BGR [3] of a picture."""
        found = self._picture_colours.get(picture)
        if found is None:
            found = np.array(cv2.mean(picture.image)[:3])
            _keep(self._picture_colours, picture, found)
        return found


def _keep(store: dict[Any, Any], key: Any, value: Any) -> None:
    if len(store) >= _MOST:
        store.clear()
    store[key] = value


def _outline(mask: Mask) -> tuple[FloatArray, FloatArray]:
    contours, _ = cv2.findContours(mask.pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge = np.concatenate(contours)
    corner = cv2.convexHull(edge).reshape(-1, 1, 2) + corners(1.0, 1.0)
    place = np.array([mask.x, mask.y])
    outline = hull(corner.reshape(-1, 2)) + place
    points = edge.reshape(-1, 2)[:: 1 + len(edge) // _CONTOUR] + 0.5 + place
    return outline, np.concatenate([outline, points])


def hull(points: FloatArray) -> FloatArray:
    """Convex hull [N, 2] of points."""
    return np.asarray(cv2.convexHull(points.astype(np.float32)).reshape(-1, 2), np.float64)
