"""Staging the two views of a scene: cameras, the pictures they see, what fills the rest, absence."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltr_train.data.bank import Bank
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Annotation, Picture
from ltr_train.data.geometry import (
    Box,
    FloatArray,
    about,
    bounds,
    centre,
    corners,
    cover,
    crop_camera,
    inverse,
    linear,
    overlap,
    project,
    superellipse,
)
from ltr_train.data.scene import Scene, Sprite, View
from ltr_train.data.sprites import picture_sprite

# A target this far from the crop's centre still shows most of itself.
_FARTHEST = 0.42


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A target in a picture: its outline [N, 2] in the picture's pixels."""

    picture: Picture
    outline: FloatArray


def shot(bank: Bank, annotation: Annotation) -> Shot:
    """An annotated object, outlined by its mask where that agrees with its box."""
    picture = bank.corpus.pictures[annotation.picture]
    mask = annotation.mask
    if mask is not None:
        outline = bank.facts.outline(annotation, mask)
        extent = bounds(outline)
        common = overlap(extent, annotation.box)
        union = extent[2] * extent[3] + annotation.box[2] * annotation.box[3] - common
        if common > 0.8 * union:
            return Shot(picture, outline)
    return Shot(picture, superellipse(annotation.box))


def perspective(rng: np.random.Generator, strength: float, size: float) -> FloatArray:
    """Slight tilt about the origin; ``strength`` is the deviation of the change of depth over ``size``."""
    tilt = np.clip(rng.normal(0.0, strength, 2), -0.07, 0.07) / size
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [tilt[0], tilt[1], 1.0]])


def camera_motion(
    rng: np.random.Generator, outline: FloatArray, rotation: float, stretch: float, tilt: float
) -> FloatArray:
    """Change of view about the target; deviations of rotation (degrees), log stretch of each axis, tilt."""
    box = bounds(outline)
    angle = float(np.clip(rng.normal(0.0, rotation), -2.5 * rotation, 2.5 * rotation))
    sx, sy = np.exp(rng.normal(0.0, stretch, 2))
    matrix = linear(angle, sx, sy) @ perspective(rng, tilt, math.sqrt(box[2] * box[3]))
    return about(centre(box), matrix)


def template_view(bank: Bank, rng: np.random.Generator, outline: FloatArray) -> View:
    """Template view of a target outlined in the plane; the crop is drawn nearly exactly."""
    x, y = rng.normal(0.0, 0.02, 2)
    size, factor = bank.crops.template_size, bank.crops.template_factor * math.exp(rng.normal(0.0, 0.03))
    camera = crop_camera(bounds(outline), size, factor, (0.5 * x, 0.5 * y))
    return _view(camera, size, outline)


def search_view(
    bank: Bank, config: PairConfig, rng: np.random.Generator, outline: FloatArray, motion: FloatArray
) -> View:
    """Search view centred on a displaced last box of wrong size; ``motion`` moves the plane first."""
    if rng.random() < config.jitter_near:
        offset = rng.laplace(0.0, config.jitter_laplace, 2)
    else:
        offset = rng.uniform(-config.jitter_uniform, config.jitter_uniform, 2)
    x, y = np.clip(offset, -_FARTHEST, _FARTHEST)
    scale = float(np.clip(math.exp(rng.normal(0.0, config.jitter_scale)), 0.6, 1.8))
    size, factor = bank.crops.search_size, bank.crops.search_factor * scale
    camera = crop_camera(bounds(project(motion, outline)), size, factor, (x, y)) @ motion
    return _view(camera, size, outline)


def _view(camera: FloatArray, size: int, outline: FloatArray) -> View:
    target = project(camera, outline)
    return View(camera, size, [], bounds(target), target)


def seen(view: View) -> NDArray[np.float64]:
    """Corners [4, 2] of a view's crop in the plane."""
    return project(inverse(view.camera), corners(view.size, view.size))


def ground(bank: Bank, rng: np.random.Generator, points: list[FloatArray], zoom: float) -> Sprite:
    """A picture laid over all points [N, 2] of the plane that views can see."""
    region = bounds(np.concatenate(points))
    picture = bank.background(rng)
    x, y = rng.random(2)
    matrix = cover(picture.width, picture.height, region, zoom, (float(x), float(y)))
    return picture_sprite(picture).moved(matrix)


