"""Frames decoded ahead of the tracker by processes of their own.

A process serves several sequences in turns. Each has at most `AHEAD` frames decoded and not yet asked for, so that
memory stays bounded however long it is.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from queue import Queue
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.lockstep import AnnotatedSequence

AHEAD = 4
"""Frames of a sequence."""
Image = NDArray[np.uint8]


class ReadAhead:
    """Reading processes, and the sequences that they read.

    Args:
        processes: at least one.
    """

    def __init__(self, processes: int) -> None:
        self._readers = [_Reader() for _ in range(processes)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers:
            reader.stop()

    def frames(self, sequence: AnnotatedSequence) -> Iterator[Image]:
        """The frames of a sequence; reading begins at once.

        Raises:
            ValueError: the sequence said so while it was read.
            RuntimeError: reading failed in another way, or the process died.
        """
        return min(self._readers, key=lambda reader: reader.busy).frames(sequence)


class _Reader:
    """The tracker's side of one reading process."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_read, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._queues: dict[int, Queue[Image | Exception | None]] = {}
        self._opened = 0
        self._dead = False
        threading.Thread(target=self._receive, daemon=True).start()

    @property
    def busy(self) -> int:
        """How many sequences it reads."""
        return len(self._queues)

    def stop(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.join()

    def frames(self, sequence: AnnotatedSequence) -> Iterator[Image]:
        key, queue = self._opened, Queue[Image | Exception | None]()
        self._opened += 1
        self._queues[key] = queue
        self._send((key, sequence))
        if self._dead:
            queue.put(_died())
        return self._handed_out(key, queue)

    def _handed_out(self, key: int, queue: Queue[Image | Exception | None]) -> Iterator[Image]:
        try:
            while (item := queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                self._send((key, "more"))
                yield item
        finally:
            del self._queues[key]
            self._send((key, "close"))

    def _send(self, message: Any) -> None:
        with suppress(OSError):  # Where it died the receiving thread tells whoever waits.
            self._connection.send(message)

    def _receive(self) -> None:
        """Takes what the process sends, so that it goes on while the tracker computes."""
        try:
            while True:
                key, kind, what = self._connection.recv()
                item: Image | Exception | None = None
                if kind == "frame":
                    item = np.empty(what, np.uint8)
                    self._connection.recv_bytes_into(item.reshape(-1))
                elif kind == "error":
                    item = what
                if queue := self._queues.get(key):
                    queue.put(item)
        except (EOFError, OSError):
            self._dead = True
            for queue in list(self._queues.values()):
                queue.put(_died())


def _died() -> RuntimeError:
    return RuntimeError("the process that decodes the frames died (out of memory?)")


def follow_parent() -> None:
    """Ends this process when the one that started it is gone, however it ended; Ctrl-C is that one's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _read(connection: Connection) -> None:
    """The reading process."""
    follow_parent()
    cv2.setNumThreads(1)
    with suppress(EOFError, OSError):  # The tracker's side is gone: it was interrupted, or killed.
        _serve(connection)


def _serve(connection: Connection) -> None:
    streams: dict[int, Iterator[Image]] = {}
    wanted: dict[int, int] = {}
    while True:
        ready = [key for key, count in wanted.items() if count]
        while connection.poll(0 if ready else None):
            key, message = connection.recv()
            if message == "close":
                streams.pop(key, None)
                wanted.pop(key, None)
            elif message == "more":
                if key in wanted:
                    wanted[key] += 1
            else:
                streams[key], wanted[key] = message.frames(), AHEAD
            ready = [key for key, count in wanted.items() if count]
        for key in ready:
            wanted[key] -= 1
            try:
                image = next(streams[key], None)
            except Exception as error:
                known = isinstance(error, ValueError)
                said = ValueError(str(error)) if known else RuntimeError(f"{type(error).__name__}: {error}")
                connection.send((key, "error", said))
                wanted[key], streams[key] = 0, iter(())
                continue
            if image is None:
                connection.send((key, "end", None))
                wanted[key] = 0
            else:
                connection.send((key, "frame", image.shape))
                connection.send_bytes(np.ascontiguousarray(image).data.cast("B"))
