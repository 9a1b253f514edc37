"""Staging a rendered clip: camera, ground, target, what moves around it, what it goes behind."""

import math
from dataclasses import replace

import numpy as np

from ltr_train.data.bank import Bank
from ltr_train.data.clip_config import RenderConfig
from ltr_train.data.clip_target import Course, appearance, half_extents, lit, returning, target_course, visiting
from ltr_train.data.clutter import look_alike, occluder, random_patch, stranger
from ltr_train.data.corpus import Annotation
from ltr_train.data.geometry import FloatArray, corners, inverse, linear, project, translation
from ltr_train.data.opacity import ellipse
from ltr_train.data.paths import motions, slowed, wander
from ltr_train.data.scene import Sprite
from ltr_train.data.sprites import at
from ltr_train.data.stage import Actor, Stage
from ltr_train.data.staging import ground

_ORIGIN = np.zeros((1, 2))
# No layer but the ground takes more than this of either side of the frame.
_WIDEST = 0.6


def stage_clip(
    bank: Bank, config: RenderConfig, rng: np.random.Generator, leaves: bool
) -> tuple[Stage, Annotation | None] | None:
    """A clip without pixels, and what its target was annotated as.

    Args:
        bank: Source of pictures and objects.
        config: What clips are like.
        rng: Source of randomness.
        leaves: The target goes out of sight and comes back.

    Returns:
        None where the target drawn cannot go out of sight and back in time.
    """
    frames, size = config.frames, (config.width, config.height)
    calm = rng.uniform(0.0, 1.0)
    roll = 3.0 * calm * wander(rng, frames, 1, 60.0, 200.0)[:, 0]
    zoom = np.exp(0.08 * calm * wander(rng, frames, 1, 60.0, 200.0))[:, 0]
    pan = 0.1 * calm * np.array(size) * wander(rng, frames, 2, 50.0, 200.0)
    camera = motions(np.array(size) / 2.0 + pan, roll, np.stack([zoom, zoom], axis=1))
    looks, annotation = appearance(bank, config, rng)
    course = target_course(config, rng, looks, roll, zoom)
    half = half_extents(looks, course)
    before: list[Actor] = []
    if leaves and config.elsewhere:
        place = returning(config, rng, course.place, half, _size(looks, course))
        if place is None:
            return None
        course = replace(course, place=place)
    elif leaves:
        behind_something = rng.random() < 0.5
        hider = _hider(bank, config, rng, camera, course, half) if behind_something else None
        goal = _outside(config, rng, course, half) if hider is None else _through_each(hider.matrices, _ORIGIN)
        place = visiting(config, rng, course.place, goal, _size(looks, course))
        if place is None or (behind_something and hider is None):
            return None
        course = replace(course, place=place)
        before += [] if hider is None else [hider]
    edges = [project(inverse(matrix), corners(*size)) for matrix in camera]
    behind = ground(bank, rng, edges, 1.0 + rng.uniform(0.0, 0.3))
    looks = lit(bank, rng, looks, behind)
    actors = [Actor([behind] * frames, camera)]
    extent = _size(looks, course)
    if rng.random() < config.clutter:
        for _ in range(int(rng.integers(1, 4))):
            actors.append(_bystander(stranger(bank, rng), config, rng, camera, extent * rng.uniform(0.6, 1.5)))
    if rng.random() < config.look_alikes:
        # Who meets the target is to be seen while the target is not.
        bound = np.array(size)
        shown = replace(course, place=course.place.clip(0.1 * bound, 0.9 * bound)) if config.elsewhere else course
        for _ in range(int(rng.choice(3, p=(0.5, 0.3, 0.2))) + 1):
            sprite = look_alike(looks[0], annotation, True, bank, rng)
            other = _companion(sprite, config, rng, shown, extent * math.exp(rng.normal(0.0, 0.2)))
            (before if rng.random() < 0.3 else actors).append(other)
    if rng.random() < config.occluders:
        before.append(_passed(occluder(bank, rng), config, rng, camera, course, extent * rng.uniform(0.4, 0.9)))
    shutter = rng.uniform(0.0, config.shutter)
    actors.append(Actor(looks, course.matrices))
    return Stage(actors + before, len(actors) - 1, size, shutter), annotation


def _through_each(matrices: FloatArray, points: FloatArray) -> FloatArray:
    """One point, given as [1, 2], through every matrix [T, 3, 3]: [T, 2]."""
    return np.concatenate([project(matrix, points) for matrix in matrices])


def _size(looks: list[Sprite], course: Course) -> float:
    """The target's smallest sqrt(w * h) on its course, px."""
    boxes = [look.box(matrix) for look, matrix in zip(looks, course.matrices, strict=True)]
    return math.sqrt(min(w * h for _, _, w, h in boxes))


