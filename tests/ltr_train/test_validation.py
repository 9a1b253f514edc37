"""Validation by tracking: what is tracked, and what is said of it."""

import copy
import math
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from evaluation.sequences import read_sequences
from ltr_train.data.bank import in_split
from ltr_train.data.config import PairConfig
from ltr_train.data.rendered import RenderedClip
from ltr_train.validation import ValidationConfig, validate_by_tracking, validation_clips
from ltr_train.validation_clips import LEAST_FRAMES, Clip, held_out_clips
from networks.config import BackboneConfig, ModelConfig
from networks.model import EnergyTracker
from networks.posterior import Posterior
from tests.ltr_train.scenes import load_scenes, write_scenes
from tracker.config import TrackerConfig
from tracker.state import State
from tracker.template import Views

SMALL = ModelConfig(
    backbone=BackboneConfig(stem_width=8, widths=(8, 8, 16), depths=(1, 1, 1)),
    channels=16,
    proposal_width=16,
    energy_width=16,
    bins=2,
    template_size=32,
    search_size=64,
)
TRACKER = TrackerConfig(samples=16)
PAIRS = PairConfig(holdout=0.5, background_only=("loose",))
BOX = (40.0, 30.0, 20.0, 16.0)


@dataclass
class FakePicture:
    """Noise of its own with a bright target in it; counts how often it is decoded."""

    source: str
    clip: str
    frame: int
    width: int = 120
    height: int = 80
    decoded: int = field(default=0)

    @property
    def image(self) -> np.ndarray:
        self.decoded += 1
        seed = sum(map(ord, self.clip))
        noise = np.random.default_rng(seed).integers(0, 120, (self.height // 8, self.width // 8, 3), np.uint8)
        image = cv2.resize(noise, (self.width, self.height))
        x, y, w, h = map(int, BOX)
        cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), (255, 255, 255), -1)
        return image


class Pictures:
    """A corpus that grows by clips and stills."""

    def __init__(self) -> None:
        self.corpus: Any = SimpleNamespace(pictures=[], annotations=[], tracks=[])

    def add_clip(self, source: str, name: str, annotated: list[bool], size: tuple[int, int] = (120, 80)) -> None:
        corpus, members = self.corpus, []
        for frame, there in enumerate(annotated):
            if there:
                members.append(len(corpus.annotations))
                corpus.annotations.append(
                    SimpleNamespace(picture=len(corpus.pictures), box=BOX, track=len(corpus.tracks))
                )
            corpus.pictures.append(FakePicture(source, f"{source}/{name}", 2 * frame, *size))
        corpus.tracks.append(tuple(members))

    def add_still(self, source: str, name: str, box: tuple[float, float, float, float] = BOX) -> None:
        corpus = self.corpus
        corpus.annotations.append(SimpleNamespace(picture=len(corpus.pictures), box=box, track=None))
        corpus.pictures.append(FakePicture(source, f"{source}/{name}", 0))


def held_out_names(source: str, count: int, split: str = "val") -> list[str]:
    config = PAIRS.model_copy(update={"split": split})
    return list(islice((str(i) for i in range(1000) if in_split(f"{source}/{i}", config)), count))


def test_held_out_tracks_become_clips_with_nan_where_they_are_not_annotated() -> None:
    made = Pictures()
    (name,) = held_out_names("video", 1)
    annotated = [False, True, True, False] + [True] * 8 + [False]
    made.add_clip("video", name, annotated)
    made.add_clip("video", held_out_names("video", 1, "train")[0], annotated)
    made.add_clip("loose", held_out_names("loose", 1)[0], annotated)
    made.add_clip("short", held_out_names("short", 1)[0], [True] * (LEAST_FRAMES - 1))
    (clip,) = held_out_clips(made.corpus, PAIRS, 5, 60, 0)
    assert clip.origin == f"video/{name}"
    # From the track's first frame to the clip's end.
    assert np.isnan(clip.groundtruth[:, 0]).tolist() == [not there for there in annotated[1:]]
    assert clip.groundtruth[0].tolist() == list(BOX)
    frames = list(clip.frames())
    assert len(frames) == len(clip.groundtruth)
    np.testing.assert_array_equal(frames[0], made.corpus.pictures[1].image)


