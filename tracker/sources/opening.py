"""From what a user types to a source of frames."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from tracker.sources.base import Source, SourceError
from tracker.sources.capture import open_camera, open_file, open_stream
from tracker.sources.images import ImageFiles, is_image, natural_order


def open_source(source: str) -> Source:
    """Opens a source and reads its first frame.

    Args:
        source: a video file; a folder of images or a glob of them, taken in natural order; a camera's number;
            a stream address such as ``rtsp://...`` or ``http://...``.

    Returns:
        An iterator of `Frame` and a context manager.

    Raises:
        SourceError: there is no such source, or no frame of it can be read; one line, with how to mend it.
    """
    opened = _choose(source)
    try:
        opened.first()
    except BaseException:
        opened.close()
        raise
    return opened


def _choose(source: str) -> Source:
    if source.isascii() and source.isdigit():
        return open_camera(int(source))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source):
        return open_stream(source)
    if not source.strip():
        raise SourceError("no source given; name a video, a folder of images, a camera or a stream address")
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            return ImageFiles(source, path.stem, [path]) if is_image(path) else _video(path)
    except PermissionError as error:
        raise SourceError(f"{source}: no permission to read it; allow it with chmod") from error
    if glob.has_magic(source):
        return _glob(source)
    if path.exists():
        raise SourceError(f"{source}: neither a file nor a folder; give a video, images, a camera or an address")
    raise SourceError(
        f"{source}: no such file or folder (looked from {Path.cwd()}); "
        "give a video, a folder of images, a camera or a stream address"
    )


def _folder(path: Path) -> Source:
    images = sorted((p for p in path.iterdir() if p.is_file() and is_image(p)), key=natural_order)
    if not images:
        raise SourceError(f"{path}: holds no images; name the folder with the .jpg or .png files")
    return ImageFiles(str(path), path.resolve().name or "images", images)


def _glob(pattern: str) -> Source:
    found = (Path(p) for p in glob.glob(str(Path(pattern).expanduser()), recursive=True))
    images = sorted((p for p in found if p.is_file() and is_image(p)), key=natural_order)
    if not images:
        raise SourceError(f"{pattern}: no image matches; check the pattern, and put it in quotes")
    return ImageFiles(pattern, images[0].resolve().parent.name or "images", images)


def _video(path: Path) -> Source:
    try:
        from tracker.sources.video import VideoFile
    except ImportError:  # av: not every system has it
        return open_file(path)
    return VideoFile(path)
