"""Benchmarks in their published layouts."""

import re
from pathlib import Path

import numpy as np
import pytest
from got10k.datasets import DTB70, OTB, GOT10k, NfS

from evaluation.conventions import CONVENTIONS
from evaluation.datasets import DATASETS, DatasetError, native_origin, read_dataset
from evaluation.sequences import Sequence
from tests.evaluation import layouts
from tests.evaluation.layouts import FRAMES, MAKERS, box, shade

# Frames of the video that the sequences hold, and those of them in which the target is absent.
HELD = {
    "David": range(299, 770),
    "Tiger1": range(5, 9),
    "truck4_1": range(577),
    "truck4_2": range(576, 1261),
    "bird1_1": range(85),
    "bird1_2": range(258, 493),
    "car3": range(1717),
    "zebra fish": range(FRAMES - 1),
    "Ball_ce1": range(2, FRAMES - 1),
}
ABSENT: dict[str, set[int]] = {
    **{name: {2, 3} for name in ("lasot", "lasot_ext", "got10k_val")},
    **{name: {2} for name in ("tnl2k", "dtb70", "vot", "folder")},
}


def test_there_is_a_layout_of_every_benchmark() -> None:
    assert MAKERS.keys() == DATASETS.keys()
    assert {kind.convention for kind in DATASETS.values()} <= CONVENTIONS.keys()
    assert (native_origin("otb100"), native_origin("trackingnet")) == (1.0, 0.0)


def expect(sequence: Sequence, held: range, absent: set[int]) -> None:
    """The sequence holds these frames of its video, and the target is absent in these."""
    assert len(sequence) == len(held)
    np.testing.assert_array_equal(sequence.absent, [k in absent for k in held])
    truth = [(np.nan,) * 4 if k in absent else box(k) for k in held]
    np.testing.assert_allclose(sequence.groundtruth, truth, atol=1e-9)
    assert isinstance(sequence.source, tuple)
    assert len(sequence.source) == len(held)


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"got10k_test", "trackingnet"}))
def test_every_layout_gives_its_boxes_absences_and_pictures(name: str, tmp_path: Path) -> None:
    names = MAKERS[name](tmp_path)
    sequences = read_dataset(name, tmp_path, names)
    assert sorted(sequence.name for sequence in sequences) == sorted(names)
    for sequence in sequences:
        held = HELD.get(sequence.name, range(16) if name == "nfs240" else range(FRAMES))
        absent = ABSENT.get(name, {held[2]} if name.startswith("uav") else set())
        if sequence.name == "BlurCar1":
            absent = {FRAMES - 1}
        expect(sequence, held, absent)
        frames = sequence.frames()
        for k in held[:12]:
            assert abs(int(next(frames)[0, 0, 0]) - shade(k)) <= 1, (sequence.name, k)


@pytest.mark.parametrize("name", ["got10k_test", "trackingnet"])
def test_where_only_the_first_frame_is_annotated_the_others_are_not_absent(name: str, tmp_path: Path) -> None:
    names = MAKERS[name](tmp_path)
    sequences = read_dataset(name, tmp_path)
    assert tuple(sequence.name for sequence in sequences) == names
    for sequence in sequences:
        np.testing.assert_allclose(sequence.groundtruth[0], box(0))
        assert np.isnan(sequence.groundtruth[1:]).all()
        assert not sequence.absent.any()
        shades = [int(frame[0, 0, 0]) for frame in sequence.frames()]
        np.testing.assert_allclose(shades, [shade(k) for k in range(len(sequence))], atol=1)
        assert len(shades) == {"got10k_test": FRAMES, "trackingnet": 12}[name]


def test_a_chunk_of_trackingnet_has_all_its_boxes(tmp_path: Path) -> None:
    layouts.trackingnet(tmp_path)
    for sequence in read_dataset("trackingnet", tmp_path / "TRAIN_0"):
        expect(sequence, range(12), set())