def test_clips_are_cut_to_the_most_frames_and_spread_evenly_over_sources() -> None:
    made = Pictures()
    for name in held_out_names("large", 9):
        made.add_clip("large", name, [True] * 40)
    for name in held_out_names("small", 2):
        made.add_clip("small", name, [True] * 40)
    clips = held_out_clips(made.corpus, PAIRS, 5, 20, 0)
    assert sorted(clip.source for clip in clips) == ["large"] * 3 + ["small"] * 2
    assert {len(clip.groundtruth) for clip in clips} == {20}
    assert len({clip.origin for clip in clips}) == 5


def test_a_third_of_the_clips_lose_their_target_to_frames_of_another_and_get_it_back() -> None:
    made = Pictures()
    for name in held_out_names("wide", 3):
        made.add_clip("wide", name, [True] * 24)
    for name in held_out_names("tall", 3):
        made.add_clip("tall", name, [True] * 24, (80, 120))
    clips = held_out_clips(made.corpus, PAIRS, 6, 24, 0)
    interrupted = [clip for clip in clips if np.isnan(clip.groundtruth[:, 0]).any()]
    assert len(interrupted) == 2
    for clip in interrupted:
        absent = np.isnan(clip.groundtruth[:, 0])
        first, last = int(absent.argmax()), int(len(absent) - 1 - absent[::-1].argmax())
        assert absent[first : last + 1].all()
        assert last - first + 1 == 6
        assert first >= 6
        assert last < len(absent) - 1
        assert len(absent) == 24
        pictures = [view.picture for view in clip.views]
        assert {picture.source for picture in pictures[first : last + 1]} == {"wide", "tall"} - {clip.source}
        # The clip goes on where it stopped.
        assert [p.frame for p in pictures[:first] + pictures[last + 1 :]] == [2 * i for i in range(18)]
        assert {frame.shape[:2] for frame in clip.frames()} == {clip.size[::-1]}


def test_stills_under_a_moving_camera_make_up_the_number_with_exact_boxes() -> None:
    made = Pictures()
    (track,) = held_out_names("video", 1)
    made.add_clip("video", track, [True] * 10)
    for name in held_out_names("still", 9):
        made.add_still("still", name)
    made.add_still("huge", held_out_names("huge", 1)[0], (0.0, 0.0, 110.0, 70.0))
    clips = held_out_clips(made.corpus, PAIRS, 4, 30, 0)
    assert [clip.source for clip in clips] == ["video", "still", "still", "still"]
    whole = [clip for clip in clips[1:] if np.isfinite(clip.groundtruth).all()]
    assert len(whole) == 2
    for clip in whole:
        moved = np.ptp(clip.groundtruth, axis=0)
        assert (moved[:2] > 5).all()
        assert moved[2] > 1
        for frame, box in zip(clip.frames(), clip.groundtruth, strict=True):
            found = cv2.boundingRect((frame.min(2) > 187).astype(np.uint8))
            np.testing.assert_allclose(found, box, atol=2.1)


def test_the_choice_is_a_function_of_the_seed_and_decodes_nothing() -> None:
    made = Pictures()
    for name in held_out_names("a", 5):
        made.add_clip("a", name, [True] * 20)
    for name in held_out_names("b", 20):
        made.add_still("b", name)

    def chosen(seed: int) -> list[tuple[str, bytes]]:
        return [(c.name, c.groundtruth.tobytes()) for c in held_out_clips(made.corpus, PAIRS, 9, 30, seed)]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
    assert sum(picture.decoded for picture in made.corpus.pictures) == 0


def test_nothing_held_out_gives_no_clips_and_no_figures() -> None:
    assert held_out_clips(Pictures().corpus, PAIRS, 3, 30, 0) == []
    made = Pictures()
    made.add_still("a", held_out_names("a", 1, "train")[0])
    clips = validation_clips(made.corpus, PAIRS, ValidationConfig(), 0)
    assert validate_by_tracking(EnergyTracker(SMALL), clips, TRACKER, 2, 0) == {}


