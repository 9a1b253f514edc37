"""Uploaded videos: in a temporary folder, bounded while they stream in, removed after use."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import av
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from server.limits import Limits

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg"
"""Containers that hold their pictures themselves. Play lists are none: they name other files of the machine."""
LARGEST_SIDE = 4096
"""Of an uploaded video in pixels; what is larger than a frame may be is made smaller as it plays."""
ENVELOPE = 64 * 1024
"""Bytes of a multipart body beside the file."""


@dataclass
class _Upload:
    path: Path
    since: float
    used: bool = False


class Uploads:
    """The videos that wait for their visitor or are being played.

    Args:
        folder: of their own; it exists.
        limits: sizes and times.
        executor: where files are copied and looked at.
    """

    def __init__(self, folder: Path, limits: Limits, executor: Executor) -> None:
        self._folder = folder
        self._limits = limits
        self._executor = executor
        self._files: dict[str, _Upload] = {}
        self._coming = 0

    async def receive(self, request: Request) -> str:
        """Takes the file of a multipart request.

        Returns:
            Its id, which cannot be guessed.

        Raises:
            HTTPException: too large, too many, no video; the detail is for the visitor.
        """
        self.sweep()
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limits.upload_bytes + ENVELOPE:
            raise _too_large(self._limits.upload_bytes)
        if self._coming + len(self._files) >= 2 * self._limits.visitors:
            raise HTTPException(503, "too many videos are being uploaded: try again in a few minutes")
        self._coming += 1
        try:
            async with asyncio.timeout(self._limits.upload_s), _uploaded(request, self._limits.upload_bytes) as file:
                key = secrets.token_urlsafe(16)
                path = self._folder / key
                await self._in_thread(lambda: self._store(file, path))
        except TimeoutError:
            raise HTTPException(408, f"the upload took longer than {self._limits.upload_s:g} s") from None
        finally:
            self._coming -= 1
        self._files[key] = _Upload(path, monotonic())
        return key

    def take(self, key: str) -> Path:
        """The file of an id, for one visitor at a time.

        Raises:
            KeyError: there is none, or it is taken.
        """
        upload = self._files[key]
        if upload.used:
            raise KeyError(key)
        upload.used = True
        return upload.path

    def remove(self, key: str) -> None:
        """Removes a file; one that is not there is no mistake."""
        upload = self._files.pop(key, None)
        if upload:
            upload.path.unlink(missing_ok=True)

    def sweep(self, now: float | None = None) -> None:
        """Removes what nobody came for in time."""
        now = monotonic() if now is None else now
        for key, upload in list(self._files.items()):
            if not upload.used and now - upload.since > self._limits.upload_s:
                self.remove(key)

    async def _in_thread(self, call: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def _store(self, file: UploadFile, path: Path) -> None:
        try:
            with path.open("xb") as copy:
                shutil.copyfileobj(file.file, copy)
            check_video(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


@asynccontextmanager
async def _uploaded(request: Request, most: int) -> AsyncIterator[UploadFile]:
    """The one file of a multipart request, which is read no further than it may be long."""
    bounded = Request(request.scope, _bounded(request.receive, most))
    async with bounded.form(max_files=1, max_fields=4) as form:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1 or not files[0].size:
            raise HTTPException(400, "send one video file as multipart/form-data")
        yield files[0]


def _bounded(receive: Receive, most: int) -> Receive:
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most + ENVELOPE:
            raise _too_large(most)
        return message

    return bounded


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the video is larger than {most / 2**20:g} MiB: upload a shorter one")


def check_video(path: Path) -> None:
    """Whether this is a video that may be played.

    Raises:
        HTTPException: it is not; the detail is for the visitor.
    """
    try:
        with av.open(str(path), options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            streams = container.streams.video
            sizes = [(stream.codec_context.width, stream.codec_context.height) for stream in streams[:1]]
    except (av.FFmpegError, OSError, ValueError):
        sizes = []
    if not sizes or min(sizes[0]) < 1:
        raise HTTPException(415, "this is no video that can be read: MP4, MOV, WebM, MKV, AVI and MPEG are")
    if max(sizes[0]) > LARGEST_SIDE:
        width, height = sizes[0]
        raise HTTPException(415, f"the video is {width} x {height} pixels: at most {LARGEST_SIDE} a side are taken")
