"""From data sets to a corpus: working size, memory, weights, what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from ltr_train.config import DataConfig
from ltr_train.data.assembly import scaled_box
from ltr_train.data.bank import Bank
from ltr_train.data.config import PairConfig
from ltr_train.data.pairs import PairDataset
from ltr_train.data.pictures import header_size, working_size
from ltr_train.data.readers import READERS, SetConfig
from ltr_train.data.readers.options import ReaderName
from ltr_train.data.sets import index_sets, load_sets
from networks.config import ModelConfig
from tests.ltr_train.readers import layouts
from tests.ltr_train.readers.layouts import HEIGHT, WIDTH, boxes, load, write_lines, write_picture


def _every_set(root: Path, **weights: float) -> list[SetConfig]:
    """A small copy of each data set with a layout of its own, below ``root``."""
    names = ("got10k", "lasot", "trackingnet", "imagenet_vid", "youtube_vos", "davis", "coco")
    for name in names:
        getattr(layouts, name)(root / name)
    return [
        SetConfig.model_validate({"reader": name, "root": name, "weight": weights.get(name, 1.0)}) for name in names
    ]


def test_every_reader_has_a_name_in_the_configuration() -> None:
    assert set(READERS) == set(get_args(ReaderName))


@pytest.mark.parametrize("wrong", [{"weight": 0}, {"every": 0}, {"limit": 0}, {"reader": "otb"}, {"classes": ["a"]}])
def test_a_wrong_entry_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SetConfig.model_validate({"reader": "coco", **wrong})


def test_a_corpus_that_is_not_in_memory_gives_the_same_pairs(tmp_path: Path) -> None:
    sets = _every_set(tmp_path)
    config = PairConfig(holdout=0.0, absent=0.3)
    lazy, kept = (load_sets(tmp_path, sets, longest=48, memory_gb=gigabytes) for gigabytes in (0.0, 1.0))
    assert not lazy.in_memory
    assert kept.in_memory
    first, second = PairDataset(lazy, config, 1), PairDataset(kept, config, 1)
    for index in range(24):
        a, b = first[index], second[index]
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])
    assert all(p.kept is None for p in lazy.pictures)
    assert all(p.kept is not None for p in kept.pictures)


def test_memory_is_counted_as_it_is_taken(tmp_path: Path) -> None:
    layouts.davis(tmp_path)
    corpus = load("davis", tmp_path)
    masks = sum(a.mask.kept.nbytes for a in corpus.annotations if a.mask is not None and a.mask.kept is not None)
    assert corpus.decoded_bytes() == sum(p.image.nbytes for p in corpus.pictures) + masks
    exactly = corpus.decoded_bytes() / 2**30
    assert load("davis", tmp_path, memory_gb=exactly).in_memory
    assert not load("davis", tmp_path, memory_gb=0.99 * exactly).in_memory


def test_large_pictures_are_reduced_with_their_boxes(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    full, reduced = load("coco", tmp_path, longest=512), load("coco", tmp_path, longest=16)
    for a, b in zip(full.pictures, reduced.pictures, strict=True):
        assert (b.width, b.height) == (16, 12)
        assert b.image.shape == (12, 16, 3)
        assert b.image.flags.c_contiguous
        blocks = a.image.reshape(12, 4, 16, 4, 3).mean((1, 3))
        # JPEG's colours differ a little; a picture moved by a pixel would differ by some 25 grey levels.
        assert np.abs(blocks - b.image).mean() < 8.0
    assert boxes(reduced)[0] == [(1.0, 1.5, 5.0, 4.0)]


@given(
    native=st.tuples(st.integers(2, 4000), st.integers(2, 4000)),
    longest=st.integers(64, 1024),
    shares=st.tuples(*[st.floats(-0.5, 1.5)] * 4),
)
def test_scaled_boxes_lie_in_the_picture_at_the_same_place(
    native: tuple[int, int], longest: int, shares: tuple[float, float, float, float]
) -> None:
    size = working_size(native, longest)
    assert max(size) <= longest or size == native
    assert size[0] <= native[0]
    assert size[1] <= native[1]
    (x0, x1), (y0, y1) = sorted(shares[:2]), sorted(shares[2:])
    box = scaled_box((x0 * native[0], y0 * native[1], (x1 - x0) * native[0], (y1 - y0) * native[1]), native, size)
    inside = [np.clip(share, 0.0, 1.0) * side for share, side in zip((x0, y0, x1, y1), size * 2, strict=True)]
    if box is None:
        assert min(inside[2] - inside[0], inside[3] - inside[1]) < 2.0 + 1e-6
    else:
        np.testing.assert_allclose((box[0], box[1], box[0] + box[2], box[1] + box[3]), inside, atol=1e-6)


def test_degenerate_boxes_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = layouts.lasot(tmp_path)
    # Wholly outside, a sliver inside, and a line.
    write_lines(folder / "groundtruth.txt", "100,1,20,16", "64,1,20,16", "11,9,20,1")
    write_lines(folder / "out_of_view.txt", "0,0,0")
    corpus = load("lasot", tmp_path)
    assert boxes(corpus) == [[], [], []]
    assert corpus.sets[0].dropped == {"lasot": 3}
    assert corpus.tracks == []


def test_a_picture_turned_by_exif_is_read_as_it_is_seen(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    path = tmp_path / "train2017" / "000000000000.jpg"
    with Image.open(path) as picture:
        turned = picture.rotate(90, expand=True)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(path, exif=exif)
    assert header_size(str(path)) == (WIDTH, HEIGHT)
    assert load("coco", tmp_path).pictures[0].image.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("gigabytes", [0.0, 1.0])
def test_a_picture_of_another_size_or_no_picture_is_named(tmp_path: Path, gigabytes: float) -> None:
    folder = layouts.lasot(tmp_path) / "img"
    write_picture(folder / "00000002.jpg", size=(WIDTH, HEIGHT + 2))
    with pytest.raises(ValueError, match=r"00000002\.jpg' is 64 x 50 px; .* expects 64 x 48"):
        _ = [p.image for p in load("lasot", tmp_path, memory_gb=gigabytes).pictures]
    (folder / "00000002.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"00000002\.jpg' cannot be decoded"):
        _ = [p.image for p in load("lasot", tmp_path, memory_gb=gigabytes).pictures]
    (folder / "00000001.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"00000001\.jpg' cannot be read as a picture"):
        load("lasot", tmp_path, memory_gb=gigabytes)


def test_sets_that_offer_a_kind_share_it_by_their_weights(tmp_path: Path) -> None:
    sets = _every_set(tmp_path, davis=6.0, coco=2.0)
    corpus = index_sets(tmp_path, sets, 512)
    bank = Bank(corpus, PairConfig(holdout=0.0), ModelConfig())
    rng = np.random.default_rng(0)
    drawn = [corpus.pictures[bank.pictures.draw(rng)].source for _ in range(4000)]
    masks = [corpus.pictures[corpus.annotations[bank.cutouts.draw(rng)].picture].source for _ in range(4000)]
    tracks = [bank.two_frames(bank.tracks.draw(rng), rng)[0] for _ in range(4000)]
    targets = [corpus.pictures[annotation.picture].source for annotation in tracks]
    # Five sets of weight 1 beside 6 and 2; masks are in three sets, tracks of two boxes in all but COCO.
    for source, everywhere, of_masks, of_tracks in (
        ("davis", 6 / 13, 6 / 9, 6 / 11),
        ("coco", 2 / 13, 2 / 9, 0.0),
        ("youtube_vos", 1 / 13, 1 / 9, 1 / 11),
        ("lasot", 1 / 13, 0.0, 1 / 11),
    ):
        for found, expected in ((drawn, everywhere), (masks, of_masks), (targets, of_tracks)):
            assert abs(found.count(source) / 4000 - expected) < 0.03


def test_one_set_shares_by_source_whatever_its_weight(tmp_path: Path) -> None:
    layouts.coco(tmp_path / "coco")
    shares = []
    for weight in (1.0, 7.0):
        sets = [SetConfig.model_validate({"reader": "coco", "root": "coco", "weight": weight})]
        bank = Bank(index_sets(tmp_path, sets, 512), PairConfig(holdout=0.0), ModelConfig())
        shares.append(bank.stills.shares(lambda index: index))
    assert shares[0] == pytest.approx(shares[1])


def test_a_patch_has_texture_and_lies_in_its_picture(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    corpus = load("coco", tmp_path)
    bank = Bank(corpus, PairConfig(holdout=0.0), ModelConfig())
    rng = np.random.default_rng(0)
    for _ in range(50):
        picture, (x, y, w, h) = bank.patch(rng, 8.0, 40.0)
        assert x >= 0.0
        assert y >= 0.0
        assert x + w <= picture.width
        assert y + h <= picture.height


def test_flat_objects_are_drawn_rarely(tmp_path: Path) -> None:
    file = layouts.coco(tmp_path)
    Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90)).save(file.parent.parent / "train2017" / "000000000000.jpg")
    corpus = load("coco", tmp_path)
    bank = Bank(corpus, PairConfig(holdout=0.0), ModelConfig())
    rng = np.random.default_rng(0)
    drawn = [corpus.annotations[bank.stills.draw(rng)].picture for _ in range(400)]
    assert drawn.count(0) < 60


def test_the_documentation_has_valid_lines_for_every_reader() -> None:
    text = (Path(__file__).parents[3] / "docs" / "datasets.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block.partition("```")[0]) for block in text.split("```yaml\n")[1:]]
    whole = DataConfig.model_validate(blocks[0]["data"])
    assert len(whole.sets) == 3
    sections = [SetConfig.model_validate(entry) for block in blocks[1:] for entry in block]
    assert {entry.reader for entry in sections} == set(READERS)
