"""The bundled clip as a camera whose pictures tell their own number."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ebtrack.clip import CLIP_PATH, HEIGHT, WIDTH

BITS = 9
"""The last one makes the number of white bars even, so that a picture of two frames is not read as a third."""
BAR = 16
"""Side of a bar in pixels; they lie in the lower right corner, where the clip shows grass."""
LEFT = WIDTH - BITS * BAR
CENTRES = [(LEFT + BAR * bit + BAR // 2, HEIGHT - BAR // 2) for bit in range(BITS)]
"""(x, y) of the bars' centres in pixels."""


def draw_number(image: NDArray[np.uint8], number: int) -> None:
    """Draws the bars of a number into a picture, the lowest bit leftmost."""
    bits = [number >> bit & 1 for bit in range(BITS - 1)]
    for bit, on in enumerate([*bits, sum(bits) % 2]):
        image[HEIGHT - BAR :, LEFT + BAR * bit : LEFT + BAR * (bit + 1)] = 235 * on + 10


def read_number(levels: Sequence[float]) -> int | None:
    """The number whose bars have these grey levels at their centres; None where they are no number's."""
    bits = [level > 128 for level in levels]
    certain = all(abs(level - 128) > 64 for level in levels)
    return sum(on << bit for bit, on in enumerate(bits[:-1])) if certain and sum(bits) % 2 == 0 else None


def write_camera(path: Path, fps: int) -> None:
    """Writes the clip with its numbers as a Y4M file, which Chromium plays as a camera over and over."""
    with av.open(str(CLIP_PATH)) as clip, path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for number, frame in enumerate(clip.decode(video=0)):
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            draw_number(image, number)
            file.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes())
