"""The bundled demonstration clip, made by code so that its ground truth is exact.

A coffee cup slides over a brick wall with pictures, turning and changing size. It passes behind a pole,
meets a look-alike of another colour, disappears behind a pillar and comes back. Everything is a function of
the frame's number: the ground truth follows from the geometry alone, and only drawing needs pictures
(scikit-image's, all CC0).

    python -m ebtrack.clip OUT_DIR      writes demo.mp4 and groundtruth.txt
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]

ASSETS = Path(__file__).parent / "assets"
CLIP_PATH = ASSETS / "demo.mp4"
TRUTH_PATH = ASSETS / "groundtruth.txt"

FRAMES, FPS = 150, 25
WIDTH, HEIGHT = 384, 288
WORLD_WIDTH, WORLD_HEIGHT = 540, 312

# The cup with its saucer and spoon, traced in scikit-image's `coffee` picture (pixels), clockwise.
OUTLINE: Floats = np.array(
    [
        (285, 19), (315, 22), (345, 32), (370, 47), (388, 65), (400, 69), (413, 67), (423, 74),
        (422, 83), (418, 97), (420, 107), (440, 127), (457, 153), (471, 188), (477, 225), (476, 250),
        (468, 280), (453, 308), (431, 332), (404, 351), (372, 367), (335, 380), (295, 387), (255, 385),
        (215, 377), (181, 362), (151, 342), (126, 318), (104, 287), (90, 258), (82, 230), (79, 205),
        (83, 175), (94, 148), (110, 123), (129, 104), (151, 87), (172, 75), (184, 73), (195, 57),
        (213, 42), (236, 29), (260, 21),
    ],
    dtype=np.float64,
)  # fmt: skip
PIVOT = (OUTLINE.min(axis=0) + OUTLINE.max(axis=0)) / 2
NOMINAL_WIDTH = 54.0
PICTURE_TO_WORLD = NOMINAL_WIDTH / float(np.ptp(OUTLINE[:, 0]))

# (frame, centre x, centre y, scale) in world pixels; smooth curves run through these knots.
TARGET_KNOTS: Floats = np.array(
    [
        (0, 76, 205, 1.00), (18, 104, 150, 1.10), (38, 156, 110, 1.20), (56, 200, 135, 1.28),
        (72, 226, 168, 1.15), (86, 250, 150, 1.00), (96, 274, 128, 0.94), (109, 328, 136, 0.92),
        (121, 360, 152, 0.92), (133, 412, 175, 1.00), (149, 452, 140, 1.15),
    ],
    dtype=np.float64,
)  # fmt: skip
LOOKALIKE_KNOTS: Floats = np.array(
    [
        (0, 345, 215, 0.95), (40, 345, 215, 0.95), (56, 290, 228, 1.00), (72, 229, 240, 1.05),
        (90, 150, 205, 1.05), (108, 50, 215, 1.00), (149, -60, 215, 1.00),
    ],
    dtype=np.float64,
)  # fmt: skip
# Left and right edges of what stands in front, world pixels; both run over the full height.
POLE = (150.0, 166.0)
PILLAR = (300.0, 388.0)


@dataclass(frozen=True)
class Pose:
    """Where a cup is in one frame.

    Attributes:
        x, y: Centre in pixels of the frame; may lie outside it.
        scale: Size over the nominal size.
        angle: Degrees, clockwise as seen on the screen.
    """

    x: float
    y: float
    scale: float
    angle: float

    def matrix(self) -> Floats:
        """The 2 x 3 affine map from pixels of the `coffee` picture to pixels of the frame."""
        size, turn = self.scale * PICTURE_TO_WORLD, np.deg2rad(self.angle)
        linear = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        shift = np.array([self.x, self.y]) - linear @ PIVOT
        return np.column_stack([linear, shift])

    def outline(self) -> Floats:
        """The cup's outline in the frame, [K, 2] pixels."""
        matrix = self.matrix()
        return OUTLINE @ matrix[:, :2].T + matrix[:, 2]


def camera(index: int) -> tuple[float, float]:
    """The frame's top left corner in the world, in pixels: a slow pan with a little sway."""
    return 6 + 140 * index / (FRAMES - 1), 12 + 8 * float(np.sin(2 * np.pi * index / 90))