def test_a_folder_of_sequences_is_tracked_instead(tmp_path: Path) -> None:
    for name in "abcde":
        folder = tmp_path / name
        folder.mkdir()
        writer = cv2.VideoWriter(str(folder / "video.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
        for _ in range(20):
            writer.write(np.full((48, 64, 3), 90, np.uint8))
        writer.release()
        (folder / "groundtruth.txt").write_text("10,10,20,20\n" * 20)
    config = ValidationConfig(clips=3, frames=16, sequences=tmp_path)
    clips = validation_clips(Pictures().corpus, PAIRS, config, 0)
    assert [clip.name for clip in clips] == ["a", "c", "e"]
    assert {len(clip.groundtruth) for clip in clips} == {len(list(clip.frames())) for clip in clips} == {16}
    figures = validate_by_tracking(EnergyTracker(SMALL), clips, TRACKER, 2, 0)
    assert {"track_ao", "track_sr50"} <= set(figures)
    assert {"track_presence_auroc", "track_presence_ece"} & set(figures) == set()
    assert not any(isinstance(clip, RenderedClip) for clip in clips)
    assert len(read_sequences(tmp_path)[0].groundtruth) == 20
    with pytest.raises(ValueError, match="no folder"):
        validation_clips(Pictures().corpus, PAIRS, ValidationConfig(sequences=tmp_path / "none"), 0)
    with pytest.raises(ValidationError, match="frames"):
        ValidationConfig(frames=4)


def test_clips_rendered_of_what_is_held_out_are_tracked_beside_the_real_ones(tmp_path: Path) -> None:
    corpus = load_scenes(write_scenes(tmp_path))
    pairs = PairConfig(holdout=0.4)
    clips = validation_clips(corpus, pairs, ValidationConfig(clips=2, rendered=4, frames=32), 0)
    real, rendered = clips[:2], clips[2:]
    assert all(isinstance(clip, Clip) for clip in real)
    assert [clip.name for clip in rendered] == [f"rendered_val_0_{number:04d}" for number in range(4)]
    assert [bool(np.isnan(clip.groundtruth).any()) for clip in rendered] == [False, True, False, True]
    assert {len(clip.groundtruth) for clip in rendered} == {32}
    held_out = pairs.model_copy(update={"split": "val"})
    for clip in rendered:
        assert isinstance(clip, RenderedClip)
        used = {sprite.picture.clip for actor in clip.stage.actors for sprite in actor.sprites}
        assert all(in_split(name, held_out) for name in used)
    figures = validate_by_tracking(EnergyTracker(SMALL), rendered, TRACKER, 2, 0)
    assert all(math.isfinite(value) for value in figures.values())
    assert len(validation_clips(corpus, pairs, ValidationConfig(clips=2, rendered=0, frames=32), 0)) == 2


def two_clips() -> list[Clip]:
    made = Pictures()
    for name in held_out_names("a", 2):
        made.add_clip("a", name, [True] * 16)
    return held_out_clips(made.corpus, PAIRS, 2, 16, 0)


def test_figures_are_finite_reproducible_and_leave_the_model_in_training_as_it_is() -> None:
    torch.manual_seed(0)
    model = EnergyTracker(SMALL).train()
    before = copy.deepcopy(model.state_dict())
    random_state = torch.get_rng_state()
    clips = two_clips()
    figures = validate_by_tracking(model, clips, TRACKER, 2, 0)
    assert {"track_ao", "track_sr50", "track_presence_auroc", "track_presence_ece"} <= set(figures)
    assert all(math.isfinite(value) for value in figures.values())
    assert validate_by_tracking(model, clips, TRACKER, 2, 0) == figures
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_a_tracker_that_stays_where_it_began_is_right_on_clips_that_do_not_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stay(
        model: EnergyTracker, state: State, crops: torch.Tensor, config: TrackerConfig
    ) -> tuple[State, Posterior, Views]:
        samples = state.box.unsqueeze(1).expand(-1, config.samples, -1)
        even = torch.full(samples.shape[:2], -math.log(config.samples))
        found = Posterior(samples, even, torch.zeros(len(even)), torch.full((len(even),), 0.75))
        return state, found, Views(torch.zeros(0, dtype=torch.int64), state.box[:0])

    monkeypatch.setattr("tracker.online.step", stay)
    figures = validate_by_tracking(EnergyTracker(SMALL), two_clips(), TRACKER, 2, 0)
    assert figures["track_ao"] == pytest.approx(1)
    assert (figures["track_sr50"], figures["track_coverage90"], figures["track_sharpness90"]) == (1, 1, 0)
    assert figures["track_presence_auroc"] == 0.5
    assert figures["track_presence_ece"] == pytest.approx(0.25)
