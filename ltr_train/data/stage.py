"""Layers that move over the frames of a clip, and their pixels, exposure included."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.cv2_layers import composited
from ltr_train.data.geometry import Box, FloatArray, bounds, centre, corners, inverse, project
from ltr_train.data.opacity import Rim
from ltr_train.data.scene import Sprite

_IN_PLACE = np.eye(3)
# A moving layer is exposed once for so many pixels of its way.
_STEP, _MOST_EXPOSURES = 1.5, 8
_POINTS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A layer over T frames.

    Attributes:
        sprites: Its look in every frame, T of them.
        matrices: [T, 3, 3] from the plane of its sprites into the frame's pixels.
    """

    sprites: Sequence[Sprite]
    matrices: FloatArray

    def at(self, frame: int, velocity: FloatArray | None = None, after: float = 0.0) -> Sprite:
        """The layer in the plane of the frame's pixels, ``after`` frames later at a velocity [3, 3]."""
        matrix = self.matrices[frame]
        return self.sprites[frame].moved(matrix if velocity is None else matrix + after * velocity)

    def velocity(self, frame: int) -> FloatArray:
        """Change [3, 3] of the matrix per frame, about a frame."""
        first, last = max(0, frame - 1), min(len(self.matrices) - 1, frame + 1)
        return np.asarray((self.matrices[last] - self.matrices[first]) / max(1, last - first), np.float64)

    def extent(self, frame: int) -> Box:
        """Box (x, y, w, h) of the whole layer, px of the frame."""
        sprite = self.at(frame)
        return bounds(project(sprite.matrix, sprite.outline))


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What the camera sees over a clip.

    Attributes:
        actors: Layers, back to front.
        target: Index of the target among them.
        size: (width, height) of the frames, px.
        shutter: How long it is open, in frames.
    """

    actors: Sequence[Actor]
    target: int
    size: tuple[int, int]
    shutter: float

    def frame(self, number: int, without: Sequence[int] = ()) -> NDArray[np.uint8]:
        """The frame, H x W x 3 uint8 BGR, blurred by what moves while the shutter is open.

        Args:
            number: Of the frame.
            without: Indices of actors that are left out.
        """
        shown = [actor for index, actor in enumerate(self.actors) if index not in without]
        velocities = [actor.velocity(number) for actor in shown]
        way = self.shutter * max(map(self._speed, shown, velocities, [number] * len(shown)))
        exposures = int(np.clip(np.ceil(way / _STEP), 1, _MOST_EXPOSURES))
        times = self.shutter * ((np.arange(exposures) + 0.5) / exposures - 0.5)
        light = np.zeros((self.size[1], self.size[0], 3), np.float32)
        for time in times.tolist():
            moved = [actor.at(number, velocity, time) for actor, velocity in zip(shown, velocities, strict=True)]
            moment = composited(moved, _IN_PLACE, self.size)
            if exposures == 1:
                return moment
            cv2.accumulate(moment, light)
        return np.rint(light / exposures).astype(np.uint8)

    def box(self, number: int) -> Box:
        """Box (x, y, w, h) of what of the target's whole outline lies in the frame, px; empty where nothing does."""
        target = self.actors[self.target].at(number)
        outline = project(target.matrix, target.outline).astype(np.float32)
        _, inside = cv2.intersectConvexConvex(outline, corners(*self.size).astype(np.float32))
        return (0.0, 0.0, 0.0, 0.0) if inside is None else bounds(inside.reshape(-1, 2).astype(np.float64))

    def clear(self, number: int) -> tuple[FloatArray, float]:
        """Points [N, 2] of the target, evenly spread over what of it is in the frame and behind nothing.

        Returns:
            The points, px of the frame; the share of the whole target's area that they stand for.
        """
        target = self.actors[self.target].at(number)
        assert not isinstance(target.opacity, Rim)
        points = target.opacity.points(_POINTS)
        if target.bend is not None:
            moved = target.bend.moved(points)
            points = points if moved is None else moved
        seen = project(target.matrix, points)
        clear = seen[((seen >= 0.0) & (seen < self.size)).all(axis=1)]
        for actor in self.actors[self.target + 1 :]:
            sprite = actor.at(number)
            assert not isinstance(sprite.opacity, Rim)
            clear = clear[~sprite.opacity.covers(project(inverse(sprite.matrix), clear))]
        return clear, len(clear) / max(1, len(points))

    def _speed(self, actor: Actor, velocity: FloatArray, number: int) -> float:
        """Pixels per frame at the middle of a layer; 0 where it is far from the frame."""
        sprite = actor.at(number)
        middle = np.array([centre(bounds(sprite.outline))])
        here = project(sprite.matrix, middle)
        if ((here < np.negative(self.size)) | (here > np.multiply(self.size, 2))).any():
            return 0.0
        there = project((actor.matrices[number] + velocity) @ actor.sprites[number].matrix, middle)
        return float(np.linalg.norm(there - here))
