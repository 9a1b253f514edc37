"""Pictures to and from JPEG; what strangers send is measured before it is decoded."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from server.protocol import ProtocolError

Image = NDArray[np.uint8]
QUALITY = 80


def decode(jpeg: bytes, largest_bytes: int, largest_side: int) -> Image:
    """The picture, H x W x 3 uint8 BGR, of a frame that a visitor sent.

    Size and kind are read from the header first: a small file may unfold to a huge picture, and a progressive one may
    hold thousands of passes over it.

    Raises:
        ProtocolError: it is no baseline JPEG within the limits.
    """
    if len(jpeg) > largest_bytes:
        raise ProtocolError(f"a frame of {len(jpeg)} bytes: at most {largest_bytes} are taken, send smaller pictures")
    try:
        with Pillow.open(BytesIO(jpeg), formats=("JPEG",)) as header:
            width, height = header.size
            plain = header.mode in ("RGB", "L") and "progressive" not in header.info
    except Exception as error:  # Pillow meets damage with exceptions of many kinds
        raise ProtocolError("a frame that is no JPEG") from error
    if max(width, height) > largest_side:
        raise ProtocolError(
            f"a frame of {width} x {height} pixels: at most {largest_side} a side are taken, send smaller pictures"
        )
    if not plain:
        raise ProtocolError("a progressive JPEG or one of unusual colours: baseline JPEG is expected")
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ProtocolError("a frame whose JPEG is damaged")
    return image  # type: ignore[return-value]


def encode(image: Image) -> bytes:
    """The JPEG of a picture, H x W x 3 uint8 BGR."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done  # a picture of this type always can be
    return data.tobytes()


def fitted(image: Image, largest_side: int) -> Image:
    """The picture, made smaller where a side is longer than this."""
    scale = largest_side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
