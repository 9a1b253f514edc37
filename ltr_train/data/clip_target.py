"""The target of a rendered clip: how it looks from frame to frame, and where it goes."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ltr_train.data.bank import Bank
from ltr_train.data.bend import KNOTS
from ltr_train.data.clip_config import RenderConfig
from ltr_train.data.corpus import Annotation
from ltr_train.data.geometry import FloatArray, project
from ltr_train.data.opacity import Masked, ellipse
from ltr_train.data.paths import around, motions, slowed, visit, wander
from ltr_train.data.recipes import part
from ltr_train.data.scene import Sprite, Tint
from ltr_train.data.sprites import bent, cutout, harmonised, recolour, soft_patch

_SMALLEST, _LARGEST = 0.07, 0.32
# A small object enlarged beyond this shows its pixels.
_ENLARGED = 1.7
# Of the most that a target may move: what its own way takes, and what its way to another place.
_WANDERING, _VISITING = 0.35, 0.65


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Motion of a layer over T frames, in pixels of the frame.

    Attributes:
        place: [T, 2] of its middle.
        angle: [T] degrees.
        scale: [T, 2] of x and y.
        tilt: [T, 2] change of depth over a pixel.
    """

    place: FloatArray
    angle: FloatArray
    scale: FloatArray
    tilt: FloatArray

    @property
    def matrices(self) -> FloatArray:
        """[T, 3, 3] from a plane whose origin is the layer's middle."""
        return motions(self.place, self.angle, self.scale, self.tilt)


def appearance(bank: Bank, config: RenderConfig, rng: np.random.Generator) -> tuple[list[Sprite], Annotation | None]:
    """A target over the frames of a clip, centred at the plane's origin; and what was annotated, if it was.

    An object of a real clip is cut out of successive frames, one of a still is bent little by little.
    """
    objects = len(bank.cutouts) or len(bank.stills)
    if not objects or rng.random() < config.patch:
        found = part(bank, rng) if rng.random() < 0.5 else None
        picture, box = found or bank.patch(rng, 24.0, 150.0)
        return [soft_patch(picture, box, ellipse((2.5, 4.0)[int(rng.integers(2))]))] * config.frames, None
    annotation = bank.any_object(rng)
    if annotation.mask is None:
        return [cutout(bank.facts, bank.corpus.pictures[annotation.picture], annotation)] * config.frames, annotation
    succession = bank.succession(annotation, config.frames)
    made = {a: cutout(bank.facts, bank.corpus.pictures[a.picture], a) for a in dict.fromkeys(succession)}
    looks = [made[a] for a in succession]
    return (looks if len(made) > 1 else _bending(bank, rng, looks)), annotation


def _bending(bank: Bank, rng: np.random.Generator, looks: list[Sprite]) -> list[Sprite]:
    """A masked cut-out that changes its shape smoothly; unchanged where every field tried folds over itself."""
    box = looks[0].opacity.box
    strength = rng.uniform(0.0, 0.035) * math.sqrt(box[2] * box[3])
    course = wander(rng, len(looks), 2 * KNOTS * KNOTS, 25.0, 100.0).reshape(-1, 2, KNOTS, KNOTS)
    for weaker in (1.0, 0.5, 0.25):
        found = [bent(bank.facts, look, weaker * strength * knots) for look, knots in zip(looks, course, strict=True)]
        whole = [sprite for sprite in found if sprite is not None]
        if len(whole) == len(looks):
            return whole
    return looks


def lit(bank: Bank, rng: np.random.Generator, looks: list[Sprite], behind: Sprite) -> list[Sprite]:
    """A target in the light of its new surroundings, which changes slowly; sometimes in other colours."""
    first = looks[0]
    if isinstance(first.opacity, Masked) and rng.random() < 0.25:
        first = recolour(first, rng, 0.3)
    first = harmonised(bank.facts, first, behind, rng.uniform(0.2, 0.8) if rng.random() < 0.5 else 0.0)
    shade = np.exp(rng.uniform(0.0, 0.1) * wander(rng, len(looks), 1, 30.0, 120.0))
    plain = np.zeros(3), np.arange(3)
    return [
        replace(look, tint=first.tint.then(Tint(np.full(3, gain), *plain)))
        for look, gain in zip(looks, shade[:, 0], strict=True)
    ]


