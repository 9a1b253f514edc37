"""Where frames come from: video files, image folders and globs, cameras, streams."""

from tracker.sources.base import Frame, Source, SourceDamaged, SourceError
from tracker.sources.opening import open_source

__all__ = ["Frame", "Source", "SourceDamaged", "SourceError", "open_source"]
