"""Data sets in COCO's format: COCO itself, and sources with tracks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from ltr_train.data.corpus import Annotation, Corpus
from tests.ltr_train.readers import layouts
from tests.ltr_train.readers.layouts import HEIGHT, WIDTH, boxes, categories, load, problems, write_picture

BOX = (10.0, 8.0, 12.0, 20.0)


def _source(folder: Path, notes: list[dict[str, Any]], images: int = 1, **entry: Any) -> Path:
    """A source of pictures 0.png, 1.png, ..."""
    for i in range(images):
        write_picture(folder / "images" / f"{i}.png", number=i)
    content = {
        "images": [{"id": i, "file_name": f"{i}.png", **entry} for i in range(images)],
        "annotations": notes,
        "categories": [{"id": 1, "name": "thing"}],
    }
    (folder / "annotations.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def _note(picture: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": picture, "image_id": picture, "category_id": 1, "bbox": list(BOX), **more}


def _rectangle() -> np.ndarray:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[8:28, 10:22] = 1
    return pixels


def _expect_mask(annotation: Annotation) -> None:
    mask = annotation.mask
    assert mask is not None
    assert (mask.x, mask.y, mask.width, mask.height, mask.area) == (10, 8, 12, 20, 240)
    np.testing.assert_array_equal(mask.pixels, np.ones((20, 12), np.uint8))


def test_coco_is_read_without_its_crowds(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    corpus = load("coco", tmp_path)
    assert boxes(corpus) == [[(4.0, 6.0, 20.0, 16.0)], [BOX], []]
    assert categories(corpus) == {"coco/dog", "coco/cat"}
    assert [p.clip for p in corpus.pictures] == [f"coco/{i:012d}.jpg" for i in range(3)]
    assert corpus.tracks == []
    dog, cat = corpus.annotations
    assert dog.mask is not None
    assert (dog.mask.x, dog.mask.y, dog.mask.pixels.shape) == (4, 6, (16, 20))
    _expect_mask(cat)


def test_coco_may_have_another_split_and_its_pictures_below_images(tmp_path: Path) -> None:
    layouts.coco(tmp_path, "val2017", "images/val2017")
    assert len(load("coco", tmp_path, split="val2017", limit=2).pictures) == 2
    dogs = load("coco", tmp_path, split="val2017", names=["dog"])
    assert categories(dogs) == {"coco/dog"}
    assert len(dogs.pictures) == 1


def test_what_is_wrong_with_coco_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"instances_train2017\.json' does not exist"):
        load("coco", tmp_path)
    file = layouts.coco(tmp_path)
    (tmp_path / "train2017" / "000000000001.jpg").unlink()
    assert "000000000001.jpg' does not exist" in problems("coco", tmp_path)[0]
    (tmp_path / "train2017").rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="train2017' does not exist; expected COCO's pictures"):
        load("coco", tmp_path)
    file.write_text(file.read_text()[:200])
    with pytest.raises(ValueError, match=r"instances_train2017\.json' is not COCO format"):
        load("coco", tmp_path)


@pytest.mark.parametrize("form", ["polygons", "run lengths", "compressed run lengths", "mask file"])
def test_every_form_of_mask_is_understood(tmp_path: Path, form: str) -> None:
    compressed = coco_mask.encode(np.asfortranarray(_rectangle()))
    counts = [10 * HEIGHT + 8, *([20, HEIGHT - 20] * 11), 20, (WIDTH - 22) * HEIGHT + HEIGHT - 28]
    forms: dict[str, dict[str, Any]] = {
        "polygons": {"segmentation": [[10, 8, 22, 8, 22, 28, 10, 28]]},
        "run lengths": {"segmentation": {"size": [HEIGHT, WIDTH], "counts": counts}},
        "compressed run lengths": {
            "segmentation": {"size": compressed["size"], "counts": compressed["counts"].decode()}
        },
        "mask file": {"mask_file": "mask.png"},
    }
    folder = _source(tmp_path / "things", [_note(**forms[form])])
    cv2.imwrite(str(folder / "mask.png"), 255 * _rectangle())
    corpus = load("coco_tracks", tmp_path)
    _expect_mask(corpus.annotations[0])
    assert boxes(corpus) == [[BOX]]
    assert categories(corpus) == {"things/thing"}
    assert corpus.annotations[0].track is None
    assert corpus.pictures[0].image.shape == (HEIGHT, WIDTH, 3)


def test_tracks_are_in_order_of_time_and_every_other_frame_can_be_had(tmp_path: Path) -> None:
    notes = [_note(i, track_id="a", bbox=[i, 0, 10, 10]) for i in range(5)]
    file = _source(tmp_path / "video", notes, images=5, video_id=3) / "annotations.json"
    content = json.loads(file.read_text())
    for image in content["images"]:
        image["frame_index"] = 10 - image["id"]
    file.write_text(json.dumps(content))
    corpus = load("coco_tracks", tmp_path)
    assert [corpus.pictures[corpus.annotations[i].picture].frame for i in corpus.tracks[0]] == [6, 7, 8, 9, 10]
    assert [corpus.annotations[i].box[0] for i in corpus.tracks[0]] == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert [p.frame for p in load("coco_tracks", tmp_path, every=2).pictures] == [6, 8, 10]
    assert {p.clip for p in corpus.pictures} == {"video/3"}


def test_a_root_may_be_one_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _source(tmp_path / "things", [_note()])
    monkeypatch.chdir(folder)
    assert [p.source for p in load("coco_tracks", Path(".")).pictures] == ["things"]


def test_an_export_of_cvat_is_one_clip(tmp_path: Path) -> None:
    folder = _source(tmp_path / "task", [_note(i, attributes={"occluded": False, "track_id": 7}) for i in (1, 0, 2)], 3)
    (folder / "annotations").mkdir()
    (folder / "annotations.json").rename(folder / "annotations" / "instances_default.json")
    (folder / "images").rename(folder / "all")
    (folder / "images").mkdir()
    (folder / "all").rename(folder / "images" / "default")
    corpus = load("coco_tracks", folder)
    assert [Path(corpus.pictures[corpus.annotations[i].picture].path).name for i in corpus.tracks[0]] == [
        "0.png",
        "1.png",
        "2.png",
    ]
    assert {p.clip for p in corpus.pictures} == {"task/clip"}


def _sources(root: Path) -> Corpus:
    for name in ("one", "two", "three"):
        _source(root / name, [_note(i) for i in range(3)], 3)
    return load("coco_tracks", root)


def test_a_box_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    _source(tmp_path / "things", [_note(bbox=[1, 2, float("nan"), 4])])
    corpus = load("coco_tracks", tmp_path)
    assert corpus.annotations == []
    assert corpus.sets[0].dropped == {"things": 1}


def test_limit_and_names_choose_sources(tmp_path: Path) -> None:
    assert len(_sources(tmp_path).pictures) == 9
    few = load("coco_tracks", tmp_path, names=["two", "three"], limit=2)
    assert [p.source for p in few.pictures] == ["three", "three", "two", "two"]
    # A source that is not asked for is not read.
    (tmp_path / "one" / "annotations.json").write_text("{")
    assert len(load("coco_tracks", tmp_path, names=["two"]).pictures) == 3


def test_wrong_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere' does not exist; expected a folder of sources"):
        load("coco_tracks", tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no source in .*expected .*<source>/annotations\.json"):
        load("coco_tracks", tmp_path)
    _sources(tmp_path)
    with pytest.raises(ValueError, match="no source, clip or class is named other; there are"):
        load("coco_tracks", tmp_path, names=["other"])
    with pytest.raises(ValueError, match="split 'train' is unknown"):
        load("coco_tracks", tmp_path, split="train")
    (tmp_path / "two" / "images" / "1.png").unlink()
    assert "two/images/1.png' does not exist" in problems("coco_tracks", tmp_path)[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "is not COCO format"),
        ('{"images": [', "is not COCO format"),
        ('{"images": [1], "annotations": []}', "is not COCO format"),
        ('{"images": [{"id": 1}], "annotations": []}', "is not COCO format"),
    ],
)
def test_a_broken_index_is_named(tmp_path: Path, content: str, said: str) -> None:
    (_source(tmp_path / "things", []) / "annotations.json").write_text(content)
    with pytest.raises(ValueError, match=rf"things/annotations\.json' {said}"):
        load("coco_tracks", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [1, 2, 3]}, "annotation 0 in .* has no bbox of four numbers"),
        ({"bbox": None}, "annotation 0 in .* has no bbox of four numbers"),
        ({"mask_file": "gone.png"}, r"gone\.png' is missing or unreadable"),
        ({"segmentation": {"size": [2, 2], "counts": [4]}}, "a mask is 2 x 2 px; expected the picture's 64 x 48"),
        ({"segmentation": {"size": [48, 64]}}, "a run-length coded mask is broken"),
    ],
)
def test_a_broken_annotation_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    _source(tmp_path / "things", [_note() | change])
    with pytest.raises(ValueError, match=said):
        load("coco_tracks", tmp_path)


def test_masks_without_pycocotools_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    _source(tmp_path / "boxes", [_note()])
    assert len(load("coco_tracks", tmp_path).annotations) == 1
    _source(tmp_path / "masks", [_note(segmentation=[[10, 8, 22, 8, 22, 28, 10, 28]])])
    with pytest.raises(ValueError, match=r"pip install 'ebtrack\[train\]'"):
        load("coco_tracks", tmp_path)


def test_annotations_of_no_picture_are_named(tmp_path: Path) -> None:
    file = layouts.coco(tmp_path)
    content = json.loads(file.read_text())
    for note in content["annotations"]:
        note["image_id"] = str(note["image_id"])
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"image_id '.', but no such id"):
        load("coco", tmp_path)
