"""The tracker as engineers use it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import ebtrack
from tracker.config import TrackerConfig

BOX = (100.0, 80.0, 40.0, 30.0)


@pytest.fixture
def frame() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    return cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def tracker(untrained_weights: Path) -> ebtrack.Tracker:
    return ebtrack.load(untrained_weights, device="cpu")


def one(tracks: ebtrack.Track | list[ebtrack.Track]) -> ebtrack.Track:
    assert isinstance(tracks, ebtrack.Track)
    return tracks


def test_a_track_has_box_presence_and_posterior_in_frame_pixels(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    tracker.init(frame, BOX)
    track = one(tracker.update(frame))
    assert len(track.box) == 4
    assert all(isinstance(value, float) for value in track.box)
    assert 0 <= track.presence <= 1
    posterior = track.posterior
    assert posterior.samples.shape == (TrackerConfig().samples, 4)
    assert posterior.mean.shape == (4,)
    assert posterior.covariance.shape == (4, 4)
    low, high = posterior.interval(0.9)
    assert bool((low < high).all())
    assert 1 <= float(posterior.ess) <= 256
    # Samples lie about the search region, whose side is four times the target's.
    assert float((posterior.samples[:, 0] - 120).abs().max()) < 4 * 35
    assert bool((posterior.samples[:, 2:] > 0).all())


def test_a_list_of_boxes_gives_a_list_of_tracks(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    tracker.init(frame, [BOX, (10, 10, 30, 30)])
    tracks = tracker.update(frame)
    assert isinstance(tracks, list)
    assert len(tracks) == 2
    tracker.init(frame, [BOX])
    assert isinstance(tracker.update(frame), list)
    tracker.init(frame, np.array(BOX))
    assert isinstance(tracker.update(frame), ebtrack.Track)
    tracker.init(frame, np.array([BOX, BOX]))
    assert isinstance(tracker.update(frame), list)


def test_a_list_tracks_each_target_as_if_alone(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    boxes = [BOX, (10.0, 10.0, 30.0, 30.0)]
    tracker.init(frame, boxes)
    together = tracker.update(frame)
    assert isinstance(together, list)
    for box, track in zip(boxes, together, strict=True):
        tracker.init(frame, box)
        alone = one(tracker.update(frame))
        assert alone.box == pytest.approx(track.box, abs=0.01)
        assert alone.presence == pytest.approx(track.presence, abs=1e-4)


def test_inference_mode_of_the_caller_does_no_harm(
    tracker: ebtrack.Tracker, untrained_weights: Path, frame: np.ndarray
) -> None:
    tracker.init(frame, BOX)
    expected = one(tracker.update(frame)).box
    with torch.inference_mode():
        tracker.init(frame, BOX)
        assert one(tracker.update(frame)).box == expected
    tracker.init(frame, BOX)
    with torch.inference_mode():
        assert one(tracker.update(frame)).box == expected
        tracker.update(cv2.resize(frame, (160, 120)))
        loaded = ebtrack.load(untrained_weights, device="cpu")
    loaded.init(frame, BOX)
    assert one(loaded.update(frame)).box == expected
    assert np.isfinite(one(tracker.update(frame)).box).all()


def test_rgb_frames_give_the_same_as_bgr(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    tracker.init(frame, BOX)
    bgr = one(tracker.update(frame))
    other = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    tracker.init(other, BOX, rgb=True)
    rgb = one(tracker.update(other, rgb=True))
    assert torch.equal(bgr.posterior.samples, rgb.posterior.samples)


def test_tracking_goes_on_when_the_frame_size_changes(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    tracker.init(frame, BOX)
    before = one(tracker.update(frame)).box
    half = cv2.resize(frame, (160, 120), interpolation=cv2.INTER_AREA)
    after = one(tracker.update(half)).box
    assert after[2] < 0.8 * before[2]
    assert 0 <= after[0] + after[2] / 2 <= 160


def test_what_cannot_be_used_is_said(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    with pytest.raises(RuntimeError, match="init"):
        tracker.update(frame)
    with pytest.raises(ValueError, match="320 x 240"):
        tracker.init(frame, (400, 10, 20, 20))
    with pytest.raises(ValueError, match="320 x 240"):
        tracker.init(frame, [BOX, (0, 0, -1, 5)])
    with pytest.raises(ValueError, match="at least one box"):
        tracker.init(frame, [])
    for wrong in (None, 7, "1,2,3,4", (1, 2, 3)):
        with pytest.raises(ValueError, match="four numbers"):
            tracker.init(frame, wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no device 'cuda:99'"):
        ebtrack.load(device="cuda:99")


def test_a_box_partly_outside_is_clipped_and_said(tracker: ebtrack.Tracker, frame: np.ndarray) -> None:
    with pytest.warns(UserWarning, match="clipped") as said:
        tracker.init(frame, (-10, -10, 60, 50))
    assert len(said) == 1
    x, y, w, h = one(tracker.update(frame)).box
    assert 0 <= x + w / 2 <= 320
    assert 0 <= y + h / 2 <= 240


def test_an_image_folder_is_tracked_frame_by_frame(untrained_weights: Path, frame: np.ndarray, tmp_path: Path) -> None:
    for i in range(4):
        cv2.imwrite(str(tmp_path / f"{i}.png"), frame)
    tracks = list(ebtrack.track(tmp_path, BOX, untrained_weights, device="cpu"))
    assert len(tracks) == 3
    assert all(isinstance(track, ebtrack.Track) for track in tracks)
