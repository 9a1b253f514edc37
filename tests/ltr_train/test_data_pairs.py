"""The training-data engine: the pairs made from a corpus."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from ltr_train.data.bank import in_split
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.pairs import KINDS, PairDataset
from ltr_train.data.readers import SetConfig
from ltr_train.data.sets import load_sets
from ltr_train.data.sheet import contact_sheet
from networks.config import ModelConfig
from tests.ltr_train.readers import layouts

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
WIDTH, HEIGHT = 200, 160
TARGET = (0, 0, 255)
PLAIN = {
    "redrawn": 0.0,
    "label_noise": 0.0,
    "absent": 0.0,
    "distractor": 0.0,
    "clutter": 0.0,
    "occluder": 0.0,
    "template_occluder": 0.0,
    "grey": 0.0,
    "blur": 0.0,
    "low_resolution": 0.0,
    "jpeg": 0.0,
    "noise": 0.0,
    "weather": 0.0,
    "holdout": 0.0,
}
ONLY = {kind: {other: float(other == kind) for other in KINDS} for kind in KINDS}


def load(root: Path, *names: str, limit: int | None = None) -> Corpus:
    """Sources below ``root``, all of them where none is named."""
    chosen = SetConfig(reader="coco_tracks", names=names or None, limit=limit)
    return load_sets(root, [chosen], longest=512, memory_gb=1.0)


def _write(folder: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> None:
    categories = [{"id": 1, "name": "thing"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(content), encoding="utf-8")


def _background(number: int) -> np.ndarray:
    """Grey blocks without any red, so that a red object is found by its colour."""
    rng = np.random.default_rng(number)
    blocks = rng.integers(60, 200, (16, 20), dtype=np.uint8)
    return cv2.cvtColor(cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST), cv2.COLOR_GRAY2BGR)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Sources: ``polygons`` and ``rle`` (stills), ``clip`` (two frames, mask files), ``plain`` (no boxes)."""
    for name in ("polygons", "rle", "clip", "plain"):
        (tmp_path / name / "images").mkdir(parents=True)
    box = [80, 60, 30, 24]
    x, y, w, h = box
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y : y + h, x : x + w] = 1
    rle = coco_mask.encode(np.asfortranarray(mask))
    shapes = {
        "polygons": [[x, y, x + w, y, x + w, y + h, x, y + h]],
        "rle": {"size": rle["size"], "counts": rle["counts"].decode()},
    }
    for source, segmentation in shapes.items():
        image = _background(len(source))
        image[mask > 0] = TARGET
        cv2.imwrite(str(tmp_path / source / "images" / "a.png"), image)
        entry = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
        note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "segmentation": segmentation}
        _write(tmp_path / source, [entry], [note])
    images, notes = [], []
    (tmp_path / "clip" / "masks").mkdir()
    for frame in range(2):
        image, here = _background(50), np.zeros((HEIGHT, WIDTH), np.uint8)
        left = 40 + 50 * frame
        here[50:90, left : left + 30] = 255
        image[here > 0] = TARGET
        cv2.imwrite(str(tmp_path / "clip" / "images" / f"{frame}.png"), image)
        cv2.imwrite(str(tmp_path / "clip" / "masks" / f"{frame}.png"), here)
        images.append({"id": frame, "file_name": f"{frame}.png", "video_id": 1, "frame_index": 1 - frame})
        notes.append(
            {"id": frame, "image_id": frame, "category_id": 1, "bbox": [left, 50, 30, 40], "track_id": 5}
            | {"mask_file": f"masks/{frame}.png"}
        )
    _write(tmp_path / "clip", images, notes)
    for number in range(6):
        cv2.imwrite(str(tmp_path / "plain" / "images" / f"{number}.png"), _background(number))
    _write(tmp_path / "plain", [{"id": n, "file_name": f"{n}.png"} for n in range(6)], [])
    return tmp_path


@pytest.fixture
def corpus(root: Path) -> Corpus:
    return load(root)


def _pixels(box: np.ndarray, size: int) -> np.ndarray:
    """Crop coordinates (cx, cy, log w, log h) to edges (x0, y0, x1, y1) in crop pixels."""
    half = 0.5 * np.exp(box[2:])
    return np.concatenate([box[:2] - half + 0.5, box[:2] + half + 0.5]) * size


def _red(crop: np.ndarray) -> np.ndarray:
    """Pixels whose red clearly exceeds the rest, whatever the light: their mask."""
    blue, red = crop[..., 0].astype(int), crop[..., 2].astype(int)
    return red > 2 * blue + 30


def test_a_pair_depends_on_seed_and_index_alone(corpus: Corpus) -> None:
    config = PairConfig(holdout=0.0)
    first, second, other = (PairDataset(corpus, config, seed) for seed in (3, 3, 4))
    backwards = {i: second[i] for i in reversed(range(12))}
    differs = False
    for i in range(12):
        pair = first[i]
        for key, value in pair.items():
            np.testing.assert_array_equal(value, backwards[i][key])
        differs |= not np.array_equal(pair["search"], other[i]["search"])
    assert differs


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_ranges(corpus: Corpus, kind: str) -> None:
    dataset = PairDataset(corpus, PairConfig(**ONLY[kind], holdout=0.0, pairs=77), 0)
    assert len(dataset) == 77
    seen = set()
    for i in range(40):
        pair = dataset[i]
        assert KINDS[int(pair["kind"])] == kind
        assert pair["template"].shape == (128, 128, 3)
        assert pair["search"].shape == (256, 256, 3)
        assert pair["template"].dtype == pair["search"].dtype == np.uint8
        assert pair["template_box"].dtype == pair["search_box"].dtype == np.float32
        assert np.abs(pair["template_box"][:2]).max() < 0.1
        assert abs(pair["template_box"][2:].mean() - np.log(0.5)) < 0.25
        seen.add(bool(pair["present"]))
        if pair["present"]:
            assert np.abs(pair["search_box"][:2]).max() <= 0.42 + 1e-3
            # Side 4 sqrt(wh) times a factor within [0.6, 1.8].
            assert np.log(1 / 7.3) < pair["search_box"][2:].mean() < np.log(1 / 2.3)
        else:
            assert not pair["search_box"].any()
    assert seen == {True, False}


