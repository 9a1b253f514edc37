"""`boxes.json`: what is read, and what is said of a mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebtrack.adapters import CocoTracks, InitialBox, read_initial_boxes

BOX = [16, 20.5, 24, 24]
AS_READ = (16.0, 20.5, 24.0, 24.0)
DETECTION = {"image_id": 7, "category_id": 3, "bbox": BOX, "score": 0.9}


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    return tmp_path / "boxes.json"


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        (BOX, None),
        ({"box": BOX}, None),
        ({"bbox": BOX, "label": "cup", "frame": 0}, "cup"),
        ({"box": BOX, "label": None, "colour": "red"}, None),
        (DETECTION, None),
    ],
)
def test_every_form(boxes: Path, entry: Any, label: str | None) -> None:
    assert read_initial_boxes(write(boxes, [entry, [1, 2, 3, 4]])) == [
        InitialBox(AS_READ, label),
        InitialBox((1.0, 2.0, 3.0, 4.0)),
    ]


def test_annotation_file_gives_labels(boxes: Path) -> None:
    content = {
        "images": [{"id": 7}],
        "annotations": [DETECTION, {**DETECTION, "category_id": 99}],
        "categories": [{"id": 3, "name": "cup"}, {"name": "no id"}, 5],
    }
    assert read_initial_boxes(str(write(boxes, content))) == [InitialBox(AS_READ, "cup"), InitialBox(AS_READ)]


def test_what_is_written_is_read_again(boxes: Path) -> None:
    starts = [InitialBox(AS_READ, "cup"), InitialBox((1.0, 2.0, 3.0, 4.0), "bird")]
    coco = CocoTracks({1: "cup", 2: "bird"})
    coco.add("0.jpg", (96, 72), starts)
    assert read_initial_boxes(write(boxes, coco.annotations)) == starts


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([BOX, [1, 2, 3]], ["entry 2", "[1, 2, 3]", "expected [x, y, w, h]"]),
        ([BOX, {"label": "cup"}], ["entry 2", "neither box nor bbox", "expected"]),
        ([{"box": BOX, "bbox": BOX}], ["entry 1", "both box and bbox"]),
        ([[1, 2, "3", 4]], ["entry 1", "is not a box"]),
        ([[1, 2, True, 4]], ["entry 1", "is not a box"]),
        ([[1, 2, float("nan"), 4]], ["entry 1", "NaN"]),
        ([[1, 2, 10**400, 4]], ["entry 1", "is not a box"]),
        ([[1, 2, 0, 4]], ["entry 1", "no size", "above 0"]),
        ([1, 2, 3, 4], ["entry 1", "1 is not a box", "expected [x, y, w, h]"]),
        ([{"box": BOX, "frame": 5}], ["entry 1", "frame is 5", "frame 0"]),
        ([{"box": BOX, "label": ["cup"]}], ["entry 1", "label", "not a text"]),
        ([DETECTION, {**DETECTION, "image_id": 8}], ["entry 2", "image_id 8", "7", "first frame"]),
        ([], ["no boxes", "empty"]),
        ({"boxes": [BOX]}, ["no list of boxes", "[[x, y, w, h], ...]"]),
        ({"annotations": []}, ["no boxes"]),
        ("text", ["no list of boxes"]),
    ],
)
def test_a_mistake_names_file_entry_and_form(boxes: Path, content: Any, words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"boxes\.json") as error:
        read_initial_boxes(write(boxes, content))
    for word in words:
        assert word in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_that_is_no_json_is_said(boxes: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"boxes\.json cannot be read: No such file"):
        read_initial_boxes(boxes)
    with pytest.raises(ValueError, match="cannot be read"):
        read_initial_boxes(tmp_path)
    for content in (b"16,20,24,24", b"\xff\xfe\x00", b"", b"[" * 100_000, b"[[1, 2, " + b"9" * 5000 + b", 4]]"):
        boxes.write_bytes(content)
        with pytest.raises(ValueError, match=r"boxes\.json"):
            read_initial_boxes(boxes)


def test_a_byte_order_mark_is_no_mistake(boxes: Path) -> None:
    boxes.write_text(json.dumps([BOX]), encoding="utf-8-sig")
    assert read_initial_boxes(boxes) == [InitialBox(AS_READ)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(
                ["box", "bbox", "label", "frame", "image_id", "category_id", "annotations", "categories", "id", "name"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(content=JSON)
def test_anything_is_read_or_said_to_be_wrong(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = write(tmp_path_factory.getbasetemp() / "boxes.json", content)
    try:
        found = read_initial_boxes(path)
    except ValueError as error:
        said = str(error)
        found = []
    else:
        said = ""
        assert all(start.box[2] > 0 and start.box[3] > 0 for start in found)
    assert bool(found) != ("boxes.json" in said)
