"""Detect, then track: a detector's boxes in the first frame are where targets begin.

    python examples/detect_and_track.py                          the bundled clip
    python examples/detect_and_track.py video.mp4 --out results

The detector needs nothing but OpenCV: it finds what moves on its own, also before a camera that moves. It is a simple
one: in scenes of depth, what stands near moves against what stands far, and is found as well. Put your own in the place
of `moving_objects`; whatever gives boxes (x, y, w, h) of the first frame will do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import ebtrack
from ebtrack.clip import CLIP_PATH
from tracker.session import track_to_folder
from tracker.sinks import OutputError, OutputFolder
from tracker.sources import SourceError, open_source

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]

DIFFERENT = 20
"""Grey levels by which a moving object differs from what it uncovers."""
SMALLEST_SHARE = 0.002
"""Of the frame's area; what is smaller is noise."""


def moving_objects(first: Image, later: Sequence[Image]) -> list[Box]:
    """Boxes in the first frame of what moves on its own: it differs there from every later frame.

    Args:
        first: H x W x 3 uint8 BGR.
        later: frames some moments on, far enough for objects to have left their place.

    Raises:
        ValueError: the later frames show another scene.
    """
    grey = _smooth_grey(first)
    differs = np.full(grey.shape, 255, np.uint8)
    for frame in later:
        differs = np.minimum(differs, _difference(grey, _smooth_grey(frame)))
    moving = (differs > DIFFERENT).astype(np.uint8)
    without_specks = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    join = max(3, min(grey.shape) // 20)
    whole = cv2.morphologyEx(without_specks, cv2.MORPH_CLOSE, np.ones((join, join), np.uint8))
    _, _, parts, _ = cv2.connectedComponentsWithStats(whole)
    boxes = [(float(x), float(y), float(w), float(h)) for x, y, w, h, _ in parts[1:]]  # part 0 is the background
    return [box for box in boxes if box[2] * box[3] >= SMALLEST_SHARE * grey.size]


def _smooth_grey(frame: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), (5, 5), 0), np.uint8)


def _difference(grey: Image, later: Image) -> Image:
    """What is left of the difference when the camera's motion is taken out; 0 where the later frame shows nothing."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-5)
    try:
        _, motion = cv2.findTransformECC(grey, later, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, stop)
    except cv2.error as error:
        raise ValueError("the camera's motion could not be followed: try a smaller --gap, or draw boxes") from error
    size = (grey.shape[1], grey.shape[0])
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = cv2.warpAffine(np.full_like(later, 255), motion, size, flags=back)
    difference = cv2.absdiff(grey, cv2.warpAffine(later, motion, size, flags=back))
    return np.where(shown == 255, difference, 0).astype(np.uint8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Detect in the first frame, write what was found, and track it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "source", nargs="?", default=str(CLIP_PATH), help="a video file or image folder; the bundled clip when left out"
    )
    parser.add_argument("--out", type=Path, default=Path("ebtrack-out/detected"), help="folder for the results")
    parser.add_argument("--gap", type=int, default=15, help="frames in which an object leaves its place")
    parser.add_argument("--max-frames", type=int, help="stop after so many frames")
    parser.add_argument("--overwrite", action="store_true", help="replace results of an earlier run")
    options = parser.parse_args(arguments)
    try:
        detect_and_track(options.source, options.out, options.gap, options.max_frames, options.overwrite)
    except (ValueError, SourceError, OutputError) as error:
        sys.exit(f"error: {error}")


def detect_and_track(source: str, out: Path, gap: int, max_frames: int | None, overwrite: bool) -> None:
    """Writes ``boxes.json`` and the results of `ebtrack track` into the folder.

    Raises:
        ValueError: nothing moves on its own, or the video is too short for the gap.
        SourceError: the source cannot be opened.
        OutputError: the folder holds results already, and they are not to be replaced.
    """
    OutputFolder(out, overwrite)  # says no before anything is computed
    detected = out / "boxes.json"
    if detected.exists() and not overwrite:
        raise OutputError(f"{detected} is there already; replace it with --overwrite, or name another --out")
    if gap < 1:
        raise ValueError(f"--gap must be at least 1, got {gap}")
    with open_source(source) as opened:
        frames = [frame.image for frame in islice(opened, 0, 2 * gap + 1, gap)]
    if len(frames) < 3:
        raise ValueError(f"{source} is too short: it needs {2 * gap + 1} frames, or a smaller --gap")
    boxes = moving_objects(frames[0], frames[1:])
    if not boxes:
        raise ValueError(f"nothing in {source} moves on its own: try a larger --gap, or draw boxes")

    out.mkdir(parents=True, exist_ok=True)
    detected.write_text(json.dumps([{"box": box, "label": "moving"} for box in boxes], indent=1) + "\n")
    print(f"{'detected':<12} {detected} ({len(boxes)})")
    run = track_to_folder(source, boxes, out, ebtrack.load(), max_frames=max_frames, overwrite=overwrite)
    for key, path in run.files.items():
        print(f"{key:<12} {path}")


if __name__ == "__main__":
    main()
