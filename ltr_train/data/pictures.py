"""Picture files: their size from the header alone, and decoding at a working size."""

import os
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

UInt8Array = NDArray[np.uint8]
Size = tuple[int, int]
_ORIENTATION = 0x0112
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)


def header_size(path: str) -> Size:
    """(width, height) of a picture file as it will be decoded, that is turned as its EXIF tag asks.

    Raises:
        ValueError: There is no such file, or it is no picture.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = "exif" in picture.info and picture.getexif().get(_ORIENTATION, 1) >= 5
    except FileNotFoundError:
        raise ValueError(f"picture '{path}' does not exist") from None
    except (OSError, SyntaxError) as error:
        raise ValueError(f"'{path}' cannot be read as a picture: {error}") from error
    return (height, width) if turned else (width, height)


def expect_whole(path: str) -> None:
    """A picture file must not be cut off; OpenCV fills what is missing with grey and says nothing.

    Raises:
        ValueError: It is.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, SyntaxError) as error:
        raise ValueError(f"picture '{path}' is damaged: {error}") from error


def working_size(native: Size, longest: int) -> Size:
    """(width, height) with the longer side at most ``longest``; never larger than ``native``."""
    scale = min(1.0, longest / max(native))
    return max(1, round(native[0] * scale)), max(1, round(native[1] * scale))


def decode(path: str, native: Size, size: Size) -> UInt8Array:
    """A picture at a working size.

    Args:
        path: The file.
        native: (width, height) that the file should have.
        size: (width, height) wanted, not larger than ``native``.

    Returns:
        H x W x 3 uint8 BGR.

    Raises:
        ValueError: The file is missing, cannot be decoded, or has another size.
    """
    # A JPEG decodes several times faster at a half, a quarter or an eighth of its size.
    factor, flag = next((f, flag) for f, flag in _REDUCED if f == 1 or max(native) >= f * max(size))
    image = cv2.imread(path, flag)
    if image is None:
        missing = "does not exist" if not os.path.isfile(path) else "cannot be decoded"
        raise ValueError(f"picture '{path}' {missing}")
    height, width = image.shape[:2]
    if max(abs(width * factor - native[0]), abs(height * factor - native[1])) >= factor:
        raise ValueError(
            f"picture '{path}' is {width * factor} x {height * factor} px; its annotation expects "
            f"{native[0]} x {native[1]}"
        )
    if (width, height) != size:
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)


# Both views, the filler and a few look-alikes of the last pairs; about 50 MB a process.
cached_decode = lru_cache(maxsize=64)(decode)
