"""Results on disk: what is read is what was written, and what is not whole is known as such."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from evaluation import results
from evaluation.results import (
    Result,
    ResultsError,
    is_complete,
    read_evaluation,
    read_record,
    read_result,
    read_tracker,
    write_evaluation,
    write_result,
)

LEVELS = (0.9, 0.5, 0.995)


def a_result(name: str, frames: int, seed: int = 0) -> Result:
    rng = np.random.default_rng(seed)
    presence, ends = rng.random(frames), rng.normal(size=(2, 3, frames, 4))
    presence[0] = ends[:, :, 0] = np.nan
    boxes, ess, seconds = rng.random((frames, 4)), rng.random(frames), rng.random(frames)
    return Result(name, boxes, presence, ess, LEVELS, ends[0], ends[1], seconds)


def test_reads_back_exactly_in_the_order_asked_for(tmp_path: Path) -> None:
    written = [a_result("one", 5, 0), a_result("two", 3, 1)]
    for result in written:
        write_result(tmp_path / "out" / "mine", result, {"seed": 3})
    for mine, theirs in zip(read_tracker(tmp_path / "out" / "mine", ["two", "one"]), reversed(written), strict=True):
        assert (mine.name, mine.levels) == (theirs.name, theirs.levels)
        for part in ("boxes", "presence", "ess", "low", "high", "seconds"):
            np.testing.assert_array_equal(getattr(mine, part), getattr(theirs, part), part)
    record = read_record(tmp_path / "out" / "mine", "one")
    assert record is not None
    assert (record["made_by"], record["frames"]) == ({"seed": 3}, 5)


def test_boxes_alone_are_a_result(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1,2,3,4\n1.5,2,3,4\n")
    found = read_result(tmp_path, "one")
    assert found.boxes.tolist() == [[1, 2, 3, 4], [1.5, 2, 3, 4]]
    assert found.presence is found.seconds is found.low is None
    assert not is_complete(tmp_path, "one")
    write_result(tmp_path, Result("two", found.boxes), {})
    assert is_complete(tmp_path, "two")
    assert read_result(tmp_path, "two").presence is None


def test_the_box_file_comes_last_and_any_change_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(results, "write_whole", lambda path, text: made.append(str(path.relative_to(tmp_path))))
    write_result(tmp_path, a_result("one", 5), {})
    assert made[-1] == "one.txt"
    monkeypatch.undo()
    write_result(tmp_path, a_result("one", 5), {})
    assert is_complete(tmp_path, "one")
    for name in made:
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        assert not is_complete(tmp_path, "one"), name
        (tmp_path / name).unlink()
        assert not is_complete(tmp_path, "one"), name
        (tmp_path / name).write_bytes(content)
        assert is_complete(tmp_path, "one")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3,4\n1,2,nan,4\n", r"one\.txt, line 2: expected a finite box"),
        ("1,2,3,4\n1,2,3\n", r"one\.txt, line 2: expected 4 numbers with commas, got '1,2,3'"),
        ("1,2,3,4\nx,2,3,4\n", r"one\.txt, line 2"),
        ("", "no frame"),
    ],
)
def test_a_file_without_its_numbers_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "one.txt").write_text(text)
    with pytest.raises(ResultsError, match=said):
        read_result(tmp_path, "one")


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    write_result(tmp_path, a_result("one", 5), {})
    with pytest.raises(ResultsError, match=r"lacks other\.txt \(1 of 2"):
        read_tracker(tmp_path, ["one", "other"])
    lines = (tmp_path / "one.txt").read_text().splitlines(keepends=True)
    (tmp_path / "one.txt").write_text("".join(lines[:4]))
    with pytest.raises(ResultsError, match=r"one\.csv has 5 frames, expected 4"):
        read_result(tmp_path, "one")
    (tmp_path / "one.txt").write_text("".join(lines))
    (tmp_path / "posterior" / "one.csv").write_text("presence,low\n1,2\n")
    with pytest.raises(ResultsError, match=r"one\.csv, line 1: expected the columns presence, ess"):
        read_result(tmp_path, "one")
    with pytest.raises(ResultsError, match="two: the box of frame 1 is not finite"):
        write_result(tmp_path, Result("two", np.array([[1.0, 2, 3, 4], [1, np.nan, 3, 4]])), {})
    assert not (tmp_path / "two.txt").exists()


def test_a_folder_holds_the_results_of_one_data_set(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"evaluation\.json is missing"):
        read_evaluation(tmp_path)
    with pytest.raises(ResultsError, match=r"no folder .*nowhere"):
        read_evaluation(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="file is a file: name a folder"):
        write_evaluation(tmp_path / "file", "folder", tmp_path, ["a"])
    write_evaluation(tmp_path / "out", "folder", tmp_path, ["a", "b"])
    write_evaluation(tmp_path / "out", "folder", tmp_path, ["b", "c"])
    assert read_evaluation(tmp_path / "out")["sequences"] == ["a", "b", "c"]
    with pytest.raises(ResultsError, match="results of dataset 'folder', not of 'lasot'"):
        write_evaluation(tmp_path / "out", "lasot", tmp_path, ["a"])
    (tmp_path / "out" / "evaluation.json").write_text(json.dumps({"dataset": 3}))
    with pytest.raises(ResultsError, match="damaged"):
        read_evaluation(tmp_path / "out")


def test_evaluations_that_begin_together_all_keep_their_sequences(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: write_evaluation(tmp_path, "folder", tmp_path, [name]), names))
    assert sorted(read_evaluation(tmp_path)["sequences"]) == sorted(names)


def test_what_another_tracker_said_of_a_sequence_does_not_stay_beside_the_new_boxes(tmp_path: Path) -> None:
    write_result(tmp_path, a_result("one", 5), {})
    write_result(tmp_path, Result("one", np.ones((5, 4))), {})
    found = read_result(tmp_path, "one")
    assert found.presence is found.seconds is None
    assert is_complete(tmp_path, "one")
