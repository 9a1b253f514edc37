"""Two renderers of one plan: OpenCV for a worker, torch for a device."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltr_train.data import torch_photometry
from ltr_train.data.atlas import Atlas, AtlasIndex
from ltr_train.data.bend import Bend
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.cv2_layers import painted
from ltr_train.data.cv2_photometry import changed
from ltr_train.data.facts import Facts, hull
from ltr_train.data.geometry import bounds, linear, translation
from ltr_train.data.packing import pack
from ltr_train.data.pairs import KINDS, PairDataset
from ltr_train.data.photometric import Change, Defocus, MotionBlur, Noise, Resize
from ltr_train.data.plan import Plan
from ltr_train.data.render import Renderer, renderer_for
from ltr_train.data.scene import View, coverage
from ltr_train.data.sprites import cutout, deform, picture_sprite, soft_patch
from networks.config import ModelConfig
from tests.scenery import scenery

CPU = torch.device("cpu")
IDENTITY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
UNCHANGED = Change(None, None, 1.0, IDENTITY, None, None)
NO_LIGHT = {"grey": 0.0, "blur": 0.0, "low_resolution": 0.0, "jpeg": 0.0, "noise": 0.0, "weather": 0.0}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return scenery()


@pytest.fixture(scope="module")
def atlas(corpus: Corpus) -> Atlas:
    return Atlas(AtlasIndex(corpus), CPU)


def rendered(atlas: Atlas, plans: list[Plan], **settings: Any) -> list[dict[str, np.ndarray]]:
    """Pairs as a device makes them."""
    batch = Renderer(atlas, **settings)(pack(atlas.index, plans))
    return [{name: value[i].numpy() for name, value in batch.items()} for i in range(len(plans))]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference, grey levels."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_layers_agree_with_opencv(corpus: Corpus, atlas: Atlas, kind: str) -> None:
    recipe = {other: float(other == kind) for other in KINDS} | NO_LIGHT
    pairs = PairDataset(corpus, PairConfig(**recipe, holdout=0.0, distractor=0.9, clutter=0.9, occluder=0.9), 2)
    plans = [pairs.plan(i) for i in range(12)]
    for plan, device in zip(plans, rendered(atlas, plans), strict=True):
        worker = plan.realised()
        for name in ("template", "search"):
            assert worker[name].dtype == device[name].dtype
            assert difference(worker[name], device[name]) < 0.5
        for name in ("template_box", "search_box", "present", "kind"):
            assert worker[name].dtype == device[name].dtype
            np.testing.assert_array_equal(worker[name], device[name])


def test_whole_pairs_agree_with_opencv(corpus: Corpus, atlas: Atlas) -> None:
    pairs = PairDataset(corpus, PairConfig(holdout=0.0, jpeg=0.5, blur=0.5, noise=0.4, grey=0.2, weather=0.3), 4)
    plans = [pairs.plan(i) for i in range(40)]
    for plan, device in zip(plans, rendered(atlas, plans), strict=True):
        worker = plan.realised()
        assert max(difference(worker[name], device[name]) for name in ("template", "search")) < 2.0


def test_a_pair_depends_neither_on_its_batch_nor_on_what_is_rendered_at_once(corpus: Corpus, atlas: Atlas) -> None:
    pairs = PairDataset(corpus, PairConfig(holdout=0.0, jpeg=0.5, blur=0.5, noise=0.4, low_resolution=0.5), 5)
    plans = [pairs.plan(i) for i in range(14)]
    together = rendered(atlas, plans)
    backwards = rendered(atlas, [pairs.plan(i) for i in reversed(range(14))], at_once=(37, 5))[::-1]
    alone = [rendered(atlas, [plan], at_once=(100_000, 100))[0] for plan in plans]
    for a, b, c in zip(together, backwards, alone, strict=True):
        for name, value in a.items():
            np.testing.assert_array_equal(value, b[name])
            np.testing.assert_array_equal(value, c[name])


def test_crops_of_any_size(corpus: Corpus, atlas: Atlas) -> None:
    sizes = ModelConfig(template_size=80, search_size=208)
    plans = [PairDataset(corpus, PairConfig(holdout=0.0), 1, sizes).plan(i) for i in range(6)]
    for plan, device in zip(plans, rendered(atlas, plans), strict=True):
        assert device["template"].shape == (80, 80, 3)
        assert device["search"].shape == (208, 208, 3)
        assert difference(device["search"], plan.realised()["search"]) < 2.0


@pytest.mark.parametrize("scale", [0.07, 0.3, 0.66, 0.7, 1.0, 2.5])
def test_a_picture_at_every_scale(corpus: Corpus, atlas: Atlas, scale: float) -> None:
    """From the smallest stored size up, with a fading border, one without, and none of the picture's edges missed."""
    picture = corpus.pictures[0]
    camera = translation(9.3, 14.8) @ linear(17.0, scale, scale)
    outline = np.array([[0.0, 0.0], [30.0, 30.0], [0.0, 30.0]])
    views = []
    for ramp in (0.0, 8.0):
        sprites = [picture_sprite(picture, ramp)]
        views.append(View(camera, 64, sprites, bounds(outline), outline, (20.0, 60.0, 200.0)))
    box = np.zeros(4, np.float32)
    plan = Plan((views[0], views[1]), (UNCHANGED, UNCHANGED), False, box, box, True, 0)
    device = rendered(atlas, [plan])[0]
    for view, name in zip(views, ("template", "search"), strict=True):
        assert difference(painted(view), device[name]) < 0.5
        assert (device[name] != (20, 60, 200)).any()


