"""What the sections are made of: attributes, and the frames whose truth is known."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics import Bools, Floats
from evaluation.plots import print_style
from evaluation.report.context import Context
from evaluation.report.gather import gather
from evaluation.report.material import Material, answers
from evaluation.report.sections import attributes
from evaluation.report.sections import sequences as by_sequence
from evaluation.results import Result

FRAMES = {"one": 5, "two": 5, "three": 9}


@dataclass(frozen=True)
class Labels:
    name: str
    groundtruth: Floats
    absent: Bools = field(default_factory=lambda: np.zeros(0, bool))
    attributes: tuple[str, ...] = ()


def sequences() -> list[Labels]:
    common = {"one": ("blur", "night"), "two": ("blur",), "three": ("blur", "night")}
    return [
        Labels(name, np.tile([10.0, 10, 20, 20], (frames, 1)), np.zeros(frames, bool), common[name])
        for name, frames in FRAMES.items()
    ]


def material(root: Path, convention: str) -> Material:
    """Tracker ``good`` has perfect boxes, ``poor`` loses sequence ``three`` after the first frame."""
    for tracker in ("good", "poor"):
        (root / tracker).mkdir()
        for sequence in sequences():
            boxes = sequence.groundtruth.copy()
            if tracker == "poor" and sequence.name == "three":
                boxes[1:] += [100, 0, 0, 0]
            np.savetxt(root / tracker / f"{sequence.name}.txt", boxes, delimiter=",")
    return gather([root], sequences(), "three clips", convention)


@pytest.mark.parametrize(
    ("convention", "blur", "night"),
    [
        ("otb", 20 / 21 * (2 + 1 / 9) / 3, 20 / 21 * (1 + 1 / 9) / 2),  # sequences weigh the same
        ("got10k", 8 / 16, 4 / 12),  # AO over frames after the first
    ],
)
def test_attributes_are_weighed_as_the_convention_has_it(
    tmp_path: Path, convention: str, blur: float, night: float
) -> None:
    with print_style():
        section = attributes(Context(material(tmp_path, convention)))
    [table] = section.tables
    assert [(row["attribute"], row["sequences"]) for row in table.rows] == [("blur", 3), ("night", 2)]
    assert [row["poor"] for row in table.rows] == pytest.approx([blur, night])
    assert [table.rank(0, column) for column in table.columns] == [2, 2, 0, 1]
    # Two attributes make no radar.
    assert not section.figures


def test_trackers_of_the_same_name_keep_their_folders(tmp_path: Path) -> None:
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        material(tmp_path / run, "otb")
    found = gather([tmp_path / "first", tmp_path / "second"], sequences(), "", "otb", "second/poor")
    assert found.trackers == ["second/poor", "good", "second/good", "poor"]


def test_a_tracker_called_like_a_column_does_not_replace_it(tmp_path: Path) -> None:
    material(tmp_path, "otb")
    (tmp_path / "good").rename(tmp_path / "frames")
    found = gather([tmp_path], sequences(), "", "otb")
    [table] = by_sequence(Context(found)).tables
    assert {row["sequence"]: row["frames"] for row in table.rows} == FRAMES
    assert [row[f"{tmp_path.name}/frames"] for row in table.rows] == pytest.approx([20 / 21] * 3)


def test_a_frame_that_nobody_annotated_is_judged_by_nothing() -> None:
    truth = np.tile([0.0, 0, 10, 10], (4, 1))
    truth[2:] = np.nan
    labels = Labels("s", truth, np.array([False, False, True, False]))
    boxes, presence = np.tile([0.0, 0, 10, 10], (4, 1)), np.array([np.nan, 0.9, 0.2, 0.5])
    found = answers(Result("s", boxes, presence, np.ones(4)), labels)
    assert found is not None
    np.testing.assert_array_equal(found.presence, presence[:3])
    np.testing.assert_array_equal(found.overlap, [1, 1, np.nan])
    assert found.low.shape == (0, 3, 4)
    assert answers(Result("s", boxes), labels) is None