def target_pose(index: int) -> Pose:
    """Pose of the target in frame `index`."""
    return _pose(TARGET_KNOTS, index, 22 * float(np.sin(2 * np.pi * index / 78)))


def lookalike_pose(index: int) -> Pose:
    """Pose of the look-alike in frame `index`."""
    return _pose(LOOKALIKE_KNOTS, index, -15 * float(np.sin(2 * np.pi * index / 60)))


def ground_truth(frames: int = FRAMES) -> Floats:
    """Exact boxes of the target's full extent, what stands in front of it notwithstanding.

    Args:
        frames: How many frames from the clip's first.

    Returns:
        [frames, 4] of x, y, w, h in pixels of the frame; NaN where nothing of the target can be seen.
    """
    boxes = np.full((frames, 4), np.nan)
    for index in range(frames):
        outline = target_pose(index).outline()
        low, high = outline.min(axis=0), outline.max(axis=0)
        left, right = np.array(PILLAR) - camera(index)[0]
        hidden = left <= low[0] and high[0] <= right
        outside = bool(np.any(high <= 0) or low[0] >= WIDTH or low[1] >= HEIGHT)
        if not hidden and not outside:
            boxes[index] = *low, *(high - low)
    return boxes


def _pose(knots: Floats, index: int, angle: float) -> Pose:
    """The pose at a frame, by cubic Hermite curves through the knots with centred slopes."""
    time, values = knots[:, 0], knots[:, 1:]
    slopes = np.gradient(values, time, axis=0)
    at = int(np.clip(np.searchsorted(time, index, side="right") - 1, 0, len(time) - 2))
    span = time[at + 1] - time[at]
    t = (index - time[at]) / span
    x, y, scale = (
        (2 * t**3 - 3 * t**2 + 1) * values[at]
        + (t**3 - 2 * t**2 + t) * span * slopes[at]
        + (3 * t**2 - 2 * t**3) * values[at + 1]
        + (t**3 - t**2) * span * slopes[at + 1]
    )
    pan, lift = camera(index)
    return Pose(float(x) - pan, float(y) - lift, float(scale), angle)


def read_truth(path: Path = TRUTH_PATH) -> Floats:
    """Boxes of a ground-truth file, [frames, 4] of x, y, w, h; NaN rows where the target cannot be seen."""
    return np.loadtxt(path, delimiter=",", ndmin=2)


def write(out: Path) -> tuple[Path, Path]:
    """Draw the clip and write it with its ground truth.

    Args:
        out: Folder for `demo.mp4` and `groundtruth.txt`; made where missing.

    Returns:
        The paths of the video and of the ground truth.

    Raises:
        ModuleNotFoundError: scikit-image is not installed.
        FileExistsError: One of the two files is there already.
    """
    from ebtrack.clip_scene import Scene

    video, truth = out / CLIP_PATH.name, out / TRUTH_PATH.name
    for path in (video, truth):
        if path.exists():
            raise FileExistsError(f"{path} is there already; name another folder or remove it first")
    scene = Scene()
    out.mkdir(parents=True, exist_ok=True)
    encode((scene.frame(index) for index in range(FRAMES)), video)
    np.savetxt(truth, ground_truth(), fmt="%.3f", delimiter=",")
    return video, truth


def encode(frames: Iterable[Image], path: Path) -> None:
    """Write BGR frames as H.264 that browsers play."""
    with av.open(str(path), "w") as container:
        options = {"crf": "22", "preset": "slow", "threads": "1"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode(None))


def main() -> None:
    """Make the demonstration clip and its ground truth."""
    parser = argparse.ArgumentParser(prog="python -m ebtrack.clip", description=main.__doc__)
    parser.add_argument("out", type=Path, help="folder for demo.mp4 and groundtruth.txt")
    try:
        video, truth = write(parser.parse_args().out)
    except ModuleNotFoundError as error:
        if error.name != "skimage":
            raise
        sys.exit('Drawing the clip needs scikit-image, which is not installed: pip install "ebtrack[dev]"')
    except OSError as error:
        sys.exit(f"The clip could not be written: {error}")
    print(f"{video}\n{truth}")


if __name__ == "__main__":
    main()
