"""The four kinds of pairs: real clips, composed cut-outs, stills seen by two cameras, and arbitrary patches.

Each recipe stages the two views and the target. Look-alikes and occluders come after (``clutter.py``).
"""

import math
from collections.abc import Callable

import numpy as np

from ltr_train.data.annotators import boxed
from ltr_train.data.bank import Bank, texture
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Annotation, Picture
from ltr_train.data.geometry import Box, linear, project, superellipse, translation
from ltr_train.data.opacity import ellipse, random_blob
from ltr_train.data.scene import Scene
from ltr_train.data.sprites import cutout, deform, harmonised, recolour, soft_patch
from ltr_train.data.staging import (
    Shot,
    camera_motion,
    ground,
    in_pictures,
    perspective,
    search_view,
    seen,
    shot,
    template_view,
)

Recipe = Callable[[Bank, PairConfig, np.random.Generator], Scene]


def video(bank: Bank, config: PairConfig, rng: np.random.Generator) -> Scene:
    """Two frames of a real clip."""
    first, second = bank.two_frames(bank.tracks.draw(rng), rng)
    early, late = shot(bank, first), shot(bank, second)
    template_outline, search_outline = boxed(config, rng, early.outline, late.outline)
    shots = Shot(early.picture, template_outline), Shot(late.picture, search_outline)
    motion = camera_motion(rng, search_outline, rotation=2.5, stretch=0.04, tilt=0.01)
    return in_pictures(bank, config, rng, shots, motion, cutout(bank.facts, shots[0].picture, first), first)


def still(bank: Bank, config: PairConfig, rng: np.random.Generator) -> Scene:
    """An annotated still seen by two cameras."""
    annotation = bank.corpus.annotations[bank.stills.draw(rng)]
    target = shot(bank, annotation)
    template_outline, search_outline = boxed(config, rng, target.outline, target.outline)
    shots = Shot(target.picture, template_outline), Shot(target.picture, search_outline)
    rotation = 4.0 if annotation.mask is None else config.motion_rotation
    motion = camera_motion(rng, search_outline, rotation, stretch=0.08, tilt=0.025)
    look = cutout(bank.facts, target.picture, annotation)
    return in_pictures(bank, config, rng, shots, motion, look, annotation)


def patch(bank: Bank, config: PairConfig, rng: np.random.Generator) -> Scene:
    """An arbitrary textured patch, or a part of an annotated object, seen by two cameras."""
    found = part(bank, rng) if rng.random() < 0.3 else None
    picture, box = found or bank.patch(rng, 16.0, 150.0)
    target = Shot(picture, superellipse(box))
    shape = random_blob(rng) if rng.random() < 0.4 else ellipse(2.5)
    motion = camera_motion(rng, target.outline, rotation=4.0, stretch=0.08, tilt=0.025)
    return in_pictures(bank, config, rng, (target, target), motion, soft_patch(picture, box, shape), None)


def composed(bank: Bank, config: PairConfig, rng: np.random.Generator) -> Scene:
    """An object cut out by its mask, moving over another picture; a clip gives cut-outs of two frames."""
    first, second = _two_masks(bank, rng)
    early = cutout(bank.facts, bank.corpus.pictures[first.picture], first)
    late = early if first is second else cutout(bank.facts, bank.corpus.pictures[second.picture], second)
    aspect = linear(0.0, math.exp(rng.normal(0.0, 0.1)), 1.0)
    early, late = early.moved(aspect), late.moved(aspect)
    if first is second and rng.random() < 0.7:
        late = deform(bank.facts, late, rng, rng.uniform(0.01, 0.05))
    if rng.random() < 0.25:
        tint = int(rng.integers(2**31))
        early = recolour(early, np.random.default_rng(tint), 0.3)
        late = recolour(late, np.random.default_rng(tint), 0.3)
    box = late.box(np.eye(3))
    size = math.sqrt(box[2] * box[3])
    spin = 40.0 if rng.random() < config.motion_spin else config.motion_rotation
    sx, sy = np.exp(rng.normal(0.0, config.motion_aspect, 2))
    travel = np.clip(rng.normal(0.0, 0.7, 2), -1.8, 1.8) * size
    own = linear(rng.normal(0.0, spin), sx, sy) @ perspective(rng, 0.05, size)
    late = late.moved(translation(travel[0], travel[1]) @ own)
    template_outline, search_outline = boxed(config, rng, early.outline, late.outline)
    outline = project(late.matrix, search_outline)
    template = template_view(bank, rng, project(early.matrix, template_outline))
    search = search_view(
        bank, config, rng, outline, camera_motion(rng, outline, rotation=2.0, stretch=0.03, tilt=0.015)
    )
    behind = ground(bank, rng, [seen(template), seen(search)], 1.0 + rng.uniform(0.0, 0.5))
    pull = rng.uniform(0.2, 0.8) if rng.random() < 0.5 else 0.0
    look = early
    template.sprites = [behind, harmonised(bank.facts, early, behind, pull)]
    search.sprites = [behind, harmonised(bank.facts, late, behind, pull)]
    scene = Scene(template, search, look, first, composed=True)
    if rng.random() < config.absent:
        scene.present = False
        scene.hide = bool(rng.random() < config.hidden)
        if not scene.hide:
            search.sprites.pop()
    return scene


def _two_masks(bank: Bank, rng: np.random.Generator) -> tuple[Annotation, Annotation]:
    first = bank.corpus.annotations[bank.cutouts.draw(rng)]
    if first.track is not None and bank.has_frames(first):
        for _ in range(3):
            a, b = bank.two_frames(first.track, rng)
            if a.mask is not None and b.mask is not None and min(a.mask.area, b.mask.area) > 100:
                return a, b
    return first, first


def part(bank: Bank, rng: np.random.Generator) -> tuple[Picture, Box] | None:
    """A textured part of an annotated object, or None where a few draws found none."""
    for _ in range(3 if len(bank.stills) else 0):
        annotation = bank.corpus.annotations[bank.stills.draw(rng)]
        picture = bank.corpus.pictures[annotation.picture]
        x, y, w, h = annotation.box
        pw, ph = w * rng.uniform(0.25, 0.7), h * rng.uniform(0.25, 0.7)
        box = (x + rng.uniform(0.0, w - pw), y + rng.uniform(0.0, h - ph), pw, ph)
        if min(pw, ph) >= 12.0 and max(pw, ph) < 3.0 * min(pw, ph) and texture(picture, box) > 14.0:
            return picture, box
    return None