CHANGES = {
    "defocus": (replace(UNCHANGED, blur=Defocus(1.7)), 0.6),
    "motion": (replace(UNCHANGED, blur=MotionBlur(9, 0.7)), 0.6),
    "area and linear": (replace(UNCHANGED, resize=Resize(29, area=True, cubic=False)), 0.6),
    "sampled and cubic": (replace(UNCHANGED, resize=Resize(37, area=False, cubic=True)), 0.6),
    "saturation": (replace(UNCHANGED, saturation=0.4), 0.6),
    "more saturation": (replace(UNCHANGED, saturation=1.6), 0.6),
    "table": (replace(UNCHANGED, table=IDENTITY[::-1] // 2), 0.0),
    "coloured noise": (replace(UNCHANGED, noise=Noise(True, 100, 3, 0.15)), 0.6),
    "grey noise": (replace(UNCHANGED, noise=Noise(False, 0, 200, 0.08)), 0.6),
    "good file": (replace(UNCHANGED, quality=90), 1.5),
    "bad file": (replace(UNCHANGED, quality=15), 1.5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_photometric_step_agrees_with_opencv(corpus: Corpus, atlas: Atlas, name: str) -> None:
    """The tolerance is in grey levels, of the mean absolute difference; the step itself changes far more."""
    change, tolerance = CHANGES[name]
    crop = cv2.resize(corpus.pictures[1].image, (80, 80), interpolation=cv2.INTER_AREA)
    outline = np.array([[0.0, 0.0], [30.0, 30.0], [0.0, 30.0]])
    view = View(np.eye(3), 80, [picture_sprite(corpus.pictures[0])], bounds(outline), outline)
    box = np.zeros(4, np.float32)
    packed = pack(atlas.index, [Plan((view, view), (change, UNCHANGED), False, box, box, True, 0)])
    crops = torch.from_numpy(np.stack([crop, crop]).astype(np.uint8))
    arguments = (packed[key] for key in ("view_numbers", "view_factors", "tables", "kernels"))
    first, second = torch_photometry.changed(atlas, crops, *arguments).numpy()
    expected = changed(np.asarray(crop, np.uint8), change)
    assert difference(first, expected) <= tolerance
    assert difference(expected, crop) > 2.0 * tolerance
    np.testing.assert_array_equal(second, crop)


def test_an_outline_follows_a_bend(corpus: Corpus) -> None:
    """The box of a bent cut-out, found without its pixels, is that of its pixels."""
    annotation = corpus.annotations[0]
    mask, rng = annotation.mask, np.random.default_rng(0)
    assert mask is not None
    bent = 0
    for _ in range(20):
        sprite = deform(Facts(), cutout(Facts(), corpus.pictures[0], annotation), rng, 0.04)
        camera = translation(-mask.x + 20.0, -mask.y + 20.0) @ np.linalg.inv(sprite.matrix)
        white = replace(corpus.pictures[0], kept=np.full_like(corpus.pictures[0].image, 255))
        view = View(camera, 96, [replace(sprite, picture=white)], (0, 0, 1, 1), np.zeros((3, 2)), (0.0, 0.0, 0.0))
        x, y, w, h = cv2.boundingRect((painted(view)[..., 0] > 127).astype(np.uint8))
        np.testing.assert_allclose(
            np.add(bounds(sprite.outline), (20 - mask.x, 20 - mask.y, 0, 0)), (x, y, w, h), atol=2
        )
        bent += int(sprite.bend is not None)
    assert bent > 5


@given(st.integers(0, 2**32 - 1))
def test_points_moved_by_a_bend_show_what_was_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bend = Bend(rng.normal(0.0, 0.5, (2, 4, 4)), (3.0, -5.0, 60.0, 40.0))
    points = rng.uniform((-10.0, -10.0), (70.0, 50.0), (20, 2))
    moved = bend.moved(points)
    assert moved is not None
    np.testing.assert_allclose(moved + bend.displacement(moved), points, atol=0.05)
    xs, ys = np.array([4.0, 30.0]), np.array([-3.0, 7.0, 20.0])
    grid = bend.grid(xs, ys)
    np.testing.assert_allclose(grid[:, 2, 1], bend.displacement(np.array([[30.0, 20.0]]))[0], atol=1e-5)


def test_a_field_that_folds_is_refused() -> None:
    rng = np.random.default_rng(0)
    bend = Bend(rng.normal(0.0, 60.0, (2, 4, 4)), (0.0, 0.0, 60.0, 40.0))
    assert bend.moved(rng.uniform(0.0, 40.0, (50, 2))) is None


def test_coverage_counts_the_hidden_share(corpus: Corpus) -> None:
    """A patch over the left half of a square target hides half of it, and one beside it nothing."""
    target = np.array([[20.0, 20.0], [60.0, 20.0], [60.0, 60.0], [20.0, 60.0]])
    view = View(np.eye(3), 128, [], bounds(target), hull(target))
    half = soft_patch(corpus.pictures[0], (10.0, 10.0, 40.0, 80.0), 50).moved(translation(20.0, 40.0))
    assert coverage(half, view) == pytest.approx(0.5, abs=0.06)
    assert coverage(half.moved(translation(60.0, 0.0)), view) == 0.0
    assert coverage(picture_sprite(corpus.pictures[0]), view) == 0.0


def test_the_atlas_must_fit(corpus: Corpus) -> None:
    assert renderer_for(corpus, CPU, "auto", 8.0) is None
    assert renderer_for(corpus, CPU, "workers", 8.0) is None
    assert renderer_for(corpus, CPU, "device", 8.0) is not None
    with pytest.raises(ValueError, match=r"data\.atlas_gb 0\.0001.*raise data\.atlas_gb"):
        renderer_for(corpus, CPU, "device", 0.0001)


def test_rendering_never_waits_for_the_device(corpus: Corpus) -> None:
    """A meta tensor has no values: to ask for one, or to mix devices, is an error."""
    atlas = Atlas(AtlasIndex(corpus), torch.device("meta"))
    pairs = PairDataset(corpus, PairConfig(holdout=0.0, jpeg=0.5, blur=0.5, noise=0.5, low_resolution=0.5), 0)
    batch = Renderer(atlas)(pack(atlas.index, [pairs.plan(i) for i in range(20)]))
    assert {value.device.type for value in batch.values()} == {"meta"}
    assert batch["search"].shape == (20, 256, 256, 3)
