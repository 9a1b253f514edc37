"""Smooth courses over the frames of a clip: wandering, limits of speed, visits to another place, matrices."""

import math

import numpy as np

from ltr_train.data.geometry import FloatArray

_WAVES = 3


def wander(rng: np.random.Generator, frames: int, count: int, shortest: float, longest: float) -> FloatArray:
    """Smooth random courses.

    Args:
        rng: Source of randomness.
        frames: T.
        count: How many courses.
        shortest: Shortest period in them, frames.
        longest: Longest period in them, frames.

    Returns:
        [T, count], each of mean 0 and deviation 1 in the long run, and nowhere beyond 2.5.
    """
    periods = np.exp(rng.uniform(math.log(shortest), math.log(longest), (_WAVES, count)))
    phases = rng.uniform(0.0, 2.0 * math.pi, (_WAVES, count))
    turns = np.arange(frames)[:, None, None] / periods
    return np.asarray(math.sqrt(2.0 / _WAVES) * np.sin(2.0 * math.pi * turns + phases).sum(axis=1), np.float64)


def slowed(path: FloatArray, most: float) -> FloatArray:
    """A path [T, 2] drawn together about its mean so that no step is longer than ``most``."""
    mean = path.mean(axis=0)
    fastest = np.linalg.norm(np.diff(path, axis=0), axis=1).max(initial=1e-9)
    return np.asarray(mean + (path - mean) * min(1.0, most / fastest), np.float64)


def visit(frames: int, start: int, ramp: int, stay: int) -> FloatArray:
    """How far something has gone to another place, [T] from 0 to 1.

    It goes there over ``ramp`` frames from ``start`` on, stays for ``stay`` frames, and comes back as it went; no step
    is larger than 1.5 / ``ramp``.
    """
    time = np.arange(frames, dtype=np.float64)
    way = np.minimum((time - start) / ramp, (start + 2 * ramp + stay - time) / ramp)
    way = np.clip(way, 0.0, 1.0)
    return np.asarray(way * way * (3.0 - 2.0 * way), np.float64)


def around(half: FloatArray, angle: FloatArray) -> FloatArray:
    """Points [T, 2] where rays from the origin at angles [T], radians, meet a rectangle of half sides [2] about it."""
    ray = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(ray / (np.abs(ray) / half).max(axis=1, keepdims=True), np.float64)


def motions(place: FloatArray, angle: FloatArray, scale: FloatArray, tilt: FloatArray | None = None) -> FloatArray:
    """Matrices [T, 3, 3] that tilt a plane about its origin, scale it, turn it, and move its origin to a place.

    Args:
        place: [T, 2].
        angle: [T] degrees.
        scale: [T, 2] of x and y.
        tilt: [T, 2] change of depth over one unit of x and y; none when left out.
    """
    turn = np.radians(angle)
    cosine, sine = np.cos(turn), np.sin(turn)
    depth = np.tile(np.eye(3), (len(place), 1, 1))
    if tilt is not None:
        depth[:, 2, :2] = tilt
    moved = np.tile(np.eye(3), (len(place), 1, 1))
    moved[:, 0, 0], moved[:, 0, 1] = cosine * scale[:, 0], -sine * scale[:, 1]
    moved[:, 1, 0], moved[:, 1, 1] = sine * scale[:, 0], cosine * scale[:, 1]
    moved[:, :2, 2] = place
    return np.asarray(moved @ depth, np.float64)
