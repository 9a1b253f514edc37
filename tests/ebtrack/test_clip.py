"""The demonstration clip: drawn alike every time, and its ground truth is exact."""

from pathlib import Path

import av
import numpy as np
import pytest

from ebtrack.clip import (
    CLIP_PATH,
    FPS,
    FRAMES,
    HEIGHT,
    PILLAR,
    WIDTH,
    Image,
    camera,
    encode,
    ground_truth,
    lookalike_pose,
    read_truth,
    target_pose,
    write,
)
from ebtrack.clip_scene import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def decoded(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def bundled() -> list[Image]:
    return decoded(CLIP_PATH)


def test_two_scenes_draw_identical_frames_in_any_order(scene: Scene) -> None:
    other = Scene()
    indices = [0, 40, 72, 104]
    backwards = {index: other.frame(index) for index in reversed(indices)}
    for index in indices:
        np.testing.assert_array_equal(scene.frame(index), backwards[index])


def test_truth_in_the_package_is_what_the_geometry_says() -> None:
    np.testing.assert_allclose(read_truth(), ground_truth(), atol=5.1e-4)


@pytest.mark.parametrize("index", [0, 21, 38, 60, 72, 100, 124, 149])
def test_box_is_the_extent_of_what_is_drawn(scene: Scene, index: int) -> None:
    alpha = scene.target_alpha(index)
    ys, xs = np.nonzero(alpha > 0.05)
    drawn = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=float)
    x, y, w, h = ground_truth()[index]
    box = np.array([x, y, x + w, y + h])
    # A sliver of the outline, or drawing's blur, may touch one pixel more.
    np.testing.assert_allclose(drawn, box, atol=1.3)
    # The edge has passed the centre of every pixel that is half covered.
    ys, xs = np.nonzero(alpha > 0.5)
    slack = 0.1
    assert x <= xs.min() + 0.5 + slack
    assert xs.max() + 0.5 <= x + w + slack
    assert y <= ys.min() + 0.5 + slack
    assert ys.max() + 0.5 <= y + h + slack


def test_target_is_hidden_for_one_span_late_in_the_clip() -> None:
    absent = np.flatnonzero(np.isnan(ground_truth()[:, 0]))
    assert 10 <= len(absent) <= 16
    np.testing.assert_array_equal(absent, np.arange(absent[0], absent[-1] + 1))
    assert absent[0] > FRAMES * 0.6
    assert absent[-1] < FRAMES - 20  # it is back long enough to be found


def test_nothing_of_the_target_shows_while_it_is_hidden(scene: Scene) -> None:
    for index in np.flatnonzero(np.isnan(ground_truth()[:, 0]))[[0, 6, -1]]:
        columns = np.flatnonzero(scene.target_alpha(int(index)).max(axis=0) > 0.05)
        left, right = np.array(PILLAR) - camera(int(index))[0]
        assert left - 1 < columns[0]
        assert columns[-1] + 1 < right + 1


def test_clip_asks_for_what_it_promises() -> None:
    truth = ground_truth()
    seen = truth[~np.isnan(truth[:, 0])]
    assert seen[:, :2].min() > 0
    assert (seen[:, 0] + seen[:, 2]).max() < WIDTH
    assert (seen[:, 1] + seen[:, 3]).max() < HEIGHT
    widths = seen[:, 2]
    assert 44 < widths.min() < 52
    assert 65 < widths.max() < 75
    angles = [target_pose(index).angle for index in range(FRAMES)]
    assert -25 <= min(angles) < -20
    assert 20 < max(angles) <= 25
    # Smooth: no frame moves the centre by more than a tenth of the target's width.
    centres = np.array([(pose.x, pose.y) for pose in map(target_pose, range(FRAMES))])
    assert np.linalg.norm(np.diff(centres, axis=0), axis=1).max() < 6
    # The look-alike comes within one and a half widths.
    others = np.array([(pose.x, pose.y) for pose in map(lookalike_pose, range(FRAMES))])
    assert np.linalg.norm(centres - others, axis=1).min() < 1.5 * widths.mean()


def test_bundled_video_shows_these_frames(bundled: list[Image], scene: Scene) -> None:
    assert len(bundled) == len(read_truth()) == FRAMES
    assert CLIP_PATH.stat().st_size < 600_000
    for index in (0, 72, 110, 149):
        drawn = scene.frame(index)
        assert drawn.shape == bundled[index].shape == (HEIGHT, WIDTH, 3)
        error = np.abs(drawn.astype(int) - bundled[index]).mean()
        neighbour = np.abs(scene.frame((index + 3) % FRAMES).astype(int) - bundled[index]).mean()
        assert error < 8
        assert error < 0.6 * neighbour


def test_encoded_video_plays_in_browsers(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "short.mp4"
    encode((scene.frame(index) for index in range(5)), path)
    assert len(decoded(path)) == 5
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == FPS


def test_maker_overwrites_nothing(tmp_path: Path) -> None:
    mine = tmp_path / "groundtruth.txt"
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match=r"groundtruth\.txt"):
        write(tmp_path)
    assert mine.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [mine]
