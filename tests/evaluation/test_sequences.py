"""Sequences in plain folders and the overlap that is reported on them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.metrics import average_overlap, box_iou
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


def test_average_overlap_leaves_out_the_first_frame_and_absent_ones() -> None:
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4, [0, 0, 10, 10]], float)
    boxes = np.array([[90, 90, 1, 1], [5, 0, 10, 10], [0, 0, 1, 1], [0, 0, 10, 10]], float)
    np.testing.assert_allclose(box_iou(boxes, truth), [0, 1 / 3, np.nan, 1])
    assert average_overlap(boxes, truth) == pytest.approx((1 / 3 + 1) / 2)
