"""Video files through PyAV, which tells damage and gives every frame its own time."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from tracker.sources.base import USUAL_FPS, Frame, Source, SourceDamaged, SourceError

# Containers without a duration per stream give the longest stream's, which may be the sound.
SLACK_OTHER_STREAMS_S = 2.0
SLACK_FRAMES = 3


class VideoFile(Source):
    """The frames of a video file, turned upright as its rotation record says.

    Damage is a packet or frame that the demuxer or decoder calls corrupt, a decoding error, or an end clearly
    before the declared duration; the iteration stops there. A container that declares no duration (a transport
    stream) and ends between two packets looks whole. Frames at the beginning that cannot be decoded, because
    the file was cut out of a longer stream, are skipped.

    Args:
        path: the file.

    Raises:
        SourceError: it is no video, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), path.stem)
        try:
            self._container = av.open(str(path))
        except PermissionError as error:
            raise SourceError(f"{path}: no permission to read it; allow it with chmod +r") from error
        except (av.FFmpegError, OSError) as error:
            raise SourceError(
                f"{path}: no readable video; another kind of file, empty, or cut short before its index?"
            ) from error
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"{path}: the file has no video stream")
        self._stream = self._container.streams.video[0]
        # With frame threads the H.264 decoder also marks the frames whose damage it concealed.
        self._stream.thread_type = "AUTO"
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.fps = float(rate) if rate else None
        self._duration_s, self._slack_s = self._declared_duration()
        if self._stream.frames:
            self.frame_count = self._stream.frames
        elif self._duration_s and self.fps:
            self.frame_count = max(1, round(self._duration_s * self.fps))

    def _declared_duration(self) -> tuple[float | None, float]:
        """Seconds that the container promises, and how much earlier an end is still no damage."""
        slack = SLACK_FRAMES / (self.fps or USUAL_FPS)
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base), slack
        if self._container.duration:
            alone = len(self._container.streams) == 1
            duration_s = self._container.duration / av.time_base
            return duration_s, slack if alone else max(slack, SLACK_OTHER_STREAMS_S)
        return None, slack

    def _read(self) -> Generator[Frame, None, None]:
        step = 1 / (self.fps or USUAL_FPS)
        begin: float | None = None
        time_s, end_s, index = 0.0, 0.0, 0
        try:
            for picture in self._good_pictures():
                # AVI has a constant rate and stamps in the order of decoding, which is not that of showing.
                stamp = None if self._container.format.name == "avi" else picture.time
                if begin is None:
                    begin = stamp
                later = stamp - begin if stamp is not None and begin is not None else index * step
                # Time stamps that stand still or run back are mended, so that time always grows.
                time_s = later if index == 0 or later > time_s else time_s + step
                held = picture.duration * picture.time_base if picture.duration and picture.time_base else step
                end_s = time_s + float(held)
                yield Frame(_upright(picture), index, time_s)
                index += 1
        except _Damage as damage:
            raise self._damaged(index) from damage
        if self._ended_early(index, end_s + self._lead(begin)):
            raise self._damaged(index)

    def _good_pictures(self) -> Generator[av.VideoFrame, None, None]:
        """Decoded frames up to the first damage.

        Raises:
            _Damage: there the data are damaged.
        """
        clean = False
        try:
            for packet in self._container.demux(self._stream):
                cut = packet.is_corrupt and clean
                # The decoder still holds good frames from before a corrupt packet: None draws them out.
                for picture in self._stream.decode(None if cut else packet):
                    if picture.is_corrupt and (clean or picture.key_frame):
                        raise _Damage
                    if not picture.is_corrupt:
                        clean = True
                        yield picture
                if cut:
                    raise _Damage
        except av.EOFError:
            return
        except (av.FFmpegError, OSError) as error:
            raise _Damage from error

    def _lead(self, begin: float | None) -> float:
        """Seconds between the declared start of the stream and its first frame."""
        start = self._stream.start_time
        if begin is None or start is None or self._stream.time_base is None:
            return 0.0
        return max(0.0, begin - float(start * self._stream.time_base))

    def _ended_early(self, frames: int, end_s: float) -> bool:
        if self._duration_s is None or end_s >= self._duration_s - self._slack_s:
            return False
        return not self._stream.frames or frames < self._stream.frames - SLACK_FRAMES

    def _damaged(self, frames: int) -> SourceDamaged:
        of = f" of about {self.frame_count}" if self.frame_count else ""
        mend = shlex.join(["ffmpeg", "-i", self.location, f"{self.name}-mended.mp4"])
        return SourceDamaged(
            f"{self.location}: damaged or cut short after {frames} frames{of}; to track past the damage, "
            f"mend a copy first: {mend}"
        )

    def _release(self) -> None:
        with suppress(av.FFmpegError, OSError):
            self._container.close()


class _Damage(Exception):
    """The data are damaged here."""


def _upright(picture: av.VideoFrame) -> NDArray[np.uint8]:
    image = cast(NDArray[np.uint8], picture.to_ndarray(format="bgr24"))
    turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