def _fitting(sprite: Sprite, size: float, config: RenderConfig) -> Sprite:
    """A layer centred at the origin, of sqrt(w * h) = ``size`` px unless it would be too wide for the frame."""
    placed = at(sprite, size, 0.0, 0.0)
    _, _, w, h = placed.box(np.eye(3))
    return placed.moved(linear(0.0, *[min(1.0, _WIDEST * config.width / w, _WIDEST * config.height / h)] * 2))


def _outside(config: RenderConfig, rng: np.random.Generator, course: Course, half: FloatArray) -> FloatArray:
    """Where a target is out of the frame, [T, 2]: beyond one of the sides nearest to its course."""
    goal = course.place.copy()
    bound = np.array([config.width, config.height])
    middle = course.place.mean(axis=0)
    gaps = np.concatenate([middle, bound - middle])
    side = int(np.argsort(gaps)[int(rng.integers(2))])
    axis = side % 2
    beyond = 1.1 * half[axis] + 2.0
    goal[:, axis] = -beyond if side < 2 else bound[axis] + beyond
    return goal


def _hider(
    bank: Bank, config: RenderConfig, rng: np.random.Generator, camera: FloatArray, course: Course, half: FloatArray
) -> Actor | None:
    """Something that stands still and hides all of the target; None where that would hide too much of the frame."""
    sprite = random_patch(bank, rng, ellipse(12.0 if rng.random() < 0.5 else 4.0))
    _, _, w, h = sprite.box(np.eye(3))
    across, down = 2.0 * half * rng.uniform(1.25, 1.5, 2)
    bound = np.array([config.width, config.height])
    if across > _WIDEST * config.width or down > _WIDEST * config.height:
        return None
    direction = rng.uniform(0.0, 2.0 * math.pi)
    away = rng.uniform(1.6, 2.4) * half * (math.cos(direction), math.sin(direction))
    middle = len(camera) // 2
    place = np.clip(course.place[middle] + away, 0.1 * bound, 0.9 * bound)
    x, y = project(inverse(camera[middle]), place[None])[0]
    return Actor(
        [sprite.moved(linear(0.0, across / w, down / h))] * len(camera),
        camera @ translation(float(x), float(y)),
    )


def _bystander(
    sprite: Sprite, config: RenderConfig, rng: np.random.Generator, camera: FloatArray, size: float
) -> Actor:
    """Something that stands somewhere, or moves about there."""
    bound = np.array([config.width, config.height])
    place = np.tile(rng.uniform(-0.55, 0.55, 2) * bound, (config.frames, 1))
    if rng.random() < 0.4:
        way = 0.15 * bound * wander(rng, config.frames, 2, 40.0, 160.0)
        place += slowed(way, 0.5 * config.speed * size)
    still = np.zeros(config.frames), np.ones((config.frames, 2))
    return Actor([_fitting(sprite, size, config)] * config.frames, camera @ motions(place, *still))


def _companion(sprite: Sprite, config: RenderConfig, rng: np.random.Generator, course: Course, size: float) -> Actor:
    """A look-alike on a way of its own, which mostly crosses the target's."""
    frames, bound = config.frames, np.array([config.width, config.height])
    way = slowed(rng.uniform(0.1, 0.3) * bound * wander(rng, frames, 2, 40.0, 160.0), 0.5 * config.speed * size)
    if rng.random() < 0.6:
        meeting = int(rng.integers(frames // 6, frames))
        way += course.place[meeting] - way[meeting] + rng.normal(0.0, 0.4, 2) * size
    else:
        way += rng.uniform(0.15, 0.85, 2) * bound - way.mean(axis=0)
    angle = rng.uniform(0.0, 10.0) * wander(rng, frames, 1, 40.0, 200.0)[:, 0]
    scale = np.exp(rng.uniform(0.0, 0.12) * wander(rng, frames, 1, 50.0, 200.0))
    return Actor([_fitting(sprite, size, config)] * frames, motions(way, angle, scale.repeat(2, axis=1)))


def _passed(
    sprite: Sprite, config: RenderConfig, rng: np.random.Generator, camera: FloatArray, course: Course, size: float
) -> Actor:
    """Something small before the target's way, which stands there or moves across."""
    frames = config.frames
    meeting = int(rng.integers(frames // 5, frames))
    spot = course.place[meeting] + rng.normal(0.0, 0.5, 2) * size
    place = np.tile(project(inverse(camera[meeting]), spot[None]), (frames, 1))
    if rng.random() < 0.4:
        way = slowed(2.0 * size * wander(rng, frames, 2, 40.0, 160.0), 0.5 * config.speed * size)
        place += way - way[meeting]
    still = np.zeros(frames), np.ones((frames, 2))
    return Actor([_fitting(sprite, size, config)] * frames, camera @ motions(place, *still))
