"""Making sprites: cut-outs by mask, soft patches, look-alikes, and smooth deformation."""

import math

import numpy as np

from ltr_train.data.bend import KNOTS, Bend
from ltr_train.data.corpus import Annotation, Picture
from ltr_train.data.facts import Facts, hull
from ltr_train.data.geometry import Box, FloatArray, bounds, centre, corners, linear, superellipse, translation
from ltr_train.data.opacity import Masked, Rim, Shaped, ellipse
from ltr_train.data.scene import Sprite, Tint


def picture_sprite(picture: Picture, ramp: float = 0.0) -> Sprite:
    """A whole picture, its pixel coordinates being the plane's; its border fades over ``ramp`` px."""
    width, height = picture.width, picture.height
    return Sprite(picture, Rim(width, height, ramp), np.eye(3), corners(width, height))


def cutout(facts: Facts, picture: Picture, annotation: Annotation) -> Sprite:
    """The annotated object, its edge feathered, centred at the origin; without a mask a soft ellipse."""
    mask = annotation.mask
    if mask is None:
        return soft_patch(picture, annotation.box, ellipse(2.5))
    outline = facts.outline(annotation, mask)
    x, y = centre(bounds(outline))
    return Sprite(picture, Masked(annotation, mask), translation(-x, -y), outline)


def soft_patch(picture: Picture, box: Box, shape: int) -> Sprite:
    """A piece of a picture with the opacity number ``shape`` stretched over it, centred at the plane's origin."""
    x, y = centre(box)
    return Sprite(picture, Shaped(shape, box), translation(-x, -y), superellipse(box))


def deform(facts: Facts, sprite: Sprite, rng: np.random.Generator, strength: float) -> Sprite:
    """Bend a cut-out by a smooth random field.

    Args:
        facts: Cache of outlines.
        sprite: A cut-out with a mask.
        rng: Source of randomness.
        strength: Deviation of the displacement, in units of the sprite's size.
    """
    opacity = sprite.opacity
    if not isinstance(opacity, Masked):
        raise ValueError("only a cut-out with a mask can be bent")
    box = opacity.box
    return bent(facts, sprite, rng.normal(0.0, strength * math.sqrt(box[2] * box[3]), (2, KNOTS, KNOTS))) or sprite


def bent(facts: Facts, sprite: Sprite, knots: FloatArray) -> Sprite | None:
    """A cut-out with a mask bent by a field [2, 4, 4], px of its picture; None where that folds over itself."""
    opacity = sprite.opacity
    assert isinstance(opacity, Masked)
    bend = Bend(knots, opacity.box)
    contour = bend.moved(facts.contour(opacity.annotation, opacity.mask))
    if contour is None:
        return None
    return Sprite(sprite.picture, opacity, sprite.matrix, hull(contour), sprite.tint, bend)


def harmonised(facts: Facts, sprite: Sprite, behind: Sprite, pull: float) -> Sprite:
    """The cut-out with its brightness drawn towards that of the picture behind it."""
    if pull == 0.0 or not isinstance(sprite.opacity, Masked):
        return sprite
    own = facts.object_colour(sprite.picture, sprite.opacity.annotation, sprite.opacity.mask)
    tint = sprite.tint
    level = np.clip(own[tint.order] * tint.gain + tint.bias, 0.0, 255.0).sum() + 3.0
    aim = facts.picture_colour(behind.picture).sum() + 3.0
    gain = np.clip((aim / level) ** pull, 0.5, 2.0)
    return sprite.tinted(Tint(np.full(3, gain), np.zeros(3), np.arange(3)))


def recolour(sprite: Sprite, rng: np.random.Generator, strength: float) -> Sprite:
    """Change gains, brightness and sometimes the order of the colour channels of a sprite."""
    gain = np.exp(rng.normal(0.0, strength, 3)) * math.exp(rng.normal(0.0, strength))
    bias = np.full(3, rng.normal(0.0, 40.0 * strength))
    order = rng.permutation(3) if rng.random() < strength else np.arange(3)
    return sprite.tinted(Tint(gain, bias, order))


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
    return sprite.moved(translation(x - scale * cx, y - scale * cy) @ linear(0.0, scale, scale))
