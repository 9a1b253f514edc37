"""Ctrl-C without half-written frames."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self


class CtrlC:
    """Keeps Ctrl-C from cutting a write in two: while held it waits, otherwise it raises KeyboardInterrupt.

    Outside the main thread, where no signals arrive, it does nothing.
    """

    def __init__(self) -> None:
        self._holding = False
        self._pressed = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, stack: FrameType | None) -> None:
        del number, stack
        if not self._holding:
            raise KeyboardInterrupt
        self._pressed = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Ctrl-C inside the block is raised at its end."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._pressed:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """From here on Ctrl-C does nothing: the outputs are being finished."""
        self._holding = True
