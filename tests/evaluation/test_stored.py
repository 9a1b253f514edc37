"""Layouts of several toolkits, names that differ, and files that are wrong."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.stored import (
    StoredError,
    find_stored,
    ignored_files,
    match_names,
    read_annotations,
    read_boxes,
    read_times,
    read_tracker_boxes,
)

ROWS = "1,2,3,4\n5,6,7,8\n"


def write(path: Path, text: str = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_all_layouts_are_found_and_other_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "plain" / "car.txt")
    write(tmp_path / "plain" / "times" / "car.txt", "0.5\n0.1\n")
    write(tmp_path / "plain" / "records" / "car.json", "{}")
    write(tmp_path / "got10k" / "car" / "car_001.txt")
    write(tmp_path / "got10k" / "car" / "car_002.txt")
    write(tmp_path / "got10k" / "car" / "car_time.txt", "0.5,0.6\n0.25,0.6\n")
    write(tmp_path / "dimp" / "dimp50_000" / "car.txt", "1\t2\t3\t4\n5\t6\t7\t8\n")
    write(tmp_path / "dimp" / "dimp50_000" / "car_time.txt", "0.5\n0.2\n")
    write(tmp_path / "dimp" / "dimp50_001" / "car.txt", "1 2 3 4\r\n5  6 7 8\r\n\r\n")
    write(tmp_path / "scores.json", "{}")
    stored = find_stored(tmp_path)
    assert sorted(stored) == ["dimp/dimp50_000", "dimp/dimp50_001", "got10k", "plain"]
    for files in stored.values():
        np.testing.assert_array_equal(read_tracker_boxes(files, ["car"])["car"], [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert [path.name for path in ignored_files(tmp_path, stored)] == [
        "car_time.txt",
        "car_002.txt",
        "car_time.txt",
        "scores.json",
    ]
    times = {tracker: [of.tolist() for of in read_times(files, ["car"])] for tracker, files in stored.items()}
    assert times == {
        "plain": [[0.5, 0.1]],
        "got10k": [[0.5, 0.25]],
        "dimp/dimp50_000": [[0.5, 0.2]],
        "dimp/dimp50_001": [],
    }


def test_a_trackers_own_folder_is_one_tracker(tmp_path: Path) -> None:
    write(tmp_path / "KCF" / "car.txt")
    assert list(find_stored(tmp_path / "KCF")) == ["KCF"]


def test_boxes_of_benchmarks_are_moved_to_0_based_pixels_but_not_our_own(tmp_path: Path) -> None:
    write(tmp_path / "theirs" / "car.txt")
    write(tmp_path / "ours" / "car.txt")
    write(tmp_path / "ours" / "records" / "car.json", "{}")
    stored = find_stored(tmp_path)
    found = {tracker: read_tracker_boxes(files, ["car", "boat"], origin=1.0) for tracker, files in stored.items()}
    np.testing.assert_array_equal(found["theirs"]["car"], [[0, 1, 3, 4], [4, 5, 7, 8]])
    np.testing.assert_array_equal(found["ours"]["car"], [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert found["ours"].keys() == {"car"}


def test_names_are_matched_where_it_is_plain_what_they_mean() -> None:
    stored = ["BasketBall", "Human4-2", "Skating2-1", "skating2-2", "Car", "Dog1"]
    wanted = ["Basketball", "Human4.2", "Skating2.1", "Skating2_2", "Car", "Dog"]
    assert match_names(stored, wanted) == dict(zip(wanted[:5], stored[:5], strict=True))
    # The one that is spelled the same belongs to its sequence, and not to the other.
    assert match_names(["car"], ["Car", "car"]) == {"car": "car"}
    with pytest.raises(StoredError, match="both CAR and cAr could be sequence Car"):
        match_names(["CAR", "cAr"], ["Car"])
    with pytest.raises(StoredError, match=r"CAR could be any of Car, car"):
        match_names(["CAR"], ["Car", "car"])


@pytest.mark.parametrize("line", ["5,6,7", "5,6,nan,8", "5,6,inf,8", "five,6,7,8", "1,2,3,4,5,6,7,8", ""])
def test_a_wrong_line_is_named_with_its_file(tmp_path: Path, line: str) -> None:
    file = write(tmp_path / "KCF" / "car.txt", f"1,2,3,4\n{line}\n5,6,7,8\n")
    with pytest.raises(StoredError, match=r"KCF/car\.txt, line 2: .* expected x,y,w,h in each line, all finite"):
        read_boxes(file)


def test_missing_and_empty_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoredError, match=r"no folder .*nowhere"):
        find_stored(tmp_path / "nowhere")
    with pytest.raises(StoredError, match=r"no boxes in .*<tracker>/<sequence>\.txt"):
        find_stored(tmp_path)
    with pytest.raises(ValueError, match=r"car\.txt is empty"):
        read_boxes(write(tmp_path / "car.txt", ""))
    with pytest.raises(ValueError, match=r"gone\.txt cannot be read"):
        read_tracker_boxes({"gone": tmp_path / "gone.txt"}, ["gone"])
    write(tmp_path / "times" / "car.txt", "0.1\nfast\n")
    with pytest.raises(StoredError, match=r"times/car\.txt, line 2: 'fast'"):
        read_times({"car": tmp_path / "car.txt"}, ["car"])


def test_annotations_keep_what_the_file_says(tmp_path: Path) -> None:
    write(tmp_path / "boat.txt", "1,2,3,4\nnan,nan,nan,nan\n0,0,0,0\n")
    write(tmp_path / "car.txt", "1\t2\t3\t4\n5\t6\t7\t8\n")
    write(tmp_path / "absent" / "car.txt", "0\n1\n")
    boat, car = read_annotations(tmp_path)
    assert (boat.name, boat.absent.tolist(), car.absent.tolist()) == ("boat", [False, True, False], [False, True])
    np.testing.assert_array_equal(boat.groundtruth[[0, 2]], [[1, 2, 3, 4], [0, 0, 0, 0]])
    write(tmp_path / "absent" / "car.txt", "0\n")
    with pytest.raises(ValueError, match=r"absent/car\.txt has 1 labels for 2 frames"):
        read_annotations(tmp_path)
    write(tmp_path / "boat.txt", "nan,nan,nan,nan\n1,2,3,4\n")
    with pytest.raises(StoredError, match=r"boat\.txt, line 1"):
        read_annotations(tmp_path)
    with pytest.raises(StoredError, match="no annotations in"):
        read_annotations(tmp_path / "nowhere")


def test_a_sequence_may_be_called_like_a_file_of_times(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "lunch_time.txt")
    write(tmp_path / "mine" / "car.txt")
    write(tmp_path / "mine" / "car_time.txt", "0.5\n0.1\n")
    assert find_stored(tmp_path)["mine"].keys() == {"lunch_time", "car"}
