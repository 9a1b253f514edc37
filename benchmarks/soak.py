"""Tracks a looped clip for many frames and prints resident memory on the way.

python benchmarks/soak.py [VIDEO --box x,y,w,h] [--frames 20000] [--threads 2]

Without a video it is the bundled clip. Memory must not grow with the length of a video: the last line gives the growth
of resident memory from frame 2,000 to the end.
"""

from __future__ import annotations

import argparse
import resource
from importlib.resources import files
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
import torch

import ebtrack

WARM = 2000
PAGE = resource.getpagesize()


def resident() -> float:
    """Resident memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def read_frames(video: Path) -> list[np.ndarray]:
    """All frames of a short clip."""
    capture = cv2.VideoCapture(str(video))
    frames: list[np.ndarray] = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(frame)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--box", help="x,y,w,h in the first frame")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.frames <= WARM:
        parser.error(f"--frames must be above {WARM}")
    torch.set_num_threads(options.threads)
    assets = Path(str(files("ebtrack") / "assets"))
    text = options.box or (assets / "groundtruth.txt").read_text().splitlines()[0]
    frames = read_frames(options.video or assets / "demo.mp4")
    if len(frames) < 2:
        parser.error(f"{options.video} has fewer than two readable frames")
    tracker = ebtrack.load(device="cpu")
    tracker.init(frames[0], [float(value) for value in text.split(",")])
    warm = 0.0
    # Forth and back, so that the target never jumps.
    for number, frame in enumerate(islice(cycle(frames[1:] + frames[-2::-1]), options.frames), 1):
        tracker.update(frame)
        if number == WARM:
            warm = resident()
        if number % WARM == 0:
            print(f"frame {number:6d}  resident {resident():8.1f} MiB", flush=True)
    print(f"growth after frame {WARM}: {resident() - warm:.1f} MiB")


if __name__ == "__main__":
    main()
