"""Layered scenes as descriptions without pixels, so that a worker can paint them or a device render many at once.

A sprite is a picture, or a piece of one under an opacity, with a matrix into the scene's plane; a camera is a matrix
from that plane into the crop. ``cv2_layers.py`` and ``torch_layers.py`` realise the same scenes.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.bend import Bend
from ltr_train.data.corpus import Annotation, Picture
from ltr_train.data.geometry import Box, FloatArray, bounds, inverse, overlap, project
from ltr_train.data.opacity import Masked, Rim, Shaped

# Beyond this reduction bilinear sampling skips pixels, and the crop would shimmer.
_ALIASING = 1.5
LEVELS = 4
"""Sizes in which a picture is at hand: whole, and halved up to three times."""
_GRID = 24


@dataclass(frozen=True, slots=True, eq=False)
class Tint:
    """Change of a sprite's colours: channel c becomes ``gain[c]`` times channel ``order[c]`` plus ``bias[c]``."""

    gain: FloatArray
    bias: FloatArray
    order: NDArray[np.intp]

    def then(self, other: "Tint") -> "Tint":
        """This change followed by another."""
        order = other.order
        return Tint(self.gain[order] * other.gain, self.bias[order] * other.gain + other.bias, self.order[order])


PLAIN = Tint(np.ones(3), np.zeros(3), np.arange(3))


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A layer.

    Attributes:
        picture: Where its colours come from.
        opacity: Where it is opaque.
        matrix: 3 x 3, from the picture's pixel coordinates into the plane.
        outline: [N, 2] in the picture's pixel coordinates; its image's bounding box is the object's box.
        tint: Change of its colours.
        bend: Smooth deformation, or None.
    """

    picture: Picture
    opacity: Rim | Masked | Shaped
    matrix: FloatArray
    outline: FloatArray
    tint: Tint = PLAIN
    bend: Bend | None = None

    def moved(self, matrix: FloatArray) -> "Sprite":
        """The sprite after a further transform of the plane."""
        return Sprite(self.picture, self.opacity, matrix @ self.matrix, self.outline, self.tint, self.bend)

    def tinted(self, tint: Tint) -> "Sprite":
        """The sprite after a further change of its colours."""
        return Sprite(self.picture, self.opacity, self.matrix, self.outline, self.tint.then(tint), self.bend)

    def box(self, camera: FloatArray) -> Box:
        """Bounding box (x, y, w, h) of the outline in crop pixels."""
        return bounds(project(camera @ self.matrix, self.outline))

    @property
    def extent(self) -> Box:
        """Box in the picture's pixels outside of which the sprite is transparent."""
        if self.bend is None:
            return self.opacity.box
        x, y, w, h = bounds(self.outline)
        return x - 3.0, y - 3.0, w + 6.0, h + 6.0


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


@dataclass(slots=True)
class Scene:
    """Two views of one scene.

    Attributes:
        template: View at the time of the first frame.
        search: View at the later time.
        look: The target alone, centred at the plane's origin; what its look-alikes are made from.
        annotation: What was annotated, where the target is an annotated object.
        composed: The target is a layer of its own: the last of ``search.sprites`` while it is there.
        present: The search view shows the target.
        hide: The target is there, but an occluder must still be put before it.
    """

    template: View
    search: View
    look: Sprite
    annotation: Annotation | None
    composed: bool = False
    present: bool = True
    hide: bool = False


def placement(
    matrices: FloatArray, extents: FloatArray, sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], FloatArray]:
    """Where layers fall into their crops, and how large.

    Args:
        matrices: [L, 3, 3] from picture into crop pixels.
        extents: [L, 4] boxes (x, y, w, h) in picture pixels.
        sizes: [L, 2] (width, height) of the crops, px.

    Returns:
        [L, 4] regions (x0, y0, x1, y1) in whole crop pixels, empty (x1 <= x0 or y1 <= y0) where out of sight;
        [L] crop pixels per picture pixel at the middle of the extent.
    """
    x0, y0, x1, y1 = extents[:, 0], extents[:, 1], extents[:, 0] + extents[:, 2], extents[:, 1] + extents[:, 3]
    middle_x, middle_y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    points = np.stack(
        [
            np.stack([x0, x1, x1, x0, middle_x], 1),
            np.stack([y0, y0, y1, y1, middle_y], 1),
            np.ones((len(extents), 5)),
        ],
        axis=1,
    )
    mapped = matrices @ points
    depth = np.maximum(mapped[:, 2], 1e-6)
    flat = mapped[:, :2, :4] / depth[:, None, :4]
    behind = mapped[:, 2, :4].min(axis=1) <= 1e-3
    low = np.where(behind[:, None], 0.0, np.floor(flat.min(axis=2)))
    high = np.where(behind[:, None], sizes, np.ceil(flat.max(axis=2)))
    low, high = np.clip(low, 0, sizes), np.clip(high, 0, sizes)
    scale = np.sqrt(np.abs(np.linalg.det(matrices))) / depth[:, 4] ** 1.5
    return np.concatenate([low, high], axis=1).astype(np.int64), scale


def mip_level(scale: FloatArray) -> NDArray[np.int64]:
    """How often pictures shown at a scale are halved first, 0 to ``LEVELS`` - 1."""
    halvings = np.ceil(-np.log2(np.maximum(_ALIASING * scale, 1e-9)))
    return np.clip(halvings, 0, LEVELS - 1).astype(np.int64)


def coverage(sprite: Sprite, view: View) -> float:
    """Share of the target's outline, as far as it lies in the crop, that a sprite would hide; on a coarse grid."""
    if isinstance(sprite.opacity, Rim) or overlap(view.box, (0.0, 0.0, view.size, view.size)) <= 0.0:
        return 0.0
    x0, y0 = max(0.0, view.box[0]), max(0.0, view.box[1])
    x1, y1 = min(view.size, view.box[0] + view.box[2]), min(view.size, view.box[1] + view.box[3])
    cell = np.array([(x1 - x0) / _GRID, (y1 - y0) / _GRID])
    shape = np.zeros((_GRID, _GRID), np.uint8)
    cv2.fillConvexPoly(shape, np.round((view.target - (x0, y0)) / cell - 0.5).astype(np.int32), 1)
    rows, columns = np.nonzero(shape)
    if len(rows) == 0:
        return 0.0
    points = np.stack([columns + 0.5, rows + 0.5], axis=1) * cell + (x0, y0)
    back = project(inverse(view.camera @ sprite.matrix), points)
    return float(sprite.opacity.covers(back).mean())
