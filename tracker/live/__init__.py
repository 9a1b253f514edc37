"""Live tracking: sources that never lag, targets that come and go, and a window to draw them in."""

from tracker.live.source import LiveFrame, LiveSource
from tracker.live.targets import Targets, search_at_once

__all__ = ["LiveFrame", "LiveSource", "Targets", "search_at_once"]
