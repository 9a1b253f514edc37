"""Frames read ahead by other processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import pytest

from evaluation.runner.reading import ReadAhead, _read


@dataclass
class Made:
    """Frames that tell their number; ``breaks`` as said, after ``length``."""

    name: str
    length: int
    breaks: str = ""
    groundtruth: np.ndarray | None = None

    def frames(self) -> Iterator[np.ndarray]:
        for number in range(self.length):
            yield np.full((4 + number % 3, 5, 3), number, np.uint8)
        if self.breaks == "said":
            raise ValueError("frame 3 cannot be read")
        if self.breaks == "bug":
            raise KeyError("x")
        if self.breaks == "dies":
            raise SystemExit(3)


def test_frames_come_in_order_and_what_breaks_is_told() -> None:
    with ReadAhead(1) as ahead:
        streams = [ahead.frames(Made(str(length), length)) for length in (9, 2, 6)]  # type: ignore[arg-type]
        found: list[list[int]] = [[], [], []]
        for _ in range(10):
            for stream, numbers in zip(streams, found, strict=True):
                if (image := next(stream, None)) is not None:
                    assert image.shape == (4 + len(numbers) % 3, 5, 3)
                    numbers.append(int(image[0, 0, 0]))
        assert found == [list(range(9)), [0, 1], list(range(6))]
        said = ahead.frames(Made("said", 3, "said"))  # type: ignore[arg-type]
        assert len([next(said), next(said), next(said)]) == 3
        with pytest.raises(ValueError, match="frame 3 cannot be read"):
            next(said)
        with pytest.raises(RuntimeError, match="KeyError: 'x'"):
            list(ahead.frames(Made("bug", 1, "bug")))  # type: ignore[arg-type]
        for _ in range(2):  # also for who comes later
            with pytest.raises(RuntimeError, match="process that decodes the frames died"):
                list(ahead.frames(Made("dies", 1, "dies")))  # type: ignore[arg-type]


def test_the_reading_process_ends_without_a_word_when_the_tracker_is_gone() -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_read, args=(theirs,))
    process.start()
    theirs.close()
    ours.send((0, Made("long", 100)))
    assert ours.recv()[:2] == (0, "frame")
    ours.close()
    process.join()
    assert process.exitcode == 0