def in_pictures(
    bank: Bank,
    config: PairConfig,
    rng: np.random.Generator,
    shots: tuple[Shot, Shot],
    motion: FloatArray,
    look: Sprite,
    annotation: Annotation | None,
) -> Scene:
    """A target left in its own pictures; another one, or the mean colour, fills what they do not cover.

    Args:
        bank: Source of fillers and of other pictures.
        config: Recipe.
        rng: Source of randomness.
        shots: The target at either time; the plane has the pixel coordinates of its picture.
        motion: 3 x 3, what the plane does before the search camera.
        look: The target alone.
        annotation: The target, where it is an annotated object.
    """
    template = template_view(bank, rng, shots[0].outline)
    search = search_view(bank, config, rng, shots[1].outline, motion)
    scene = Scene(template, search, look, annotation)
    pictures = [shots[0].picture, shots[1].picture]
    boxes = [bounds(shots[0].outline), bounds(shots[1].outline)]
    if rng.random() < config.absent:
        scene.present = False
        elsewhere = None if rng.random() < config.hidden else _without(bank, config, rng, scene, shots[1], motion)
        if elsewhere is None:
            scene.hide = True
        else:
            scene.search, pictures[1], boxes[1] = elsewhere
    mean = rng.random() < config.mean_fill
    soft = rng.random() < 0.4
    views = [scene.template, scene.search]
    filler = None if mean else ground(bank, rng, [seen(view) for view in views], 1.0 + rng.uniform(0.0, 0.4))
    for view, picture, box in zip(views, pictures, boxes, strict=True):
        ramp = _ramp(picture, box) if soft and filler is not None else 0.0
        view.sprites = [picture_sprite(picture, ramp)]
        if filler is None:
            view.fill = tuple(bank.facts.picture_colour(picture))
        elif ramp > 0.0 or not _fills(picture, view):
            view.sprites.insert(0, filler)
    return scene


def _fills(picture: Picture, view: View) -> bool:
    points = seen(view)
    return bool((points >= 0.0).all() and (points <= (picture.width, picture.height)).all())


def _ramp(picture: Picture, box: Box) -> float:
    """Width over which the border fades out, but not into the target, so that the picture's edge is no clue."""
    gap = min(box[0], box[1], picture.width - box[0] - box[2], picture.height - box[1] - box[3])
    ramp = min(24.0, 0.8 * gap)
    return ramp if ramp >= 3.0 else 0.0


def _without(
    bank: Bank, config: PairConfig, rng: np.random.Generator, scene: Scene, target: Shot, motion: FloatArray
) -> tuple[View, Picture, Box] | None:
    """A search view without the target: elsewhere in its picture, or in another clip; None where that is not found."""
    if rng.random() < 0.65:
        for attempt in range(8):
            place = rng.uniform((0.0, 0.0), (target.picture.width, target.picture.height))
            moved = target.outline - target.outline.mean(axis=0) + place
            view = search_view(bank, config, rng, moved, np.eye(3) if attempt > 3 else motion)
            box = bounds(project(view.camera, target.outline))
            if overlap(box, (0.0, 0.0, view.size, view.size)) <= 0.1 * box[2] * box[3]:
                return view, target.picture, bounds(moved)
    other = None
    if scene.annotation is not None and rng.random() < config.absent_same_category:
        other = bank.peer(scene.annotation, rng)
    if other is not None and bank.corpus.pictures[other.picture].clip == target.picture.clip:
        other = None
    if other is None and len(bank.stills) and rng.random() < 0.5:
        other = bank.corpus.annotations[bank.stills.draw(rng)]
        if bank.corpus.pictures[other.picture].clip == target.picture.clip:
            other = None
    if other is not None:
        found = shot(bank, other)
    else:
        drawn = (bank.patch(rng, 16.0, 150.0) for _ in range(8))
        strange = next((patch for patch in drawn if patch[0].clip != target.picture.clip), None)
        if strange is None:
            return None
        found = Shot(strange[0], superellipse(strange[1]))
    view = search_view(bank, config, rng, found.outline, camera_motion(rng, found.outline, 4.0, 0.08, 0.02))
    return view, found.picture, bounds(found.outline)
