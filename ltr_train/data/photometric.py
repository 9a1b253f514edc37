"""Photometric change of finished crops: light and colour, blur, resolution, compression, noise."""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.config import PairConfig

UInt8Array = NDArray[np.uint8]


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
        z = rng.normal(0.0, strength, 7)
        return Light(
            np.exp(0.08 * z[:3]).astype(np.float32),
            float(np.clip(22.0 * z[3], -50.0, 50.0)),
            math.exp(float(np.clip(0.18 * z[4], -0.45, 0.45))),
            math.exp(float(np.clip(0.2 * z[5], -0.5, 0.5))),
            math.exp(float(np.clip(0.3 * z[6], -0.9, 0.6))),
        )

    def table(self) -> NDArray[np.float32]:
        """Lookup [256, 3] before rounding."""
        ramp = (np.arange(256, dtype=np.float32) / 255.0) ** self.gamma * 255.0
        ramp = (ramp - 118.0) * self.contrast + 118.0 + self.brightness
        return ramp[:, None] * self.gains[None]


class Photometry:
    """Change drawn once for a pair and applied to both of its views."""

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

    def apply(self, image: UInt8Array, is_search: bool) -> UInt8Array:
        """Change one view.

        Args:
            image: Crop, H x W x 3 uint8 BGR.
            is_search: The search view is blurred more often, and takes what the views do not share.
        """
        rng, config = self._rng, self._config
        if rng.random() < (config.blur if is_search else 0.15 * config.blur):
            image = _blur(image, rng)
        if self._resolution is not None and (is_search or self._resolution_shared):
            image = _lose_resolution(image, self._resolution, rng)
        image = self._relight(image, is_search)
        if rng.random() < config.noise:
            image = _add_noise(image, rng)
        if self._quality is not None and (is_search or self._quality_shared):
            _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
            image = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
        return image

    def _relight(self, image: UInt8Array, is_search: bool) -> UInt8Array:
        own = Light.draw(self._rng, 0.35)
        table = np.clip(own.table(), 0, 255)
        shared = self._light.table()
        ramp = np.arange(256)
        table = np.stack([np.interp(table[:, c], ramp, shared[:, c]) for c in range(3)], axis=1)
        if self._weather is not None and (is_search or self._weather_shared):
            gain, level = self._weather
            table = table * gain + level
        saturation = 0.0 if self._grey else self._light.saturation * own.saturation
        if abs(saturation - 1.0) > 0.05:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            image = np.asarray(cv2.addWeighted(image, saturation, grey, 1.0 - saturation, 0.0), np.uint8)
        if self._grey:
            table = np.repeat(table.mean(axis=1, keepdims=True), 3, axis=1)
        return np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)


def _draw_weather(rng: np.random.Generator) -> tuple[float, float]:
    """Gain and level of haze (towards a light grey) or of low light."""
    if rng.random() < 0.5:
        haze = rng.uniform(0.2, 0.55)
        return 1.0 - haze, haze * rng.uniform(150.0, 235.0)
    return rng.uniform(0.3, 0.6), rng.uniform(0.0, 12.0)


def _blur(image: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    reach = image.shape[0] / 256.0
    if rng.random() < 0.4:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.4, reach * rng.uniform(0.6, 2.5))), np.uint8)
    length = max(3, round(reach * rng.uniform(4.0, 14.0)))
    side = length | 1
    kernel = np.zeros((side, side), np.float32)
    angle = rng.uniform(0.0, math.pi)
    half = 0.5 * (side - 1)
    start = (half - half * math.cos(angle), half - half * math.sin(angle))
    stop = (half + half * math.cos(angle), half + half * math.sin(angle))
    cv2.line(kernel, (round(start[0]), round(start[1])), (round(stop[0]), round(stop[1])), 1.0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _lose_resolution(image: UInt8Array, share: float, rng: np.random.Generator) -> UInt8Array:
    side = image.shape[0]
    small = max(16, round(side * share))
    how = cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR
    up = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(cv2.resize(image, (small, small), interpolation=how), (side, side), interpolation=up),
        np.uint8,
    )


@cache
def _noise_tile(coloured: bool) -> NDArray[np.int16]:
    """Gaussian noise of deviation 64; drawn once, as a draw per crop would cost more than all the rest."""
    rng = np.random.default_rng(11)
    tile = rng.normal(0.0, 64.0, (512, 512, 3 if coloured else 1))
    return np.ascontiguousarray(np.broadcast_to(tile, (512, 512, 3)).astype(np.int16))


def _add_noise(image: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    height, width = image.shape[:2]
    y, x = rng.integers(0, 512 - height + 1), rng.integers(0, 512 - width + 1)
    tile = _noise_tile(bool(rng.random() < 0.5))[y : y + height, x : x + width]
    noisy = cv2.addWeighted(image.astype(np.int16), 1.0, np.ascontiguousarray(tile), rng.uniform(2.0, 14.0) / 64.0, 0.0)
    return np.clip(noisy, 0, 255).astype(np.uint8)