def target_course(
    config: RenderConfig, rng: np.random.Generator, looks: list[Sprite], roll: FloatArray, zoom: FloatArray
) -> Course:
    """Where a target goes and how it turns and grows, under a camera's roll (degrees) and zoom, [T] each."""
    frames, wide = config.frames, math.sqrt(config.width * config.height)
    boxes = np.array([look.box(np.eye(3)) for look in looks])
    native = math.sqrt((boxes[:, 2] * boxes[:, 3]).max())
    size = min(wide * math.exp(rng.uniform(math.log(_SMALLEST), math.log(_LARGEST))), _ENLARGED * native)
    growth = np.exp(rng.uniform(0.0, 0.2) * wander(rng, frames, 1, 60.0, 200.0))
    aspect = np.exp(rng.uniform(0.0, 0.08) * wander(rng, frames, 1, 40.0, 160.0))
    scale = size / native * growth * zoom[:, None] * np.concatenate([aspect, 1.0 / aspect], axis=1)
    spin = 25.0 if rng.random() < 0.2 else 6.0
    angle = roll + rng.uniform(0.0, spin) * wander(rng, frames, 1, 40.0, 200.0)[:, 0]
    tilt = rng.uniform(0.0, 0.03) / native * wander(rng, frames, 2, 40.0, 160.0)
    bound = np.array([config.width, config.height])
    middle = rng.uniform(0.25, 0.75, 2) * bound
    reach = rng.uniform(0.05, 0.22) * bound
    place = middle + reach * wander(rng, frames, 2, 40.0, 160.0)
    return Course(slowed(place, _WANDERING * config.speed * size), angle, scale, tilt)


def half_extents(looks: list[Sprite], course: Course) -> FloatArray:
    """Half width and height that a target never exceeds on its course, [2] px."""
    centred = replace(course, place=np.zeros_like(course.place)).matrices
    outlines = [project(m @ look.matrix, look.outline) for m, look in zip(centred, looks, strict=True)]
    return np.asarray(np.abs(np.concatenate(outlines)).max(axis=0), np.float64)


def visiting(
    config: RenderConfig, rng: np.random.Generator, place: FloatArray, goal: FloatArray, size: float
) -> FloatArray | None:
    """A path [T, 2] that leads to a goal [T, 2] about the middle of the clip, stays there for a while, and comes back.

    Returns:
        None where the clip is too short for that at the speed of a target of ``size`` px.
    """
    frames = config.frames
    stay = int(rng.integers(4, max(5, frames // 4)))
    middle = int(frames * rng.uniform(0.35, 0.65))
    near = slice(middle - frames // 3, middle + frames // 3 + 1)
    distance = float(np.linalg.norm((goal - place)[near], axis=1).max())
    ramp = math.ceil(1.5 * distance / (_VISITING * config.speed * size))
    start = middle - stay // 2 - ramp
    if start < 3 or start + 2 * ramp + stay > frames - 3:
        return None
    there = visit(frames, start, ramp, stay)[:, None]
    return np.asarray(place + there * (goal - place), np.float64)


def returning(
    config: RenderConfig, rng: np.random.Generator, place: FloatArray, half: FloatArray, size: float
) -> FloatArray | None:
    """A path [T, 2] out of the frame, around it, and into it again from elsewhere, at least a quarter turn farther on.

    It stays out for a sixth to a quarter of the clip, and is back before the last quarter.

    Args:
        config: Size of the frame, number of frames, and speed.
        rng: Source of randomness.
        place: [T, 2] the target's own way in the frame.
        half: [2] half of its width and height.
        size: Its sqrt(w * h), px.

    Returns:
        None where the clip is too short for that at the speed of a target of ``size`` px.
    """
    frames, bound = config.frames, np.array([config.width, config.height], np.float64)
    there = place + rng.uniform(0.25, 0.75, 2) * bound - place.mean(axis=0)
    turn = rng.uniform(0.0, 2.0 * math.pi), math.copysign(rng.uniform(0.5, 1.0) * math.pi, rng.random() - 0.5)
    stay = int(rng.integers(frames // 6, frames // 4 + 1))

    def outside(share: FloatArray) -> FloatArray:
        return 0.5 * bound + around(0.5 * bound + 1.1 * half + 2.0, turn[0] + share * turn[1])

    ends = outside(np.array([0.0, 1.0]))
    out, back = (
        math.ceil(1.5 * float(np.linalg.norm(way - end, axis=1).max()) / (_VISITING * config.speed * size))
        for way, end in zip((place, there), ends, strict=True)
    )
    latest = frames - frames // 4 - out - stay - back
    if latest < frames // 8:
        return None
    start = int(rng.integers(frames // 8, latest + 1))
    gone, come = (visit(frames, *ramp, frames)[:, None] for ramp in ((start, out), (start + out + stay, back)))
    beyond = outside(np.clip((np.arange(frames) - start - out) / stay, 0.0, 1.0))
    return np.asarray(place + gone * (beyond - place) + come * (there - beyond), np.float64)
