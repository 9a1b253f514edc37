"""Trackers that are classes of somebody's Python modules."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any


def load_class(text: str) -> type[Any]:
    """The class of ``module:Class``; the working folder's modules are found as with ``python -m``.

    Raises:
        ValueError: there is no such module or class, or it lacks ``init`` or ``update``.
    """
    module_name, _, class_name = text.partition(":")
    if not module_name or not class_name:
        raise ValueError(f"python:{text} names no class: expected python:MODULE:CLASS, for example python:mine:Tracker")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ValueError(f"python:{text} cannot be imported: {error}") from error
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        raise ValueError(f"module {module_name} has no class {class_name}")
    missing = [method for method in ("init", "update") if not callable(getattr(found, method, None))]
    if missing:
        raise ValueError(f"{text} has no {missing[0]}: a tracker has init(frame, box) and update(frame)")
    return found


def source_file(text: str) -> Path | None:
    """The file that a class's module was read from."""
    file = getattr(sys.modules[load_class(text).__module__], "__file__", None)
    return Path(file) if file else None
