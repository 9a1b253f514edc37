"""Trackers that are classes of somebody's Python modules."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import Any

_OURS = str(Path(__file__).resolve().parents[1])


def load_class(text: str) -> type[Any]:
    """The class of ``module:Class``; the working folder's modules are found as with ``python -m``.

    Raises:
        ValueError: there is no such module or class, the module fails, or the class lacks ``init`` or ``update``.
    """
    module_name, _, class_name = text.partition(":")
    if not module_name or not class_name:
        raise ValueError(f"python:{text} names no class: expected python:MODULE:CLASS, for example python:mine:Tracker")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise ValueError(f"python:{text} cannot be imported: {told(error)}") from error
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        raise ValueError(f"module {module_name} has no class {class_name}")
    missing = [method for method in ("init", "update") if not callable(getattr(found, method, None))]
    if missing:
        raise ValueError(f"{text} has no {missing[0]}: a tracker has init(frame, box) and update(frame)")
    return found


def told(error: Exception) -> str:
    """An error in a line; one that came from somebody's code with its kind, and with the file and line.

    Args:
        error: as it was caught.
    """
    places = [at for at in traceback.extract_tb(error.__traceback__) if not at.filename.startswith(_OURS)]
    theirs = [f" ({at.filename}, line {at.lineno})" for at in places if "importlib" not in at.filename]
    if not theirs and isinstance(error, ValueError | ImportError | SyntaxError):
        return str(error)
    return "".join((f"{type(error).__name__}: {error}", *theirs[-1:]))


def source_file(text: str) -> Path | None:
    """The file that a class's module was read from."""
    file = getattr(sys.modules[load_class(text).__module__], "__file__", None)
    return Path(file) if file else None
