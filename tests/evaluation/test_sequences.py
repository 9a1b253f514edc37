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
    with pytest.raises(ValueError, match=r"no video\.mp4"):
        read_sequences(tmp_path)


@pytest.mark.parametrize("line", ["nan,nan,nan,nan", "1,2,3", "1 2 3 4"])
def test_annotations_that_cannot_be_used_are_named(tmp_path: Path, line: str) -> None:
    write_sequence(tmp_path / "a", 2, [line] * 2)
    with pytest.raises(ValueError, match=r"a/groundtruth\.txt .*expected x,y,w,h"):
        read_sequences(tmp_path)
