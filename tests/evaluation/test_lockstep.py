"""Tracking in lock step: each sequence as if alone, read once, a few at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch

import ebtrack
from evaluation.lockstep import SequenceFailure, SequenceResult, track_in_lockstep, track_sequences
from tracker import online
from tracker.config import TrackerConfig

FEW = TrackerConfig(samples=32)
# Every target is lost in every frame, and every search finds it somewhere.
LOST = TrackerConfig(samples=32, present_above=1.0, found_above=0.0, search_after=1)
# Every view that may be kept is kept.
RENEWED = TrackerConfig(samples=32, template_share=0.5, template_every=2, template_above=0.0, template_known=0.0)


@dataclass
class Moving:
    """A bright patch that moves over noise; frames may come in two sizes."""

    name: str
    length: int
    size: tuple[int, int]
    later: tuple[int, int] | None = None
    annotated: int | None = None
    box: tuple[float, float, float, float] = (40.0, 30.0, 24.0, 20.0)
    open_now: ClassVar[int] = 0
    most_open: ClassVar[int] = 0

    @property
    def groundtruth(self) -> np.ndarray:
        boxes = np.tile(self.box, (self.annotated or self.length, 1))
        boxes[:, 0] += 3.0 * np.arange(len(boxes))
        return boxes

    def frames(self) -> Iterator[np.ndarray]:
        Moving.open_now += 1
        Moving.most_open = max(Moving.most_open, Moving.open_now)
        noise = np.random.default_rng(len(self.name)).integers(0, 120, (self.size[1] // 8, self.size[0] // 8, 3))
        for t in range(self.length):
            frame = cv2.resize(noise.astype(np.uint8), self.size, interpolation=cv2.INTER_CUBIC)
            cv2.rectangle(frame, (40 + 3 * t, 30), (64 + 3 * t, 50), (250, 240, 90), -1)
            yield cv2.resize(frame, self.later) if self.later and t > 1 else frame
        Moving.open_now -= 1


SEQUENCES = [
    Moving("long", 6, (160, 120)),
    Moving("one frame", 1, (96, 96)),
    Moving("short", 3, (200, 100)),
    Moving("changes size", 5, (160, 120), (120, 90)),
    Moving("last", 4, (128, 160)),
]


def alone(tracker: ebtrack.Tracker, sequence: Moving) -> list[ebtrack.Track]:
    frames = sequence.frames()
    tracker.init(next(frames), sequence.groundtruth[0])
    tracks = [tracker.update(frame) for frame in frames]
    return [track for track in tracks if isinstance(track, ebtrack.Track)]


def assert_like_single_runs(tracker: ebtrack.Tracker, results: list[SequenceResult], levels: tuple[float, ...]) -> None:
    assert [result.name for result in results] == [sequence.name for sequence in SEQUENCES]
    for sequence, result in zip(SEQUENCES, results, strict=True):
        tracks = alone(tracker, sequence)
        assert len(result.boxes) == len(tracks) + 1 == sequence.length
        assert result.boxes[0].tolist() == pytest.approx(sequence.groundtruth[0].tolist())
        for row in (result.presence, result.ess, result.low, result.high):
            assert np.isnan(row[..., :1, :] if row.ndim == 3 else row[:1]).all()
        for t, track in enumerate(tracks, 1):
            np.testing.assert_allclose(result.boxes[t], track.box, atol=0.05)
            assert result.presence[t] == pytest.approx(track.presence, abs=1e-3)
            assert result.ess[t] == pytest.approx(float(track.posterior.ess), rel=0.02)
            for number, level in enumerate(levels):
                low, high = track.posterior.interval(level)
                np.testing.assert_allclose(result.low[number, t], low, atol=0.1)
                np.testing.assert_allclose(result.high[number, t], high, atol=0.1)


@pytest.mark.parametrize("batch", [2, 9])
def test_a_batch_of_sequences_is_tracked_as_if_each_were_alone(untrained_weights: Path, batch: int) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", seed=3, config=FEW)
    Moving.most_open = 0
    results = track_sequences(tracker, SEQUENCES, batch, (0.9, 0.5))
    assert Moving.most_open == min(batch, len(SEQUENCES))
    assert all((result.seconds > 0).all() and len(result.seconds) == len(result.boxes) for result in results)
    assert_like_single_runs(tracker, results, (0.9, 0.5))


def test_lost_targets_are_searched_for_as_if_each_were_alone(
    untrained_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", config=LOST)
    searched: list[int] = []
    original = online.search_frame

    def counted(model: object, state: online.State, *rest: object) -> object:
        searched.append(len(state.box))
        return original(model, state, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(online, "search_frame", counted)
    results = track_sequences(tracker, SEQUENCES, 4)
    # Several at once would round by how many there are.
    assert set(searched) == {1}
    assert_like_single_runs(tracker, results, (0.9,))


@pytest.mark.parametrize("config", [FEW, LOST, RENEWED], ids=["followed", "lost", "renewed"])
def test_a_sequences_numbers_do_not_depend_on_slot_and_companions(
    untrained_weights: Path, config: TrackerConfig
) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", config=config)
    one, *others = SEQUENCES

    def bytes_of_one(sequences: list[Moving]) -> bytes:
        for number, outcome in track_in_lockstep(tracker, sequences, 4, (0.9,)):
            if sequences[number] is one:
                assert isinstance(outcome, SequenceResult)
                return b"".join(part.tobytes() for part in (outcome.boxes, outcome.presence, outcome.low))
        raise AssertionError("it did not end")

    alone = bytes_of_one([one])
    assert bytes_of_one([one, *others]) == alone
    assert bytes_of_one([*others[::-1], one]) == alone
    assert bytes_of_one([others[1], one, others[3]]) == alone


def test_a_sequence_that_fails_does_not_touch_the_others(untrained_weights: Path) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", config=FEW)
    cut = Moving("cut", 3, (96, 96), annotated=5)
    original, steps = tracker.advance, []

    def advance(state: online.State, images: list[np.ndarray]) -> object:
        # One of the frames, known by its size, makes the whole batch fail.
        steps.append(len(images))
        if any(i.shape[:2] == (100, 200) and n == 1 for i, n in zip(images, state.frame.tolist(), strict=True)):
            raise ArithmeticError("singular")
        return original(state, images)

    tracker.advance = advance  # type: ignore[assignment,method-assign]
    found = {end.outcome.name: end.outcome for end in track_in_lockstep(tracker, [cut, *SEQUENCES], 3, (0.9,))}
    failures = {name: (end.frame, str(end.error)) for name, end in found.items() if isinstance(end, SequenceFailure)}
    assert failures == {"cut": (3, "sequence cut ends after 3 frames, 5 are annotated"), "short": (2, "singular")}
    del tracker.advance
    whole = {result.name: result for result in track_sequences(tracker, SEQUENCES, 3)}
    for name in whole.keys() - {"short"}:
        end = found[name]
        assert isinstance(end, SequenceResult)
        np.testing.assert_array_equal(end.boxes, whole[name].boxes)


def test_the_callers_inference_mode_does_no_harm_and_no_sequence_gives_no_result(untrained_weights: Path) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", config=FEW)
    expected = track_sequences(tracker, SEQUENCES[2:3], 1)[0]
    with torch.inference_mode():
        found = track_sequences(tracker, SEQUENCES[2:3], 1)[0]
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    assert track_sequences(tracker, [], 3) == []


@pytest.mark.parametrize(
    ("sequence", "batch", "said"),
    [
        (Moving("nothing", 0, (96, 96), annotated=2), 1, "nothing has no frames"),
        (Moving("cut", 3, (96, 96), annotated=5), 1, "cut ends after 3 frames, 5 are annotated"),
        (Moving("more", 3, (96, 96), annotated=2), 1, "more has more frames, 2 are annotated"),
        (Moving("blind", 3, (96, 96), box=(np.nan,) * 4), 1, "blind cannot be tracked from its first frame.*finite"),
        (Moving("good", 2, (96, 96)), 0, "batch of 0"),
    ],
)
def test_a_sequence_that_cannot_be_tracked_is_named(
    untrained_weights: Path, sequence: Moving, batch: int, said: str
) -> None:
    tracker = ebtrack.load(untrained_weights, device="cpu", config=FEW)
    with pytest.raises(ValueError, match=said):
        track_sequences(tracker, [sequence], batch)
