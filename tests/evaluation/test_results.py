"""Results in a folder: what is read is what was written, and nothing is lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from evaluation.lockstep import SequenceResult
from evaluation.results import ResultsError, read_results, write_results


@dataclass
class Annotated:
    name: str
    groundtruth: np.ndarray

    def frames(self) -> Iterator[np.ndarray]:
        return iter(())


def a_result(name: str, frames: int, seed: int) -> SequenceResult:
    rng = np.random.default_rng(seed)
    presence = rng.random(frames)
    presence[0] = np.nan
    ends = rng.normal(size=(2, 3, frames, 4))
    return SequenceResult(
        name, rng.random((frames, 4)), rng.random((frames, 4)), presence, rng.random(frames), ends[0], ends[1], 1.5
    )


LEVELS = (0.9, 0.5, 0.995)


def test_reads_back_exactly_in_the_order_asked_for(tmp_path: Path) -> None:
    written = [a_result("one", 5, 0), a_result("two", 3, 1)]
    write_results(tmp_path / "new" / "results", written, LEVELS, {"seed": 3})
    asked = [Annotated(r.name, r.groundtruth) for r in reversed(written)]
    read, levels = read_results(tmp_path / "new" / "results", asked)
    assert levels == LEVELS
    for mine, theirs in zip(read, reversed(written), strict=True):
        assert (mine.name, mine.seconds) == (theirs.name, theirs.seconds)
        for part in ("groundtruth", "boxes", "presence", "ess", "low", "high"):
            np.testing.assert_array_equal(getattr(mine, part), getattr(theirs, part), part)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(ResultsError, match="not empty"):
        write_results(tmp_path, [a_result("one", 5, 0)], LEVELS, {})
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"run\.json is missing"):
        read_results(tmp_path, [])
    result = a_result("one", 5, 0)
    write_results(tmp_path, [result], LEVELS, {})
    with pytest.raises(ResultsError, match=r"5 rows of 30 numbers, expected 4 frames of 30"):
        read_results(tmp_path, [Annotated("one", result.groundtruth[:4])])
    with pytest.raises(ResultsError, match=r"other\.csv is missing"):
        read_results(tmp_path, [Annotated("other", result.groundtruth)])
