"""Draws the demonstration clip's frames from pictures that come with scikit-image, all of them CC0."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ebtrack.clip import (
    HEIGHT,
    OUTLINE,
    PILLAR,
    POLE,
    WIDTH,
    WORLD_HEIGHT,
    WORLD_WIDTH,
    Floats,
    Image,
    camera,
    lookalike_pose,
    target_pose,
)

# Drawing happens on a canvas this many times the frame and is averaged down: edges are soft, motion smooth.
OVERSAMPLE = 2
# The cup is drawn from a picture shrunk to this fraction, near its size on the canvas, so as not to alias.
CUP_SHRINK = 0.35
FLOOR = 246  # where the wall ends, world pixels from the top

Picture = NDArray[np.float32]


class Scene:
    """The scene of the clip; one object draws any frame, in any order.

    Raises:
        ModuleNotFoundError: scikit-image is not installed.
    """

    def __init__(self) -> None:
        from skimage import data

        self._wall = _wall(data.brick(), data.grass(), data.chelsea()[..., ::-1], data.camera())
        self._front, self._front_mask = _front(data.gravel())
        coffee = data.coffee()[..., ::-1]
        self._cup = _resized(coffee, CUP_SHRINK)
        # Red and blue change places: every edge and shade stays, so colour alone tells the two apart.
        self._other_cup = np.ascontiguousarray(self._cup[..., ::-1])
        mask = np.zeros(coffee.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.rint((OUTLINE - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        self._mask = np.divide(_resized(mask, CUP_SHRINK), np.float32(255))

    def frame(self, index: int) -> Image:
        """Frame `index`, HEIGHT x WIDTH x 3, BGR."""
        view = np.column_stack([np.eye(2), -np.array(camera(index))])
        canvas = _warp(self._wall, view, OVERSAMPLE)
        for cup, pose in ((self._other_cup, lookalike_pose(index)), (self._cup, target_pose(index))):
            matrix = pose.matrix()
            canvas = _over(canvas, _warp(cup, matrix, CUP_SHRINK), _warp(self._mask, matrix, CUP_SHRINK))
        front_mask = _warp(self._front_mask, view, OVERSAMPLE)
        canvas = _over(canvas, _warp(self._front, view, OVERSAMPLE), front_mask)
        small = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(small), 0, 255).astype(np.uint8)

    def target_alpha(self, index: int) -> Floats:
        """How much of each pixel the target fills, were nothing in front: HEIGHT x WIDTH in [0, 1]."""
        alpha = _warp(self._mask, target_pose(index).matrix(), CUP_SHRINK)
        return np.asarray(cv2.resize(alpha, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float64)


def _over(below: Picture, above: Picture, alpha: Picture) -> Picture:
    return below + alpha[..., None] * (above - below)


def _resized(picture: Image, factor: float) -> Picture:
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _warp(picture: Picture, matrix: Floats, resolution: float) -> Picture:
    """Draw on the canvas a picture with `resolution` pixels to the unit; `matrix` maps units to the frame.

    Our positions count from pixel edges (pixel i fills [i, i + 1)), OpenCV's from centres: hence the halves.
    """
    linear = matrix[:, :2] * OVERSAMPLE / resolution
    shift = matrix[:, 2] * OVERSAMPLE + linear @ np.full(2, 0.5) - 0.5
    size = (WIDTH * OVERSAMPLE, HEIGHT * OVERSAMPLE)
    affine = np.column_stack([linear, shift])
    return np.asarray(cv2.warpAffine(picture, affine, size, flags=cv2.INTER_LINEAR), np.float32)


def _tinted(grey: Image, bgr: tuple[float, float, float], width: int, height: int) -> Picture:
    """A grey texture, tiled by mirroring to the size and multiplied by a colour."""
    tile = np.block([[grey, grey[:, ::-1]], [grey[::-1], grey[::-1, ::-1]]])
    tile = np.tile(tile, (-(-height // tile.shape[0]), -(-width // tile.shape[1])))[:height, :width]
    return tile[..., None].astype(np.float32) * np.array(bgr, np.float32)


def _wall(brick: Image, grass: Image, cat: Image, photograph: Image) -> Picture:
    """The still background on the canvas's resolution: bricks, framed pictures, grass at the foot."""
    width, height, floor = WORLD_WIDTH * OVERSAMPLE, WORLD_HEIGHT * OVERSAMPLE, FLOOR * OVERSAMPLE
    wall = _tinted(np.rot90(brick), (0.95, 1.1, 1.25), width, height)
    wall[floor:] = _tinted(grass, (0.55, 0.95, 0.75), width, height - floor)
    colour = cv2.cvtColor(photograph, cv2.COLOR_GRAY2BGR) * np.array([1.0, 0.95, 0.85])
    for picture, left, top, across in (
        (cat, 22, 34, 104), (colour, 188, 26, 92), (cat[:, ::-1], 408, 46, 96),
    ):  # fmt: skip
        small = _resized(np.ascontiguousarray(picture, np.uint8), across * OVERSAMPLE / picture.shape[1])
        framed = cv2.copyMakeBorder(small, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=(30, 45, 60))
        y, x = top * OVERSAMPLE, left * OVERSAMPLE
        wall[y : y + framed.shape[0], x : x + framed.shape[1]] = framed
    return wall


def _front(gravel: Image) -> tuple[Picture, Picture]:
    """What hides the target, on the canvas's resolution: a pole, a pillar, and the mask of them."""
    width, height = WORLD_WIDTH * OVERSAMPLE, WORLD_HEIGHT * OVERSAMPLE
    stone = _tinted(gravel, (1.0, 1.0, 1.0), width, height)
    front = np.zeros((height, width, 3), np.float32)
    mask = np.zeros((height, width), np.float32)
    for (left, right), colour in ((POLE, (0.75, 0.7, 0.45)), (PILLAR, (0.9, 1.05, 1.1))):
        columns = slice(round(left * OVERSAMPLE), round(right * OVERSAMPLE))
        across = np.linspace(-1, 1, columns.stop - columns.start)
        shade = (0.45 + 0.6 * np.sqrt(1 - 0.9 * (across + 0.25).clip(-1, 1) ** 2)).astype(np.float32)
        front[:, columns] = stone[:, columns] * np.array(colour, np.float32) * shade[:, None]
        mask[:, columns] = 1
    return front, mask
