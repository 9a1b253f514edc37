"""Data sets whose boxes come from masks: YouTube-VOS, DAVIS."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.ltr_train.readers import layouts
from tests.ltr_train.readers.layouts import HEIGHT, WIDTH, boxes, categories, load, problems


@pytest.mark.parametrize("reader", ["youtube_vos", "davis"])
def test_boxes_are_the_extents_of_the_masks(tmp_path: Path, reader: str) -> None:
    getattr(layouts, reader)(tmp_path)
    corpus = load(reader, tmp_path)
    first = [(4.0 + i, 6.0, 20.0, 16.0) for i in range(3)]
    assert boxes(corpus) == [[first[0]], [first[1], (40.0, 20.0, 12.0, 14.0)], [first[2], (40.0, 20.0, 12.0, 14.0)]]
    assert [len(track) for track in corpus.tracks] == [3, 2]
    for annotation in corpus.annotations:
        mask = annotation.mask
        assert mask is not None
        assert [mask.x, mask.y, mask.width, mask.height] == list(annotation.box)
        assert mask.area == mask.width * mask.height
        assert mask.pixels.shape == (mask.height, mask.width)
        assert mask.pixels.all()
    kinds = {"youtube_vos": {"youtube_vos/penguin", "youtube_vos/sheep"}, "davis": {"davis/object"}}
    assert categories(corpus) == kinds[reader]
    assert [p.frame for p in load(reader, tmp_path, every=2).pictures] == [0, 2]


def test_a_reduced_picture_has_reduced_masks(tmp_path: Path) -> None:
    layouts.davis(tmp_path)
    corpus = load("davis", tmp_path, longest=WIDTH // 2)
    assert {p.image.shape for p in corpus.pictures} == {(HEIGHT // 2, WIDTH // 2, 3)}
    annotation = corpus.annotations[0]
    assert annotation.box == (2.0, 3.0, 10.0, 8.0)
    assert annotation.mask is not None
    assert (annotation.mask.x, annotation.mask.y, annotation.mask.pixels.shape) == (2, 3, (8, 10))


def test_frames_of_youtube_vos_without_masks_are_not_read(tmp_path: Path) -> None:
    folder = layouts.youtube_vos(tmp_path)
    layouts.write_picture(folder / "JPEGImages" / "003234408d" / "00001.jpg")
    corpus = load("youtube_vos", tmp_path)
    assert [Path(p.path).stem for p in corpus.pictures] == ["00000", "00005", "00010"]


def _only(reader: str, corpus_root: Path) -> str:
    (problem,) = problems(reader, corpus_root)
    return problem


def test_what_is_wrong_with_youtube_vos_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JPEGImages' does not exist; expected YouTube-VOS's"):
        load("youtube_vos", tmp_path)
    folder = layouts.youtube_vos(tmp_path)
    (folder / "JPEGImages" / "003234408d" / "00005.jpg").unlink()
    assert "003234408d/00005.jpg' does not exist" in _only("youtube_vos", tmp_path)
    meta = folder / "meta.json"
    meta.write_text(meta.read_text()[:-5])
    with pytest.raises(ValueError, match=r"meta\.json' is not YouTube-VOS's meta\.json"):
        load("youtube_vos", tmp_path)
    meta.write_text(json.dumps({"videos": {"003234408d": []}}))
    with pytest.raises(ValueError, match=r"meta\.json' is not YouTube-VOS's meta\.json"):
        load("youtube_vos", tmp_path)
    meta.unlink()
    with pytest.raises(ValueError, match=r"meta\.json' does not exist"):
        load("youtube_vos", tmp_path)


def test_what_is_wrong_with_davis_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ImageSets/2017/train\.txt' does not exist"):
        load("davis", tmp_path)
    layouts.davis(tmp_path)
    mask = tmp_path / "Annotations" / "480p" / "bear" / "00005.png"
    cv2.imwrite(str(mask), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert "is a colour picture; expected a PNG with a palette" in _only("davis", tmp_path)
    mask.write_bytes(mask.read_bytes()[:40])
    assert "00005.png' cannot be read" in _only("davis", tmp_path)
    layouts.write_indices(mask, (1, 0, 0, 10, 10))
    layouts.write_picture(tmp_path / "JPEGImages" / "480p" / "bear" / "00000.jpg", size=(32, 24))
    assert "a mask is 64 x 48 px; expected the picture's 32 x 24" in _only("davis", tmp_path)
    layouts.write_lines(tmp_path / "ImageSets" / "2017" / "train.txt", "goat")
    assert "goat' does not exist" in _only("davis", tmp_path)