@pytest.mark.parametrize(
    ("name", "sequence", "attributes"),
    [
        ("otb100", "Human4-2", ["illumination variation", "scale variation", "occlusion", "deformation"]),
        ("uav123_10fps", "bird1_2", ["scale variation", "out of view"]),
        ("got10k_val", "GOT-10k_Val_000001", ["bird", "fly"]),
        ("vot", "bag", ["camera motion"]),
        ("lasot", "cat-1", ["scale variation", "full occlusion", "out of view"]),
    ],
)
def test_attributes_are_those_that_the_benchmark_gives(
    name: str, sequence: str, attributes: list[str], tmp_path: Path
) -> None:
    MAKERS[name](tmp_path)
    (found,) = read_dataset(name, tmp_path, [sequence])
    assert list(found.attributes) == attributes


def test_boxes_are_those_of_the_got10k_toolkit_but_for_the_origin(tmp_path: Path) -> None:
    for name in ("otb100", "got10k_val", "nfs30", "dtb70"):
        MAKERS[name](tmp_path / name)
    toolkits = {
        "otb100": (OTB(str(tmp_path / "otb100"), 2015, download=False), {"Skating2-1": "Skating2.1", "David": "David"}),
        "got10k_val": (GOT10k(str(tmp_path / "got10k_val"), "val"), {"GOT-10k_Val_000002": "GOT-10k_Val_000002"}),
        "nfs30": (NfS(str(tmp_path / "nfs30"), 30), {"airplane": "airplane"}),
        "dtb70": (DTB70(str(tmp_path / "dtb70")), {"Gull2": "Gull2"}),
    }
    for name, (toolkit, names) in toolkits.items():
        for sequence in read_dataset(name, tmp_path / name, names):
            files, boxes = toolkit[names[sequence.name]]
            assert sequence.source == tuple(map(Path, files))
            ours = sequence.groundtruth + np.array([1, 1, 0, 0]) * native_origin(name)
            np.testing.assert_allclose(ours[~sequence.absent], boxes[~sequence.absent])


def test_without_its_own_list_lasot_is_the_280_of_the_published_one(tmp_path: Path) -> None:
    layouts.lasot(tmp_path, ["airplane-1"], listed=False)
    (sequence,) = read_dataset("lasot", tmp_path, ["airplane-1"])
    expect(sequence, range(FRAMES), {2, 3})
    with pytest.raises(DatasetError, match="sequence airplane-9 is missing: no folder"):
        read_dataset("lasot", tmp_path)
    (tmp_path / "airplane" / "airplane-1").rename(tmp_path / "airplane-1")
    expect(read_dataset("lasot", tmp_path, ["airplane-1"])[0], range(FRAMES), {2, 3})


def test_vot_workspaces_keep_their_sequences_in_a_folder(tmp_path: Path) -> None:
    layouts.vot(tmp_path / "sequences")
    assert [sequence.name for sequence in read_dataset("vot", tmp_path)] == ["bag", "fish1", "girl"]


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_root_and_none_are_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=rf"no folder .*none; expected ROOT.*`ebtrack datasets` lists for {name}"):
        read_dataset(name, tmp_path / "none")
    with pytest.raises(DatasetError, match=re.escape(str(tmp_path))):
        read_dataset(name, tmp_path)


def test_names_that_are_none_are_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"'lasott' \(did you mean 'lasot'\?\); there are lasot, .*folder"):
        read_dataset("lasott", tmp_path)
    layouts.lasot(tmp_path)
    with pytest.raises(DatasetError, match=r"no sequence 'cats-20' of LaSOT.* \(did you mean 'cat-20'\?\)"):
        read_dataset("lasot", tmp_path, ["cat-1", "cats-20"])


