"""Data sets with one annotated target a clip, as text: GOT-10k, LaSOT, TrackingNet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.ltr_train.readers import layouts
from tests.ltr_train.readers.layouts import boxes, categories, load, problems, write_lines


def test_got10k_is_read_with_absent_and_covered_frames_left_without_a_box(tmp_path: Path) -> None:
    layouts.got10k(tmp_path)
    corpus = load("got10k", tmp_path)
    assert boxes(corpus) == [[(4.0, 6.0, 20.0, 16.0)], [], [], [(7.0, 6.0, 20.0, 16.0)]]
    assert corpus.tracks == [(0, 1)]
    assert categories(corpus) == {"got10k/bear"}
    assert {p.clip for p in corpus.pictures} == {"got10k/GOT-10k_Train_000001"}
    assert [p.frame for p in corpus.pictures] == [0, 1, 2, 3]


def test_got10k_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data set got10k .*train/list\.txt' does not exist"):
        load("got10k", tmp_path)
    folder = layouts.got10k(tmp_path)
    with pytest.raises(ValueError, match=r"val/list\.txt' does not exist"):
        load("got10k", tmp_path, split="val")
    with pytest.raises(ValueError, match="split 'test' is unknown; expected one of train, val"):
        load("got10k", tmp_path, split="test")
    (folder / "00000004.jpg").unlink()
    assert "has not as many pictures as lines in groundtruth.txt" in problems("got10k", tmp_path)[0]
    write_lines(folder / "groundtruth.txt", "1,2,3,4", "1,2,3", "1,2,3,4")
    assert "an annotation in" in problems("got10k", tmp_path)[0]
    (folder / "absence.label").unlink()
    write_lines(folder / "groundtruth.txt", *["1,2,3,4"] * 3)
    assert "absence.label not found" in problems("got10k", tmp_path)[0]


def test_a_listed_clip_that_is_not_there_is_a_problem_and_the_others_are_read(tmp_path: Path) -> None:
    shutil.rmtree(layouts.got10k(tmp_path))
    layouts.got10k(tmp_path, "GOT-10k_Train_000002")
    found = problems("got10k", tmp_path)
    assert len(found) == 1
    assert "GOT-10k_Train_000001" in found[0]
    with pytest.raises(ValueError, match=r"GOT-10k_Train_000001.*ebtrack data check"):
        load("got10k", tmp_path)
    assert len(load("got10k", tmp_path, names=["GOT-10k_Train_000002"]).pictures) == 4


def test_lasot_is_read_from_one_based_boxes_with_frames_out_of_view_left_without(tmp_path: Path) -> None:
    layouts.lasot(tmp_path)
    for split in ("train", "all"):
        corpus = load("lasot", tmp_path, split=split)
        assert boxes(corpus) == [[(0.0, 0.0, 20.0, 16.0)], [], [(10.0, 8.0, 20.0, 16.0)]]
        assert categories(corpus) == {"lasot/bear"}
        assert corpus.tracks == [(0, 1)]


def test_a_fully_occluded_target_of_lasot_is_no_target(tmp_path: Path) -> None:
    write_lines(layouts.lasot(tmp_path) / "full_occlusion.txt", "1,0,0")
    assert boxes(load("lasot", tmp_path)) == [[], [], [(10.0, 8.0, 20.0, 16.0)]]


def test_lasot_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere' does not exist; expected LaSOT's <class>"):
        load("lasot", tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"training_set\.txt' does not exist"):
        load("lasot", tmp_path)
    with pytest.raises(ValueError, match="no clip in"):
        load("lasot", tmp_path, split="all")
    folder = layouts.lasot(tmp_path)
    with pytest.raises(ValueError, match=r"testing_set\.txt' does not exist"):
        load("lasot", tmp_path, split="test")
    (folder / "img" / "00000002.jpg").unlink()
    assert "2 pictures, 3 boxes, 3 flags" in problems("lasot", tmp_path)[0]
    write_lines(folder / "out_of_view.txt", "0,1")
    assert "3 and 2 flags" in problems("lasot", tmp_path)[0]
    write_lines(folder / "out_of_view.txt", "0,x,0")
    assert "out_of_view.txt' is not a list of 0 and 1" in problems("lasot", tmp_path)[0]
    (folder / "out_of_view.txt").unlink()
    assert "out_of_view.txt' does not exist" in problems("lasot", tmp_path)[0]
    write_lines(folder / "groundtruth.txt", "1,1,20,16", "0,0,0", "1,1,20,16")
    assert "groundtruth.txt' is not 4 numbers a line" in problems("lasot", tmp_path)[0]
    shutil.rmtree(folder / "img")
    write_lines(folder / "groundtruth.txt", "1,1,20,16")
    write_lines(folder / "out_of_view.txt", "0,0,0")
    assert "img' does not exist" in problems("lasot", tmp_path)[0]


def test_trackingnet_is_read_in_the_order_of_numbers_and_clipped_to_the_picture(tmp_path: Path) -> None:
    layouts.trackingnet(tmp_path)
    corpus = load("trackingnet", tmp_path)
    assert [Path(p.path).stem for p in corpus.pictures] == [str(i) for i in range(11)]
    expected = [(max(0.0, i - 2.0), 8.0, 20.0 - max(0.0, 2.0 - i), 16.0) for i in range(11)]
    assert [found[0] for found in boxes(corpus)] == expected
    assert {p.clip for p in corpus.pictures} == {"trackingnet/abc_0"}


def test_trackingnet_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no chunk in .*expected .*TRAIN_0 with anno and frames"):
        load("trackingnet", tmp_path)
    chunk = layouts.trackingnet(tmp_path)
    with pytest.raises(ValueError, match="split 'test' is unknown"):
        load("trackingnet", tmp_path, split="test")
    (chunk / "frames" / "abc_0" / "10.jpg").unlink()
    assert "10 pictures, 11 boxes" in problems("trackingnet", tmp_path)[0]
    (chunk / "frames").rename(chunk / "zips")
    with pytest.raises(ValueError, match="frames' does not exist"):
        load("trackingnet", tmp_path)


def test_every_limit_and_names_choose_frames_and_clips(tmp_path: Path) -> None:
    for clip, chunk in (("abc_0", "TRAIN_3"), ("def_0", "TRAIN_3"), ("ghi_0", "TRAIN_10")):
        layouts.trackingnet(tmp_path, clip, chunk)
    thinned = load("trackingnet", tmp_path, every=4, limit=2)
    assert [(p.clip, p.frame) for p in thinned.pictures] == [
        (f"trackingnet/{clip}", frame) for clip in ("abc_0", "def_0") for frame in (0, 4, 8)
    ]
    assert [len(track) for track in thinned.tracks] == [3, 3]
    by_chunk = load("trackingnet", tmp_path, names=["TRAIN_10"])
    assert {p.clip for p in by_chunk.pictures} == {"trackingnet/ghi_0"}
    with pytest.raises(ValueError, match=r"no source, clip or class is named nothing; there are .*abc_0"):
        load("trackingnet", tmp_path, names=["nothing"])
