"""Online: regions, state, motion, presence and re-detection, the batched tracker; sources, sinks and drawing."""

from tracker.online import Tracker
from tracker.track import Track

__all__ = ["Track", "Tracker"]
