"""The annotated video: H.264 that browsers play."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.sources.base import USUAL_FPS

if TYPE_CHECKING:
    import av

Image = NDArray[np.uint8]
TICKS = 90_000
"""Time stamps per second: fine enough to keep every frame's own time."""
FRAGMENTS = {"movflags": "frag_every_frame+empty_moov+default_base_moof", "flush_packets": "1"}


class VideoWriter(Protocol):
    """Takes pictures of one size with growing times."""

    note: str | None
    """What the user should know of the file."""

    def write(self, picture: Image, time_s: float) -> None:
        """Adds a picture."""

    def close(self) -> None:
        """Finishes the file."""


def open_video(path: Path, picture: Image, fps: float | None) -> VideoWriter:
    """A writer for pictures like this one: H.264 where PyAV has the encoder, else MPEG-4 through OpenCV.

    Args:
        path: an ``.mp4`` file.
        picture: the first picture, which decides the size.
        fps: the usual rate.

    Raises:
        OSError: the file cannot be written.
    """
    height, width = picture.shape[:2]
    rate = fps or USUAL_FPS
    try:
        return H264(path, width, height, rate)
    except (ImportError, ValueError):  # no PyAV, or one built without the encoder
        return Mpeg4(path, width, height, rate)


class H264:
    """H.264 through PyAV, each frame with its own time.

    Each frame is a fragment that can be played at once, so a killed run or a full disk loses none of them; when all
    is written, the file is put into plain form with its index in front, as browsers like it best.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        import av

        av.Codec("libx264", "w")  # a ValueError here, before there is a file
        self.note: str | None = None
        self._av = av
        self._size = (width, height)
        self._last = -1
        self._path = path
        self._failed = False
        self._container = av.open(str(path), "w", options=FRAGMENTS)
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate)
        # 4:2:0 has a colour for each two by two pixels: odd sizes are filled up.
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, TICKS)
        # Frames that wait for later ones (bf) would be lost with a killed run, and shift the times of a copy.
        self._stream.options = {"crf": "20", "preset": "veryfast", "bf": "0"}
        self._stream.gop_size = max(1, round(2 * fps))

    def write(self, picture: Image, time_s: float) -> None:
        """Adds a picture; one of another size is fitted in.

        Raises:
            OSError: the disk does not take it.
        """
        fitted = letterbox(picture, *self._size)
        padded = np.pad(fitted, ((0, fitted.shape[0] % 2), (0, fitted.shape[1] % 2), (0, 0)), mode="edge")
        frame = self._av.VideoFrame.from_ndarray(padded, format="bgr24")
        self._last = max(self._last + 1, round(time_s * TICKS))
        frame.pts, frame.time_base = self._last, Fraction(1, TICKS)
        self._mux(frame)

    def close(self) -> None:
        """Finishes the file.

        Raises:
            OSError: the disk does not take it.
        """
        try:
            if not self._failed:
                self._mux(None)
        finally:
            try:
                self._container.close()
            except self._av.FFmpegError as error:
                self._failed = True
                raise _as_os_error(error) from error
        if not self._failed:
            self._make_plain()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except self._av.FFmpegError as error:
            self._failed = True
            raise _as_os_error(error) from error

    def _make_plain(self) -> None:
        """Copies the fragments into a plain file; where that fails, they stay, and can be played too."""
        partial = self._path.with_name(self._path.name + ".partial")
        try:
            with (
                self._av.open(str(self._path)) as fragments,
                self._av.open(str(partial), "w", format="mp4", options={"movflags": "faststart"}) as plain,
            ):
                stream = plain.add_stream_from_template(fragments.streams.video[0])
                for packet in fragments.demux(video=0):
                    if packet.dts is not None:
                        packet.stream = stream
                        plain.mux(packet)
            os.replace(partial, self._path)
        except (self._av.FFmpegError, OSError):
            partial.unlink(missing_ok=True)


class Mpeg4:
    """MPEG-4 part 2 through OpenCV at a constant rate: the fallback."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        self.note: str | None = (
            f"{path.name} is MPEG-4 part 2, which browsers do not play: for H.264 install PyAV (pip install av)"
        )
        self._size = (width, height)
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, self._size)
        if not self._writer.isOpened():
            raise OSError(None, "the video cannot be opened for writing", str(path))

    def write(self, picture: Image, time_s: float) -> None:
        """Adds a picture; one of another size is fitted in. The rate is constant, so its time goes unused."""
        del time_s
        self._writer.write(letterbox(picture, *self._size))

    def close(self) -> None:
        """Finishes the file."""
        self._writer.release()


def letterbox(picture: Image, width: int, height: int) -> Image:
    """The picture at this size: scaled to fit, centred, black at the sides."""
    if picture.shape[:2] == (height, width):
        return picture
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, inner, interpolation=way)
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = small
    return canvas


def _as_os_error(error: Exception) -> OSError:
    if isinstance(error, OSError):
        return error
    wrapped = OSError(None, str(error))
    with suppress(AttributeError):
        wrapped.errno = error.errno  # type: ignore[attr-defined]
    return wrapped
