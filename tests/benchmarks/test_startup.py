"""Start-up is timed to the answer, and over that of PyTorch."""

import sys
from pathlib import Path

import pytest

from benchmarks.startup import TORCH, seconds_until, summarise


def script(text: str) -> list[str]:
    """A command that runs a few lines of Python."""
    return [sys.executable, "-S", "-c", text]


def test_the_clock_stops_at_the_first_estimate(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    written = "import time; f = open({!r}, 'w', buffering=1); f.write('frame,x\\n0,1\\n'); time.sleep(0.05); {}"
    whole = seconds_until(script(written.format(str(table), "f.write('1,2\\n'); time.sleep(0.4)")), table)
    assert whole >= 0.05
    # The process was waited for to its end, which did not count.
    assert seconds_until(script("import time; time.sleep(0.4)")) >= 0.4 > whole - 0.4


def test_a_command_that_gives_no_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no such weights"):
        seconds_until(script("raise SystemExit('no such weights')"))
    with pytest.raises(RuntimeError, match="gave no answer"):
        seconds_until(script("pass"), tmp_path / "boxes.csv")


def test_ratios_are_taken_in_each_round() -> None:
    found = summarise({TORCH: [1.0, 2.0, 4.0], "ebtrack info": [2.0, 2.0, 12.0]})
    assert found["ebtrack info"] == {"seconds": 2.0, "ratio": 2.0, "ratio_of_best": 2.0}
    assert found[TORCH]["ratio"] == 1
