"""Photometric change of finished crops, drawn as numbers: light and colour, blur, resolution, compression, noise.

``cv2_photometry.py`` and ``torch_photometry.py`` apply what is drawn here.
"""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.config import PairConfig

UInt8Array = NDArray[np.uint8]
NOISE_SIDE = 512
NOISE_DEVIATION = 64.0


@dataclass(frozen=True, slots=True)
class Light:
    """Light and colour: gains, contrast, gamma and saturation around 1, brightness around 0 (of 255)."""

    gains: NDArray[np.float32]
    brightness: float
    contrast: float
    gamma: float
    saturation: float

    @staticmethod
    def draw(rng: np.random.Generator, strength: float) -> "Light":
        """A random change; strength 1 is a large one."""
        return Light.moved(rng.normal(0.0, strength, 7))

    @staticmethod
    def moved(steps: NDArray[np.float64]) -> "Light":
        """A change of given size: [7] of gains, brightness, contrast, gamma and saturation, 1 being a large one."""
        z = steps.tolist()
        return Light(
            np.exp(0.08 * np.array(z[:3], np.float32)),
            min(50.0, max(-50.0, 22.0 * z[3])),
            math.exp(min(0.45, max(-0.45, 0.18 * z[4]))),
            math.exp(min(0.5, max(-0.5, 0.2 * z[5]))),
            math.exp(min(0.6, max(-0.9, 0.3 * z[6]))),
        )

    def of(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """What grey levels [N] or colours [N, 3], 0 to 255, become: [N, 3] before clipping."""
        ramp = (levels / np.float32(255.0)) ** np.float32(self.gamma) * np.float32(255.0)
        ramp = (ramp - 118.0) * np.float32(self.contrast) + np.float32(118.0 + self.brightness)
        return np.asarray((ramp[:, None] if ramp.ndim == 1 else ramp) * self.gains, np.float32)


@dataclass(frozen=True, slots=True)
class Defocus:
    """Gaussian blur; deviation in px."""

    sigma: float

    def kernel(self) -> NDArray[np.float32]:
        """[K, K], odd K, sum 1."""
        line = cv2.getGaussianKernel(round(6.0 * self.sigma + 1.0) | 1, self.sigma, cv2.CV_32F)
        return np.asarray(line @ line.T, np.float32)


@dataclass(frozen=True, slots=True)
class MotionBlur:
    """Blur along a line; length in px, angle in radians."""

    length: int
    angle: float

    def kernel(self) -> NDArray[np.float32]:
        """[K, K], odd K, sum 1."""
        side = self.length | 1
        kernel = np.zeros((side, side), np.float32)
        half = 0.5 * (side - 1)
        dx, dy = half * math.cos(self.angle), half * math.sin(self.angle)
        cv2.line(kernel, (round(half - dx), round(half - dy)), (round(half + dx), round(half + dy)), 1.0, 1)
        return kernel / kernel.sum()


@dataclass(frozen=True, slots=True)
class Resize:
    """Loss of resolution: down to ``side`` px and up again."""

    side: int
    area: bool
    """Averages on the way down; otherwise samples."""
    cubic: bool
    """Cubic on the way up; otherwise linear."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The piece of ``noise_tile(coloured)`` whose corner is (x, y), times a factor."""

    coloured: bool
    x: int
    y: int
    factor: float


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Photometric change of one crop.

    Attributes: in the order in which they are applied.
        blur: Blur, or None.
        resize: Loss of resolution, or None.
        saturation: Factor on the distance from grey.
        table: [256, 3] uint8, what each level of B, G and R becomes.
        noise: Noise, or None.
        quality: Of a JPEG file, 1 to 100, or None.
    """

    blur: Defocus | MotionBlur | None
    resize: Resize | None
    saturation: float
    table: UInt8Array
    noise: Noise | None
    quality: int | None


class Photometry:
    """Draws the changes of both views of a pair; part of it they share."""

    def __init__(self, config: PairConfig, rng: np.random.Generator) -> None:
        """Draw what both views share."""
        self._config = config
        self._rng = rng
        self._light = Light.draw(rng, 0.6)
        self._grey = rng.random() < config.grey
        self._weather = _draw_weather(rng) if rng.random() < config.weather else None
        self._weather_shared = rng.random() < 0.7
        self._resolution = rng.uniform(0.25, 0.7) if rng.random() < config.low_resolution else None
        self._resolution_shared = rng.random() < 0.65
        self._quality = int(rng.integers(15, 71)) if rng.random() < config.jpeg else None
        self._quality_shared = rng.random() < 0.7

    def draw(self, size: int, is_search: bool) -> Change:
        """The change of one view.

        Args:
            size: Side of the crop, px.
            is_search: The search view is blurred more often, and takes what the views do not share.
        """
        rng, config = self._rng, self._config
        blur = _draw_blur(size, rng) if rng.random() < (config.blur if is_search else 0.15 * config.blur) else None
        resize = None
        if self._resolution is not None and (is_search or self._resolution_shared):
            side = max(16, round(size * self._resolution))
            resize = Resize(side, area=bool(rng.random() < 0.7), cubic=bool(rng.random() >= 0.7))
        saturation, table = self._relight(Light.draw(rng, 0.35), is_search or self._weather_shared)
        noise = _draw_noise(size, rng) if rng.random() < config.noise else None
        quality = self._quality if is_search or self._quality_shared else None
        return Change(blur, resize, saturation, table, noise, quality)

    def clip(self, drift: NDArray[np.float64], width: int, height: int) -> list[Change]:
        """The changes of the frames of a clip: one draw for all of them, milder than that of a crop, as light drifts.

        Args:
            drift: [T, 7] change of light from frame to frame, as ``Light.moved`` takes it.
            width: Of the frames, px; at most ``NOISE_SIDE``.
            height: Of the frames, px; at most ``NOISE_SIDE``.
        """
        rng, config = self._rng, self._config
        blur = Defocus(rng.uniform(0.5, 1.2)) if rng.random() < config.blur else None
        resize = None
        if self._resolution is not None:
            side = round(height * (0.4 + 0.6 * self._resolution))
            resize = Resize(side, area=bool(rng.random() < 0.7), cubic=bool(rng.random() >= 0.7))
        noisy, coloured, factor = rng.random() < config.noise, bool(rng.random() < 0.5), rng.uniform(1.0, 7.0)
        quality = None if self._quality is None else round(40 + 0.6 * self._quality)
        changes = []
        for steps in drift:
            saturation, table = self._relight(Light.moved(steps), weather=True)
            x, y = rng.integers(0, (NOISE_SIDE - width + 1, NOISE_SIDE - height + 1)).tolist()
            noise = Noise(coloured, x, y, factor / NOISE_DEVIATION) if noisy else None
            changes.append(Change(blur, resize, saturation, table, noise, quality))
        return changes

    def _relight(self, own: Light, weather: bool) -> tuple[float, UInt8Array]:
        table = self._light.of(np.clip(own.of(np.arange(256, dtype=np.float32)), 0, 255))
        if self._weather is not None and weather:
            gain, level = self._weather
            table = table * np.float32(gain) + np.float32(level)
        if self._grey:
            table = np.repeat(table.mean(axis=1, keepdims=True), 3, axis=1)
        saturation = 0.0 if self._grey else self._light.saturation * own.saturation
        return saturation if abs(saturation - 1.0) > 0.05 else 1.0, np.clip(table, 0, 255).astype(np.uint8)


def _draw_weather(rng: np.random.Generator) -> tuple[float, float]:
    """Gain and level of haze (towards a light grey) or of low light."""
    if rng.random() < 0.5:
        haze = rng.uniform(0.2, 0.55)
        return 1.0 - haze, haze * rng.uniform(150.0, 235.0)
    return rng.uniform(0.3, 0.6), rng.uniform(0.0, 12.0)


def _draw_blur(size: int, rng: np.random.Generator) -> Defocus | MotionBlur:
    reach = size / 256.0
    if rng.random() < 0.4:
        return Defocus(max(0.4, reach * rng.uniform(0.6, 2.5)))
    return MotionBlur(max(3, round(reach * rng.uniform(4.0, 14.0))), rng.uniform(0.0, math.pi))


def _draw_noise(size: int, rng: np.random.Generator) -> Noise:
    x, y = rng.integers(0, NOISE_SIDE - size + 1, 2).tolist()
    return Noise(bool(rng.random() < 0.5), x, y, rng.uniform(2.0, 14.0) / NOISE_DEVIATION)


@cache
def noise_tile(coloured: bool) -> NDArray[np.int16]:
    """Gaussian noise [512, 512, 3] of deviation 64; drawn once, as a draw per crop would cost more than all else."""
    rng = np.random.default_rng(11)
    tile = rng.normal(0.0, NOISE_DEVIATION, (NOISE_SIDE, NOISE_SIDE, 3 if coloured else 1))
    return np.ascontiguousarray(np.broadcast_to(tile, (NOISE_SIDE, NOISE_SIDE, 3)).astype(np.int16))
