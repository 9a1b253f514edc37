"""ImageNet-VID: several objects a clip, as XML."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ltr_train.readers import layouts
from tests.ltr_train.readers.layouts import boxes, categories, load, problems, write_lines


def test_objects_are_tracked_by_their_ids_and_occluded_ones_left_out(tmp_path: Path) -> None:
    layouts.imagenet_vid(tmp_path)
    corpus = load("imagenet_vid", tmp_path)
    assert boxes(corpus) == [
        [(4.0, 6.0, 20.0, 16.0), (30.0, 10.0, 20.0, 20.0)],
        [(5.0, 6.0, 20.0, 16.0)],
        [],
    ]
    assert corpus.tracks == [(0, 2), (1,)]
    assert categories(corpus) == {"imagenet_vid/n02084071"}
    assert len(load("imagenet_vid", tmp_path, names=["ILSVRC2015_VID_train_0000"], every=2).pictures) == 2


def test_val_has_no_chunks(tmp_path: Path) -> None:
    layouts.imagenet_vid(tmp_path)
    for part in ("Data", "Annotations"):
        (tmp_path / part / "VID" / "train" / "ILSVRC2015_VID_train_0000").rename(tmp_path / part / "VID" / "val")
    assert len(load("imagenet_vid", tmp_path, split="val").pictures) == 3


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Annotations/VID/train' does not exist"):
        load("imagenet_vid", tmp_path)
    folder = layouts.imagenet_vid(tmp_path)
    file = folder / "000001.xml"
    write_lines(file, "<annotation><object>")
    assert "000001.xml' is no annotation of ImageNet-VID" in problems("imagenet_vid", tmp_path)[0]
    write_lines(file, "<annotation><object><trackid>1</trackid></object></annotation>")
    assert "lacks trackid or a side of bndbox" in problems("imagenet_vid", tmp_path)[0]
    write_lines(file, layouts.vid_note())
    pictures = tmp_path / "Data" / folder.relative_to(tmp_path / "Annotations")
    (pictures / "000002.JPEG").unlink()
    assert "first 000002.JPEG" in problems("imagenet_vid", tmp_path)[0]