@pytest.mark.parametrize("kind", ["video", "cutout", "still"])
def test_box_is_the_extent_of_the_rendered_target(corpus: Corpus, kind: str) -> None:
    # Fillers and backgrounds come from the source without red things.
    rare = {"polygons": 1e-6, "rle": 1e-6, "clip": 1e-6}
    dataset = PairDataset(corpus, PairConfig(**(ONLY[kind] | PLAIN | {"still_weights": rare})), 0)
    checked = 0
    for i in range(60):
        pair = dataset[i]
        x0, y0, x1, y1 = _pixels(pair["search_box"], 256)
        if min(x0, y0) < 2 or max(x1, y1) > 254:
            continue
        ys, xs = np.nonzero(_red(pair["search"]))
        near = (xs > x0 - 8) & (xs < x1 + 8) & (ys > y0 - 8) & (ys < y1 + 8)
        xs, ys = xs[near], ys[near]
        if len(xs) < 0.4 * (x1 - x0) * (y1 - y0):
            continue  # a recoloured cut-out
        found = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        # A bent edge is thin where it is farthest out.
        np.testing.assert_allclose(found, [x0, y0, x1, y1], atol=5.0 if kind == "cutout" else 2.5)
        checked += 1
    assert checked >= 15


def test_an_absent_target_is_not_rendered(root: Path) -> None:
    corpus = load(root, "rle", "plain")
    lonely = {"absent": 1.0, "absent_same_category": 0.0, "still_weights": {"rle": 1e-6}}
    config = PairConfig(**(ONLY["still"] | PLAIN | lonely))
    dataset = PairDataset(corpus, config, 0)
    shown = []
    for i in range(40):
        pair = dataset[i]
        assert not pair["present"]
        assert _red(pair["template"]).mean() > 0.1
        shown.append(_red(pair["search"]).mean())
    # The whole target would be about 1/16 of the crop; hidden ones leave nothing, crops elsewhere at most a tenth.
    assert max(shown) < 0.03


def test_an_occluder_leaves_the_full_box(corpus: Corpus) -> None:
    plain = PairDataset(corpus, PairConfig(**(ONLY["video"] | PLAIN)), 0)
    hidden = PairDataset(corpus, PairConfig(**(ONLY["video"] | PLAIN | {"occluder": 1.0})), 0)
    changed = 0
    for i in range(20):
        a, b = plain[i], hidden[i]
        if bool((a["search_box"][2:] == b["search_box"][2:]).all()):
            changed += int(not np.array_equal(a["search"], b["search"]))
    assert changed >= 10


def test_splits_share_no_clip(corpus: Corpus) -> None:
    clips = {p.clip for p in corpus.pictures}
    train = {c for c in clips if in_split(c, PairConfig(holdout=0.4))}
    val = {c for c in clips if in_split(c, PairConfig(holdout=0.4, split="val"))}
    assert train
    assert val
    assert not train & val
    assert train | val == clips
    with pytest.raises(ValueError, match="'val' split is empty"):
        PairDataset(corpus, PairConfig(holdout=0.0, split="val"))


def test_impossible_kinds_are_named(root: Path) -> None:
    corpus = load(root, "plain")
    with pytest.raises(ValueError, match=r"cannot make pairs of kind \['video'\]"):
        PairDataset(corpus, PairConfig(**ONLY["video"], holdout=0.0))
    assert PairDataset(corpus, PairConfig(holdout=0.0), 0)[5]["search"].shape == (256, 256, 3)
    small = PairDataset(corpus, PairConfig(holdout=0.0), 0, ModelConfig(template_size=64, search_size=192))[5]
    assert small["template"].shape == (64, 64, 3)
    assert small["search"].shape == (192, 192, 3)


def test_contact_sheet_marks_absence(corpus: Corpus) -> None:
    present = contact_sheet(PairDataset(corpus, PairConfig(**PLAIN), 0), range(3), columns=2)
    absent = contact_sheet(PairDataset(corpus, PairConfig(absent=1.0, holdout=0.0), 0), range(3), columns=2)
    assert present.shape == absent.shape
    assert present.shape[0] > 2 * 256
    assert tuple(absent[-1, 0]) != tuple(present[-1, 0])


@pytest.mark.skipif(not (SHARED / "train").is_dir(), reason="needs the shared folder's train/ beside the checkout")
def test_real_corpus_gives_every_kind() -> None:
    corpus = load(SHARED / "train", "davis16val", "coco_mini", "drone_net", limit=60)
    dataset = PairDataset(corpus, PairConfig(), 1)
    pairs = [dataset[i] for i in range(60)]
    assert {int(p["kind"]) for p in pairs} == set(range(len(KINDS)))
    assert 0 < sum(not p["present"] for p in pairs) < 25
    assert all(np.isfinite(p["search_box"]).all() for p in pairs)


def test_a_single_clip_gives_pairs_without_the_target_too(tmp_path: Path) -> None:
    layouts.davis(tmp_path)
    pairs = PairDataset(layouts.load("davis", tmp_path), PairConfig(holdout=0.0, absent=1.0))
    assert not any(pairs[index]["present"] for index in range(40))
