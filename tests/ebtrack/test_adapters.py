"""Adapters: OpenCV's tracker interface, supervision, MOT rows, COCO files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import ebtrack
from ebtrack.adapters import CocoTracks, InitialBox, OpenCVAdapter, mot_rows, to_supervision
from ebtrack.clip import CLIP_PATH, read_truth
from ltr_train.data.readers import coco_tracks
from ltr_train.data.readers.options import SetConfig
from tests.clips import BOX, SIZE, picture
from tests.fake_tracker import track_of
from tracker.sinks.boxes import BoxFiles
from tracker.sources import Frame, open_source
from tracker.track import Track

BOXES = [(10.0, 12.5, 30.25, 20.0), (50.0, 40.0, 12.0, 24.0)]


# OpenCV


def test_opencv_adapter_says_what_the_tracker_says() -> None:
    with open_source(str(CLIP_PATH)) as source:
        frames = [frame.image for frame, _ in zip(source, range(6), strict=False)]
    first = [float(value) for value in read_truth()[0]]
    adapter, plain = OpenCVAdapter(ebtrack.load(device="cpu")), ebtrack.load(device="cpu")
    adapter.init(frames[0], first)
    plain.init(frames[0], first)
    assert adapter.getTrackingScore() == 1.0
    for frame in frames[1:]:
        ok, box = adapter.update(frame)
        track = plain.update(frame)
        assert isinstance(track, Track)
        assert ok is True
        assert adapter.getTrackingScore() == track.presence
        assert adapter.track is not None
        assert adapter.track.box == track.box
        assert box == tuple(round(value) for value in track.box)
        # Whole numbers as OpenCV's own, so that its drawing functions take them.
        x, y, w, h = box
        cv2.rectangle(frame, (x, y), (x + w, y + h), (0, 0, 255))


def test_opencv_adapter_is_called_as_opencv_calls_its_own() -> None:
    ours, theirs = OpenCVAdapter(ebtrack.load(device="cpu")), cv2.TrackerMIL_create()  # type: ignore[attr-defined]
    for tracker in (ours, theirs):
        assert tracker.init(picture(0), tuple(int(value) for value in BOX)) is None
        ok, box = tracker.update(picture(1))
        assert isinstance(ok, bool)
        assert [type(value) for value in box] == [int] * 4


def test_opencv_adapter_threshold_decides_ok() -> None:
    images = [picture(0), *(np.full_like(picture(0), 90) for _ in range(6))]
    said = []
    for threshold in (None, 0.0, 1.0):
        adapter = OpenCVAdapter(ebtrack.load(device="cpu"), threshold)
        adapter.init(images[0], BOX)
        updates = [(*adapter.update(image), adapter.getTrackingScore()) for image in images[1:]]
        said.append([ok for ok, _, _ in updates])
        assert all(ok == (score >= adapter.threshold) for ok, _, score in updates)
        assert all(w >= 1 and h >= 1 for _, (_, _, w, h), _ in updates)  # a guess, also where it is not ok
    assert said[0][-1] is False
    assert all(said[1])
    assert said[2] == [False] * 6


def test_opencv_adapter_begins_anew_and_says_what_is_wrong() -> None:
    adapter = OpenCVAdapter(ebtrack.load(device="cpu"))
    with pytest.raises(RuntimeError, match="init"):
        adapter.update(picture(0))
    with pytest.raises(RuntimeError, match="init"):
        adapter.getTrackingScore()
    with pytest.raises(ValueError, match="one box"):
        adapter.init(picture(0), [BOX, BOX])
    with pytest.raises(ValueError, match="outside the frame"):
        adapter.init(picture(0), (500, 500, 10, 10))
    with pytest.raises(ValueError, match="between 0 and 1"):
        OpenCVAdapter(ebtrack.load(device="cpu"), 1.5)
    adapter.init(picture(0), BOX)
    once = adapter.update(picture(1))
    adapter.init(picture(0), np.array(BOX))
    assert adapter.track is None
    assert adapter.getTrackingScore() == 1.0
    assert adapter.update(picture(1)) == once


# supervision


def test_supervision_detections() -> None:
    sv = pytest.importorskip("supervision", reason='supervision is not installed: pip install -e ".[supervision]"')
    tracks = [track_of(BOXES[0], 0.9, spread=2.0), track_of(BOXES[1], 0.25, spread=5.0, seed=1)]
    found: Any = to_supervision(tracks, ids=[4, 9])  # typed only where supervision is installed
    np.testing.assert_allclose(found.xyxy, np.array([[10, 12.5, 40.25, 32.5], [50, 40, 62, 64.0]]))
    np.testing.assert_allclose(found.confidence, [0.9, 0.25])
    assert found.tracker_id.tolist() == [4, 9]
    for row, track in zip(found.data["spread"], tracks, strict=True):
        weights, samples = track.posterior.weights.numpy(), track.posterior.samples.numpy()
        variance = np.average((samples - np.average(samples, 0, weights)) ** 2, 0, weights)
        np.testing.assert_allclose(row, np.sqrt(variance), rtol=1e-4)
    present = found[found.confidence >= 0.5]
    assert (len(present), present.tracker_id.tolist()) == (1, [4])
    assert present.data["spread"].shape == (1, 4)

    alone: Any = to_supervision(tracks[0])
    assert alone.tracker_id.tolist() == [1]
    assert len(to_supervision([])) == 0
    image = np.zeros((80, 100, 3), np.uint8)
    annotator = sv.BoxAnnotator(color_lookup=sv.ColorLookup.TRACK)
    assert annotator.annotate(image.copy(), found).any()


def test_supervision_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(ModuleNotFoundError) as error:
        to_supervision(track_of(BOXES[0]))
    # An import that is barred names the module as a missing one does.
    assert "ebtrack[supervision]" in str(error.value)


# MOT


def test_mot_rows_are_those_of_the_command(tmp_path: Path) -> None:
    files = BoxFiles(tmp_path, 2)
    expected = []
    for index in range(3):
        tracks = [track_of((x + index / 3, y, w, h), 0.3 * index) for x, y, w, h in BOXES]
        files.write(Frame(picture(index), index, index / 25), tracks)
        expected += mot_rows(index + 1, tracks)
    files.close()
    assert (tmp_path / "tracks.mot.txt").read_text().splitlines() == expected


def test_mot_rows_of_given_boxes_and_own_numbers() -> None:
    (row,) = mot_rows(1, InitialBox(BOXES[0]), ids=[7])
    assert row == "1,7,10.0000,12.5000,30.2500,20.0000,1.000000,-1,-1,-1"
    with pytest.raises(ValueError, match="from 1"):
        mot_rows(0, track_of(BOXES[0]))


@pytest.mark.parametrize(("ids", "words"), [([1], "each of the 2"), ([3, 3], "of its own")])
def test_numbers_must_fit_the_targets(ids: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        mot_rows(1, [track_of(box) for box in BOXES], ids)


# COCO


@pytest.fixture
def coco() -> CocoTracks:
    """Three frames of two targets; the second is absent in the last."""
    collected = CocoTracks({1: "cup", 2: "bird"})
    collected.add("0.png", SIZE, [InitialBox(box) for box in BOXES])
    for index in (1, 2):
        moved = [(x + index, y, w, h) for x, y, w, h in BOXES]
        presence = (0.9, 0.6 if index == 1 else 0.1)
        collected.add(f"{index}.png", SIZE, [track_of(box, p) for box, p in zip(moved, presence, strict=True)])
    return collected


def test_coco_files_are_taken_by_pycocotools(coco: CocoTracks, tmp_path: Path) -> None:
    annotations, results = tmp_path / "annotations.json", tmp_path / "results.json"
    annotations.write_text(json.dumps(coco.annotations))
    results.write_text(json.dumps(coco.results))
    truth = COCO(str(annotations))
    assert {c["name"]: c["id"] for c in truth.loadCats(truth.getCatIds())} == {"bird": 1, "cup": 2}
    assert [len(truth.getAnnIds(imgIds=image)) for image in (1, 2, 3)] == [2, 2, 1]  # absent: not annotated
    found = truth.loadRes(str(results))
    assert [len(found.getAnnIds(imgIds=image)) for image in (1, 2, 3)] == [2, 2, 2]  # a result all the same
    (absent,) = found.loadAnns(found.getAnnIds(imgIds=3, catIds=1))
    assert (absent["score"], absent["track_id"]) == (0.1, 2)
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)  # the absent one has the lowest score


def test_coco_annotations_are_a_data_set_to_train_on(coco: CocoTracks, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), picture(index))
    (tmp_path / "annotations.json").write_text(json.dumps(coco.annotations))
    (clip,) = coco_tracks.read(tmp_path, SetConfig(reader="coco_tracks"))
    frames = clip.read()
    assert [[item.track for item in frame.items] for frame in frames] == [["1", "2"], ["1", "2"], ["1"]]
    assert frames[1].items[0].box == (BOXES[0][0] + 1, *BOXES[0][1:])
    assert frames[0].items[1].category == "bird"
    assert frames[2].size == SIZE


def test_coco_targets_without_a_label_are_objects() -> None:
    collected = CocoTracks(present_above=0.95)
    collected.add("a.jpg", (96, 72), track_of(BOXES[0], 0.9), ids=[5])
    assert collected.annotations["annotations"] == []
    assert collected.annotations["categories"] == [{"id": 1, "name": "object"}]
    assert collected.results == [{"image_id": 1, "category_id": 1, "track_id": 5, "bbox": list(BOXES[0]), "score": 0.9}]
