"""Boxes of other trackers: read in the order asked for, or refused by name."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.peers import read_peer
from evaluation.sequences import Sequence

TRUTH = np.array([[1, 2, 3, 4], [np.nan] * 4])
ONE, TWO = (Sequence(name, Path("unused.mp4"), TRUTH) for name in ("one", "two"))


def test_boxes_come_in_the_order_of_the_sequences(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1,2,3,4\n5,6,7,8\n")
    (tmp_path / "two.txt").write_text("1,2,3,4\n0.125,6,7,8\n")
    two, one = read_peer(tmp_path, [TWO, ONE])
    assert (two[1, 0], one[1, 0]) == (0.125, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3,4\n", "1 lines of 4 numbers, expected 2 lines"),
        ("1,2,3\n1,2,3\n", "2 lines of 3 numbers"),
        ("1,2,3,4\nnan,nan,nan,nan\n", "all finite"),
        ("1 2 3 4\n1 2 3 4\n", "expected x,y,w,h in each line"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "one.txt").write_text(text)
    with pytest.raises(ValueError, match=rf"one\.txt .*{said}"):
        read_peer(tmp_path, [ONE])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1,2,3,4\n5,6,7,8\n")
    with pytest.raises(ValueError, match=r"lacks two\.txt \(1 of 2 sequences are missing\)"):
        read_peer(tmp_path, [ONE, TWO])
