"""Evaluation: sequences in, boxes and figures out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.bridges.got10k_tracker import Got10kTracker

__all__ = ["Got10kTracker"]


def __getattr__(name: str) -> Any:
    # got10k brings pyplot, which only those wait for who use the bridge.
    if name != "Got10kTracker":
        raise AttributeError(f"module 'evaluation' has no attribute {name!r}")
    return import_module("evaluation.bridges.got10k_tracker").Got10kTracker
