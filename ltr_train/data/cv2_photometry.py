"""Photometric change of one crop or frame with OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.photometric import Change, Defocus, Noise, Resize, noise_tile

UInt8Array = NDArray[np.uint8]


def changed(image: UInt8Array, change: Change) -> UInt8Array:
    """A crop or frame, H x W x 3 uint8 BGR, after a photometric change."""
    if isinstance(change.blur, Defocus):
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), change.blur.sigma), np.uint8)
    elif change.blur is not None:
        image = np.asarray(cv2.filter2D(image, -1, change.blur.kernel()), np.uint8)
    if change.resize is not None:
        image = _resized(image, change.resize)
    if change.saturation != 1.0:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        image = np.asarray(cv2.addWeighted(image, change.saturation, grey, 1.0 - change.saturation, 0.0), np.uint8)
    image = np.asarray(cv2.LUT(image, change.table[None]), np.uint8)
    if change.noise is not None:
        image = _noisy(image, change.noise)
    if change.quality is not None:
        _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, change.quality])
        image = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return image


def _resized(image: UInt8Array, resize: Resize) -> UInt8Array:
    height, width = image.shape[:2]
    down = cv2.INTER_AREA if resize.area else cv2.INTER_LINEAR
    up = cv2.INTER_CUBIC if resize.cubic else cv2.INTER_LINEAR
    small = cv2.resize(image, (round(resize.side * width / height), resize.side), interpolation=down)
    return np.asarray(cv2.resize(small, (width, height), interpolation=up), np.uint8)


def _noisy(image: UInt8Array, noise: Noise) -> UInt8Array:
    height, width = image.shape[:2]
    tile = noise_tile(noise.coloured)[noise.y : noise.y + height, noise.x : noise.x + width]
    noisy = cv2.addWeighted(image.astype(np.int16), 1.0, np.ascontiguousarray(tile), noise.factor, 0.0)
    return np.clip(noisy, 0, 255).astype(np.uint8)
