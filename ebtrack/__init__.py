"""ebtrack: a visual object tracker that gives a posterior over boxes in every frame."""

from ebtrack.api import load, track
from ebtrack.version import __version__
from networks.posterior import Posterior
from tracker.online import Tracker
from tracker.track import Track

__all__ = ["Posterior", "Track", "Tracker", "__version__", "load", "track"]