MISTAKES = [
    ("lasot", "cat/cat-1/groundtruth.txt", "5,4,10,8\n" * 5, "groundtruth.txt has 5 lines, .*img has 6 pictures"),
    ("lasot", "cat/cat-1/groundtruth.txt", "5,4,10,8\n5,4,10\n", "groundtruth.txt, line 2: '5,4,10' is no box"),
    ("lasot", "cat/cat-1/groundtruth.txt", "5,4,10,8\n5,4,10,eight\n", "groundtruth.txt, line 2: '5,4,10,eight' is no"),
    ("lasot", "cat/cat-1/groundtruth.txt", "5,4,10,8\n5,nan,10,8\n", "groundtruth.txt, line 2: 5,nan,10,8 is no box"),
    ("lasot", "cat/cat-1/groundtruth.txt", "5,4,10,8\n\n5,4,1,inf\n", "groundtruth.txt, line 2: '' is no box"),
    ("lasot", "cat/cat-1/groundtruth.txt", "5,4,inf,8\n", "groundtruth.txt, line 1: 5,4,inf,8 is no box"),
    ("lasot", "cat/cat-1/groundtruth.txt", "0,0,0,0\n" * 6, "groundtruth.txt, line 1: 0,0,0,0 is no box"),
    ("lasot", "cat/cat-1/groundtruth.txt", "", "groundtruth.txt is empty; expected x,y,w,h in each line"),
    ("lasot", "cat/cat-1/groundtruth.txt", None, r"groundtruth.txt cannot be read \(No such file"),
    ("lasot", "cat/cat-1/out_of_view.txt", "0,0,0\n", "out_of_view.txt has 3 labels for 6 frames; expected one"),
    ("lasot", "cat/cat-1/out_of_view.txt", "0,0,x\n", "out_of_view.txt, line 1: '0,0,x' holds no numbers"),
    ("lasot", "cat/cat-1/full_occlusion.txt", "1,0,0,0,0,0\n", "groundtruth.txt, line 1: no box where tracking starts"),
    ("lasot", "testing_set.txt", "cat-1\ncow-7\n", "sequence cow-7 is missing: no folder .*cow-7/img.*--sequences"),
    ("lasot", "att/cat-1.txt", "0,1\n", "att/cat-1.txt has 2 labels for 14 names of attributes; expected one for each"),
    ("got10k_val", "val/list.txt", None, "list.txt cannot be read .*expected the name of a sequence of GOT-10k's val"),
    ("got10k_val", "val/GOT-10k_Val_000002/cover.label", None, "cover.label cannot be read"),
    ("got10k_val", "val/GOT-10k_Val_000002/cover.label", "8\n8\neight\n", "cover.label, line 3: 'eight' holds no"),
    ("got10k_test", "test/GOT-10k_Test_000002/groundtruth.txt", "1,1,9,9\n" * 2, "has 2 lines, .* has 6 pictures"),
    ("dtb70", "Gull2/img/00003.jpg", None, "groundtruth_rect.txt has 6 lines, .*img has 5 pictures"),
    ("nfs30", "airplane/30/airplane.txt", "0 1 2\n", "airplane.txt, line 1: .0 1 2. is no box, expected lines as 0 10"),
    ("nfs30", "zebra fish/30/zebra fish/00006.jpg", "", None),
    ("tcolor128", "Ball_ce1/Ball_ce1_frames.txt", "1\n", "_frames.txt, line 1: '1'; expected the numbers of the first"),
    ("tcolor128", "Ball_ce1/Ball_ce1_frames.txt", "3,9\n", "Ball_ce1: no picture 7 in .*img; expected all from 3 to 9"),
    ("vot", "bag/groundtruth.txt", "4,3,10,8\n1,2\n", "bag/groundtruth.txt, line 2: '1,2' is no region"),
    (
        "vot",
        "girl/groundtruth.txt",
        "m1,1,2,2,0,4\nm1,1,2,2,0,5\n",
        "girl/groundtruth.txt, line 2: 'm1,1,2,2,0,5' is",
    ),
    ("vot", "bag/sequence", "channels.color\n", "bag/sequence cannot be read"),
]


@pytest.mark.parametrize(("name", "file", "content", "message"), MISTAKES)
def test_mistakes_are_told_with_file_and_line(
    name: str, file: str, content: str | None, message: str | None, tmp_path: Path
) -> None:
    MAKERS[name](tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content)
    if message is None:  # a broken picture is told when it is its turn
        assert read_dataset(name, tmp_path)
        return
    with pytest.raises(DatasetError, match=message):
        read_dataset(name, tmp_path)


def test_a_picture_that_cannot_be_read_is_told_with_its_frame(tmp_path: Path) -> None:
    layouts.uav123_10fps(tmp_path)
    (tmp_path / "data_seq/UAV123_10fps/bird1/000261.jpg").write_bytes(b"no picture")
    (sequence,) = read_dataset("uav123_10fps", tmp_path, ["bird1_2"])
    frames = sequence.frames()
    next(frames), next(frames)
    with pytest.raises(ValueError, match=r"frame 2 of bird1_2: .*000261\.jpg"):
        next(frames)
