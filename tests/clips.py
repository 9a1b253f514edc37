"""Small videos for tests, whole and damaged."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
SIZE = (96, 72)
BOX = (16.0, 20.0, 24.0, 24.0)
"""(x, y, w, h) of the square in the first frame; it moves one pixel a frame to the right."""


def picture(index: int, size: tuple[int, int] = SIZE) -> Image:
    """A frame of the test videos: a red square over noise that changes from frame to frame."""
    noise = np.random.default_rng(index).integers(0, 120, (size[1], size[0], 3), dtype=np.uint8)
    x, y, w, h = (int(value) for value in BOX)
    image = cv2.GaussianBlur(noise, (3, 3), 0)
    cv2.rectangle(image, (x + index, y), (x + index + w, y + h), (30, 30, 220), -1)
    return image  # type: ignore[return-value]


def write_video(
    path: Path,
    frames: int = 30,
    size: tuple[int, int] = SIZE,
    codec: str = "libx264",
    times_s: Sequence[float] | None = None,
    rotation: int = 0,
    sound_s: float = 0.0,
    movflags: str = "",
) -> Path:
    """A video of `picture` at 25 frames a second, or with the times given.

    Args:
        path: its suffix chooses the container.
        frames: how many.
        size: width and height.
        codec: name of the encoder.
        times_s: time stamps of the frames.
        rotation: degrees that players shall turn it by.
        sound_s: seconds of silence beside the pictures.
        movflags: options of the MP4 container, such as ``faststart``.
    """
    with av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", 10
        stream.bit_rate = 800_000
        if rotation:
            stream.set_display_rotation(rotation)
        if times_s is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if sound_s:
            sound: Any = out.add_stream("aac", rate=44100)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, size), "bgr24")
            if times_s is not None:
                frame.pts, frame.time_base = round(times_s[index] * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound_s:
            for index in range(int(sound_s * 44100 / 1024)):
                silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
                silence.sample_rate, silence.pts = 44100, index * 1024
                out.mux(sound.encode(silence))
            out.mux(sound.encode())
    return path


def write_images(folder: Path, frames: int = 4, suffix: str = ".png") -> Path:
    """A folder of images named 0, 1, ..., without leading zeros."""
    folder.mkdir(parents=True)
    for index in range(frames):
        assert cv2.imwrite(str(folder / f"{index}{suffix}"), picture(index))
    return folder


def cut_short(path: Path, share: float) -> Path:
    """A copy that ends after this share of the bytes."""
    data = path.read_bytes()
    cut = path.with_name(f"{path.stem}-cut{path.suffix}")
    cut.write_bytes(data[: int(len(data) * share)])
    return cut


def flip_bits(path: Path, first: float, last: float, flips: int = 40) -> Path:
    """A copy with random bits flipped between two shares of the bytes."""
    data = bytearray(path.read_bytes())
    generator = np.random.default_rng(0)
    for at in generator.integers(int(len(data) * first), int(len(data) * last), flips):
        data[at] ^= 1 << int(generator.integers(8))
    flipped = path.with_name(f"{path.stem}-flipped{path.suffix}")
    flipped.write_bytes(data)
    return flipped
