"""What stands around and before a target: look-alikes, other objects, occluders."""

import math

import numpy as np

from ltr_train.data.bank import Bank
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Annotation
from ltr_train.data.geometry import Box, inverse, linear, overlap, translation
from ltr_train.data.opacity import ellipse, random_blob
from ltr_train.data.scene import Scene, Sprite, View, coverage
from ltr_train.data.sprites import at, cutout, recolour, reshape, soft_patch


def add_clutter(scene: Scene, bank: Bank, config: PairConfig, rng: np.random.Generator) -> None:
    """Add look-alikes, other objects and occluders to both views of a scene, in place."""
    wanted = config.distractor if scene.present else config.absent_same_category
    if rng.random() < wanted:
        for _ in range(int(rng.choice(4, p=(0.5, 0.28, 0.14, 0.08))) + 1):
            _place(scene, look_alike(scene.look, scene.annotation, scene.present, bank, rng), rng, size=1.0)
    if scene.composed and rng.random() < config.clutter:
        for _ in range(int(rng.integers(1, 4))):
            _place(scene, stranger(bank, rng), rng, size=rng.uniform(0.6, 1.8))
    if scene.hide:
        _hide(scene.search, bank, rng)
    elif rng.random() < config.occluder:
        _occlude(scene.search, bank, rng, 0.08, 0.5)
    if rng.random() < config.template_occluder:
        _occlude(scene.template, bank, rng, 0.03, 0.2)


def look_alike(
    look: Sprite, annotation: Annotation | None, present: bool, bank: Bank, rng: np.random.Generator
) -> Sprite:
    """A changed copy of the target, or another object of its category; no copy where the target is absent.

    Args:
        look: The target alone, centred at the plane's origin.
        annotation: The target, where it is an annotated object.
        present: The target is there.
        bank: Source of other objects.
        rng: Source of randomness.
    """
    peer = None
    if annotation is not None and (not present or rng.random() < 0.5):
        peer = bank.peer(annotation, rng)
    if peer is not None:
        return reshape(cutout(bank.facts, bank.corpus.pictures[peer.picture], peer), rng, 0.08)
    if not present:
        return stranger(bank, rng)
    return reshape(recolour(look, rng, rng.uniform(0.12, 0.35)), rng, 0.15)


def stranger(bank: Bank, rng: np.random.Generator) -> Sprite:
    """An unrelated object, or a patch of irregular outline."""
    if (len(bank.cutouts) or len(bank.stills)) and rng.random() < 0.75:
        annotation = bank.any_object(rng)
        return reshape(cutout(bank.facts, bank.corpus.pictures[annotation.picture], annotation), rng, 0.1)
    return random_patch(bank, rng, random_blob(rng))


def random_patch(bank: Bank, rng: np.random.Generator, shape: int) -> Sprite:
    """A small piece of any picture with the opacity number ``shape``."""
    picture, box = bank.patch(rng, 16.0, 80.0)
    return soft_patch(picture, box, shape)


def _place(scene: Scene, sprite: Sprite, rng: np.random.Generator, size: float) -> None:
    """Put a sprite somewhere in the search crop off the target, and often into the template's scene too."""
    search = scene.search
    target = search.box
    wanted = math.sqrt(target[2] * target[3]) if scene.present else 64.0
    wanted *= size * math.exp(rng.normal(0.0, 0.2))
    for _ in range(8):
        x, y = rng.uniform(0.02, 0.98, 2) * search.size
        placed = at(sprite, wanted, float(x), float(y))
        box = placed.box(np.eye(3))
        if not scene.present or _apart(box, target, 0.1):
            break
    else:
        return
    in_plane = placed.moved(inverse(search.camera))
    _insert(scene, search, in_plane)
    if rng.random() < 0.6:
        extent = in_plane.box(np.eye(3))
        dx, dy = rng.normal(0.0, 0.5, 2) * math.sqrt(extent[2] * extent[3])
        before = in_plane.moved(translation(dx, dy))
        if _apart(before.box(scene.template.camera), scene.template.box, 0.05):
            _insert(scene, scene.template, before)


def _apart(box: Box, target: Box, share: float) -> bool:
    return overlap(box, target) <= share * min(box[2] * box[3], target[2] * target[3])


def _insert(scene: Scene, view: View, sprite: Sprite) -> None:
    """Behind the target where that is a layer of its own, before the picture otherwise."""
    has_target = scene.composed and (view is scene.template or scene.present or scene.hide)
    view.sprites.insert(len(view.sprites) - 1 if has_target else len(view.sprites), sprite)


def _occlude(view: View, bank: Bank, rng: np.random.Generator, least: float, most: float) -> None:
    """Hide between ``least`` and ``most`` of the target; gives up where a few draws did not."""
    x, y, w, h = view.box
    sprite = occluder(bank, rng)
    for _ in range(5):
        size = math.sqrt(w * h) * math.exp(rng.normal(-0.1, 0.4))
        angle = rng.uniform(0.0, 2.0 * math.pi)
        reach = rng.uniform(0.3, 0.9)
        px, py = x + 0.5 * w + reach * math.cos(angle) * w, y + 0.5 * h + reach * math.sin(angle) * h
        placed = at(sprite, size, px, py).moved(inverse(view.camera))
        if least <= coverage(placed, view) <= most:
            view.sprites.append(placed)
            return


def occluder(bank: Bank, rng: np.random.Generator) -> Sprite:
    """An object, a patch, or a long bar such as a pole or a branch."""
    kind = rng.random()
    if kind < 0.6:
        return stranger(bank, rng)
    sprite = random_patch(bank, rng, ellipse(12.0))
    if kind < 0.75:
        return sprite
    stretch = linear(0.0, rng.uniform(0.15, 0.4), rng.uniform(2.0, 4.0))
    return sprite.moved(linear(0.0 if rng.random() < 0.6 else 90.0) @ stretch)


def _hide(view: View, bank: Bank, rng: np.random.Generator) -> None:
    """Put a patch before the whole target."""
    x, y, w, h = view.box
    sprite = random_patch(bank, rng, ellipse(12.0 if rng.random() < 0.5 else 4.0))
    extent = sprite.box(np.eye(3))
    grow = rng.uniform(1.15, 1.5)
    fit = np.diag([grow * w / extent[2], grow * h / extent[3], 1.0])
    to_target = translation(x + 0.5 * w, y + 0.5 * h)
    layer = sprite
    for _ in range(8):
        layer = sprite.moved(inverse(view.camera) @ to_target @ fit)
        if coverage(layer, view) > 0.985:
            break
        fit = np.diag([1.15, 1.15, 1.0]) @ fit
    view.sprites.append(layer)
