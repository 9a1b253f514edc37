"""Rendered clips: their ground truth against their pixels, absence, smoothness, and where they come from."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr_train.data.bank import Bank, in_split
from ltr_train.data.clip_config import RenderConfig
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.geometry import translation
from ltr_train.data.opacity import Masked, ellipse
from ltr_train.data.paths import around, slowed, visit, wander
from ltr_train.data.rendered import ABSENT, RenderedClip, rendered_clips
from ltr_train.data.scene import Tint
from ltr_train.data.sprites import picture_sprite, soft_patch
from ltr_train.data.stage import Actor, Stage
from networks.config import ModelConfig
from tests.ltr_train.scenes import load_scenes, write_scenes

PAIRS = PairConfig(holdout=0.4)
SHORT = RenderConfig(clips=6, frames=40, width=256, height=192)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return load_scenes(write_scenes(tmp_path_factory.mktemp("scenes")))


@pytest.fixture(scope="module")
def sharp(corpus: Corpus) -> list[RenderedClip]:
    """Clips without motion blur, in all of which the target leaves."""
    config = SHORT.model_copy(update={"shutter": 0.0, "leaving": 1.0, "occluders": 1.0, "clips": 10})
    return rendered_clips(corpus, PAIRS, config, 1)


def difference(clip: RenderedClip, number: int, without: list[int]) -> np.ndarray:
    """Where the target shows, when some others are left out: H x W grey levels."""
    stage = clip.stage
    shown, bare = (stage.frame(number, [*without, *more]).astype(int) for more in ([], [stage.target]))
    return np.abs(shown - bare).max(axis=2)


def in_front(clip: RenderedClip) -> list[int]:
    return list(range(clip.stage.target + 1, len(clip.stage.actors)))


def test_a_clip_depends_on_seed_and_number_alone(corpus: Corpus) -> None:
    first, second = (rendered_clips(corpus, PAIRS, SHORT.model_copy(update={"clips": n}), 3) for n in (3, 2))
    for one, other in zip(first, second, strict=False):
        assert one.name == other.name
        np.testing.assert_array_equal(one.groundtruth, other.groundtruth)
        for number, (a, b) in enumerate(zip(one.frames(), other.frames(), strict=True)):
            if number % 9 == 0:
                assert a.shape == (192, 256, 3)
                np.testing.assert_array_equal(a, b)
    (elsewhere,) = rendered_clips(corpus, PAIRS, SHORT.model_copy(update={"clips": 1}), 4)
    assert not np.array_equal(elsewhere.extents, first[0].extents)


def test_boxes_are_those_of_the_pixels_that_the_target_changes(sharp: list[RenderedClip]) -> None:
    checked = 0
    for clip in sharp:
        truth = clip.groundtruth
        for number in range(0, len(truth), 5):
            if np.isnan(truth[number, 0]):
                continue
            # What stands before the target belongs to its whole extent.
            found = cv2.boundingRect((difference(clip, number, in_front(clip)) > 12).astype(np.uint8))
            x, y, w, h = truth[number]
            corners = (found[0], found[1], found[0] + found[2], found[1] + found[3])
            np.testing.assert_allclose(corners, (x, y, x + w, y + h), atol=3.5)
            checked += 1
    assert checked > 30


def test_the_visible_share_is_that_of_the_pixels(sharp: list[RenderedClip]) -> None:
    partly = 0
    for clip in sharp:
        x, y, w, h = clip.extents.T
        outside = (x >= clip.stage.size[0]) | (y >= clip.stage.size[1]) | (x + w <= 0) | (y + h <= 0)
        assert (clip.visible[outside] == 0).all()
        inside = (x > 0) & (y > 0) & (x + w < clip.stage.size[0]) & (y + h < clip.stage.size[1])
        for number in np.flatnonzero(inside)[::3]:
            whole = np.count_nonzero(difference(clip, number, in_front(clip)) > 12)
            shown = np.count_nonzero(difference(clip, number, []) > 12)
            assert clip.visible[number] == pytest.approx(shown / whole, abs=0.12)
            partly += 0.1 < clip.visible[number] < 0.9
    assert partly > 3


def test_targets_leave_and_return_in_the_stated_share_and_nowhere_else(
    corpus: Corpus, sharp: list[RenderedClip]
) -> None:
    assert len(sharp) == 10
    hidden = 0
    for clip in sharp:
        absent = np.isnan(clip.groundtruth[:, 0])
        np.testing.assert_array_equal(absent, clip.visible < ABSENT)
        first, last = int(absent.argmax()), int(len(absent) - 1 - absent[::-1].argmax())
        assert first > 0
        assert last - first >= 2
        assert last < len(absent) - 1
        middle = clip.extents[absent, :2] + 0.5 * clip.extents[absent, 2:]
        hidden += bool(((middle > 0) & (middle < clip.stage.size)).all())
    assert 0 < hidden < len(sharp)
    half = rendered_clips(corpus, PAIRS, SHORT, 0)
    assert [bool(np.isnan(clip.groundtruth).any()) for clip in half] == [False, True] * 3
    staying = rendered_clips(corpus, PAIRS, SHORT.model_copy(update={"leaving": 0.0, "occluders": 1.0}), 2)
    assert all(np.isfinite(clip.groundtruth).all() for clip in staying)


def test_targets_return_from_elsewhere_if_they_are_to(corpus: Corpus) -> None:
    config = SHORT.model_copy(update={"leaving": 1.0, "elsewhere": True, "frames": 96, "clips": 4, "shutter": 0.0})
    clips = rendered_clips(corpus, PAIRS, config, 1)
    assert len(clips) > 2
    bound = np.array([config.width, config.height])
    for clip in clips:
        outside = np.flatnonzero(clip.visible == 0)
        gone, back = int(outside[0]), int(outside[-1])
        # Out in one go, unseen all the while, and long enough back to be looked for.
        assert len(outside) == back - gone + 1 >= config.frames // 6
        assert back < config.frames * 3 // 4
        middles = (clip.extents[:, :2] + 0.5 * clip.extents[:, 2:]) / bound - 0.5
        exit_, entry = (math.atan2(*middles[number]) for number in (gone, back))
        # A quarter turn, but for the way that the target was outside when it was first and last wholly unseen.
        assert math.cos(exit_ - entry) < 0.6
        steps = np.linalg.norm(np.diff(clip.extents[:, :2] + 0.5 * clip.extents[:, 2:], axis=0), axis=1)
        seen = np.flatnonzero(clip.visible[:-1] > 0)
        assert (steps[seen] <= config.speed * np.sqrt(clip.extents[seen, 2] * clip.extents[seen, 3]) + 1e-9).all()
        for number in (gone + 2, (gone + back) // 2, back - 2):
            assert difference(clip, number, []).max() == 0
    short = config.model_copy(update={"frames": 16})
    assert rendered_clips(corpus, PAIRS, short, 1) == []


def test_targets_move_smoothly_and_are_of_fit_size(corpus: Corpus, sharp: list[RenderedClip]) -> None:
    for clip in [*sharp, *rendered_clips(corpus, PAIRS, SHORT, 5)]:
        extents = clip.extents
        centres, sizes = extents[:, :2] + 0.5 * extents[:, 2:], np.sqrt(extents[:, 2] * extents[:, 3])
        steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
        assert (steps <= SHORT.speed * sizes[:-1] + 1e-9).all()
        # Nor does the speed jump, so that the last steps tell the next.
        assert np.abs(np.diff(centres, 2, axis=0)).max() < 0.25 * sizes.max()
        assert steps.sum() > 0.3 * sizes[0]
        shown = extents[clip.visible >= ABSENT]
        assert (shown[:, 2:] >= 12).all()
        assert (shown[:, 2:] <= np.array(clip.stage.size) / 2).all()
        assert clip.visible[0] > 0.8


@pytest.mark.parametrize("split", ["train", "val"])
def test_clips_are_made_of_their_split_alone(corpus: Corpus, split: str) -> None:
    pairs = PairConfig.model_validate(PAIRS.model_dump() | {"split": split})
    clips = rendered_clips(corpus, pairs, SHORT, 0)
    used = {s.picture.clip for clip in clips for actor in clip.stage.actors for s in actor.sprites}
    assert len(used) > 2
    assert all(in_split(name, pairs) for name in used)
    with pytest.raises(ValueError, match="'val' split is empty"):
        rendered_clips(corpus, PairConfig(holdout=0.0, split="val"), SHORT, 0)


def test_an_object_of_a_clip_is_shown_with_its_successive_masks(corpus: Corpus) -> None:
    bank = Bank(corpus, PairConfig(holdout=0.0), ModelConfig())
    track = [corpus.annotations[i] for i in corpus.tracks[0]]
    shown = bank.succession(track[2], 30)
    there = track[2:]
    assert shown == (there + there[-2:0:-1] + there)[:30]
    assert bank.succession(track[-3], 5) == [track[-3]] * 5
    still = next(a for a in corpus.annotations if a.track is None)
    assert bank.succession(still, 5) == [still] * 5
    config = SHORT.model_copy(update={"patch": 0.0, "clips": 12})
    looks = [clip.stage.actors[clip.stage.target].sprites for clip in rendered_clips(corpus, PAIRS, config, 0)]
    masks = [{s.opacity.annotation for s in sprites if isinstance(s.opacity, Masked)} for sprites in looks]
    lengths = {len(found) for found in masks}
    assert min(lengths) == 1
    assert max(lengths) >= 8
    # Stills change shape, too.
    assert any(len(found) == 1 and sprites[0].bend is not None for found, sprites in zip(masks, looks, strict=True))


def test_a_moving_layer_is_smeared_along_its_way(corpus: Corpus) -> None:
    ground = picture_sprite(corpus.pictures[0])
    patch = soft_patch(corpus.pictures[0], (60.0, 60.0, 30.0, 30.0), ellipse(12.0))
    patch = patch.tinted(Tint(np.zeros(3), np.full(3, 255.0), np.arange(3)))
    way = np.stack([translation(60.0 + 12.0 * frame, 90.0) for frame in range(5)])
    still = np.tile(np.eye(3), (5, 1, 1))
    widths = []
    for shutter in (0.0, 1.0):
        stage = Stage([Actor([ground] * 5, still), Actor([patch] * 5, way)], 1, (240, 180), shutter)
        changed = np.abs(stage.frame(2).astype(int) - stage.frame(2, [1])).max(axis=2) > 3
        widths.append(cv2.boundingRect(changed.astype(np.uint8))[2])
        assert stage.clear(2)[1] == 1.0
    assert widths[1] - widths[0] == pytest.approx(12, abs=3)


def test_a_corpus_without_objects_gives_clips_of_patches(tmp_path: Path) -> None:
    root = write_scenes(tmp_path, stills=8, clips=0)
    for file in root.glob("*/annotations.json"):
        file.write_text(file.read_text().replace('"annotations": [{', '"annotations": [], "left_out": [{'))
    clips = rendered_clips(load_scenes(root), PairConfig(holdout=0.0), SHORT, 0)
    assert clips
    assert {clip.category for clip in clips} == {"patch"}


@given(st.integers(0, 2**32 - 1), st.floats(20, 60), st.floats(0.1, 9))
def test_courses_are_smooth_and_slow_enough(seed: int, shortest: float, most: float) -> None:
    rng = np.random.default_rng(seed)
    course = wander(rng, 80, 2, shortest, 3 * shortest)
    assert np.abs(course).max() <= 3 * math.sqrt(2 / 3) + 1e-9
    assert np.abs(np.diff(course, axis=0)).max() <= math.sqrt(6) * 2 * math.pi / shortest
    path = slowed(40 * course, most)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() <= most * (1 + 1e-9)
    np.testing.assert_allclose(path.mean(axis=0), 40 * course.mean(axis=0), atol=1e-9)


@given(st.floats(-10, 10), st.floats(1, 500), st.floats(1, 500))
def test_a_way_around_keeps_to_the_rectangle_and_to_its_angle(angle: float, across: float, down: float) -> None:
    ((x, y),) = around(np.array([across, down]), np.array([angle]))
    assert max(abs(x) / across, abs(y) / down) == pytest.approx(1.0)
    assert math.cos(math.atan2(y, x) - angle) == pytest.approx(1.0)


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 20))
def test_a_visit_goes_there_stays_and_comes_back(start: int, ramp: int, stay: int) -> None:
    way = visit(90, start, ramp, stay)
    assert (way[: start + 1] == 0).all()
    assert (way[start + ramp : start + ramp + stay + 1] == 1).all()
    assert (way[start + 2 * ramp + stay :] == 0).all()
    assert np.abs(np.diff(way)).max() <= 1.5 / ramp + 1e-9
