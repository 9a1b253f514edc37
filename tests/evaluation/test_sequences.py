"""Sequences in plain folders."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.sequences import read_sequences


def write_sequence(folder: Path, frames: int, lines: list[str]) -> None:
    folder.mkdir(parents=True)
    writer = cv2.VideoWriter(str(folder / "video.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
    for i in range(frames):
        writer.write(np.full((48, 64, 3), 10 * i, np.uint8))
    writer.release()
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")


def test_a_folder_of_sequences_is_read(tmp_path: Path) -> None:
    write_sequence(tmp_path / "b", 3, ["1,2,3,4", "nan,nan,nan,nan", "5,6,7,8"])
    write_sequence(tmp_path / "a", 2, ["1,2,3,4", "1,2,3,4"])
    first, second = read_sequences(tmp_path)
    assert (first.name, second.name) == ("a", "b")
    assert np.isnan(second.groundtruth[1]).all()
    assert second.groundtruth[2].tolist() == [5, 6, 7, 8]
    frames = list(second.frames())
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        read_sequences(tmp_path / "none")
    with pytest.raises(ValueError, match="no sequences"):
        read_sequences(tmp_path)
    write_sequence(tmp_path / "a", 2, ["1,2,3,4"] * 5)
    with pytest.raises(ValueError, match="ends at frame 2, 5 are annotated"):
        list(read_sequences(tmp_path)[0].frames())
    (tmp_path / "a" / "video.mp4").unlink()
    with pytest.raises(ValueError, match=r"no video\.mp4 and no pictures"):
        read_sequences(tmp_path)


@pytest.mark.parametrize("line", ["nan,nan,nan,nan", "1,2,3", "1,2,3,nan", "1,2,3,inf", "x,y,w,h"])
def test_annotations_that_cannot_be_used_are_named(tmp_path: Path, line: str) -> None:
    write_sequence(tmp_path / "a", 2, [line] * 2)
    with pytest.raises(ValueError, match=r"a/groundtruth\.txt, line 1: .* expected"):
        read_sequences(tmp_path)


def write_pictures(folder: Path, count: int, lines: list[str]) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i + 1}.png"), np.full((48, 64, 3), 10 * i, np.uint8))
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")


def test_numbered_pictures_are_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path / "7", 12, ["1,2,3,4"] * 11)
    # A relative name of digits alone is no camera.
    monkeypatch.chdir(tmp_path)
    (sequence,) = read_sequences(Path("."))
    assert sequence.groundtruth[0].tolist() == [1, 2, 3, 4]
    assert [int(frame[0, 0, 0]) for frame in sequence.frames()] == [10 * i for i in range(11)]
    (tmp_path / "7" / "5.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"5\.png"):
        list(sequence.frames())
    (tmp_path / "7" / "5.png").unlink()
    (tmp_path / "7" / "6.png").unlink()
    with pytest.raises(ValueError, match=r"frame 4 of 7: .*5\.png"):
        list(sequence.frames())
    with pytest.raises(ValueError, match=r"7/groundtruth\.txt has 11 lines, 7 has 10 pictures"):
        read_sequences(Path("."))


def test_boxes_of_got10k_are_1_based_and_absent_where_its_label_says(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a", 3, ["1,2,3,4", "5,6,7,8", "9,9,7,8"])
    (tmp_path / "a" / "absence.label").write_text("0\n1\n0\n")
    (sequence,) = read_sequences(tmp_path)
    np.testing.assert_array_equal(sequence.groundtruth, [[0, 1, 3, 4], [np.nan] * 4, [8, 8, 7, 8]])
    for content, message in (("0\n1\n", "has 2 labels for 3 frames"), ("no\n", "line 1: 'no' holds no numbers")):
        (tmp_path / "a" / "absence.label").write_text(content)
        with pytest.raises(ValueError, match=message):
            read_sequences(tmp_path)
