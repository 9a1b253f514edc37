"""ebtrack: a visual object tracker that gives a posterior over boxes in every frame."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ebtrack.version import __version__

if TYPE_CHECKING:
    from ebtrack.api import load, track
    from networks.posterior import Posterior
    from tracker.online import Tracker
    from tracker.track import Track

__all__ = ["Posterior", "Track", "Tracker", "__version__", "load", "track"]

_HOMES = {
    "load": "ebtrack.api",
    "track": "ebtrack.api",
    "Posterior": "networks.posterior",
    "Tracker": "tracker.online",
    "Track": "tracker.track",
}


def __getattr__(name: str) -> Any:
    # Names are fetched when they are used, so that `ebtrack --help` need not wait for PyTorch.
    if name not in _HOMES:
        raise AttributeError(f"module 'ebtrack' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
