"""Tracks a target with what ``ebtrack export --format onnx`` wrote, by NumPy, OpenCV and onnxruntime alone.

    python track_onnx.py EXPORTED video.mp4 --box 120,80,60,45 --out boxes.txt

`Tracker` does what ebtrack's does: the same crops, the same noise, the same chain of presence, the same search of the
whole frame for a lost target. docs/export.md explains every step.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
QUANTILE = np.vectorize(statistics.NormalDist().inv_cdf, otypes=[np.float32])


class Track(NamedTuple):
    """A target in a frame."""

    box: tuple[float, float, float, float]
    """(x, y, w, h), 0-based pixels."""
    presence: float
    """P(present)."""


class Tracker:
    """Follows one target.

    Args:
        folder: what ``ebtrack export --format onnx`` wrote.
        seed: of the sampler; the same seed gives the same boxes.
        threads: that the networks run on; as many as there are cores for 0.
    """

    def __init__(self, folder: Path, seed: int = 0, threads: int = 0) -> None:
        record = json.loads((folder / "tracker.json").read_text(encoding="utf-8"))
        if record["format"] != "onnx":
            raise ValueError(f"{folder} holds {record['format']} graphs: export with --format onnx")
        self.network, self.config, self.limits = record["network"], record["tracker"], record["limits"]
        self.sobol = np.array(record["sobol"], np.float32)
        self.template_graph = Graph(folder, record["template"], threads)
        self.frame_graph = Graph(folder, record["frame"], threads)
        self.seed = seed

    def init(self, frame: Image, box: Sequence[float]) -> None:
        """Begins with a frame, H x W x 3 BGR, and the target's box (x, y, w, h) in it."""
        height, width = frame.shape[:2]
        x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
        x1, y1 = min(box[0] + box[2], float(width)), min(box[1] + box[3], float(height))
        if not (x1 - x0 >= 1 and y1 - y0 >= 1):
            raise ValueError(f"the box shows less than a pixel of the frame, which is {width} x {height} pixels")
        self.box = np.array([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], np.float32)
        self.steady_size = self.box[2:]
        self.factor = np.float32(self.network["search_factor"])
        self.presence, self.lost, self.frame = 1.0, 0, 0
        region = around(self.box, np.float32(self.network["template_factor"]))
        crops = crop(frame, [region], self.network["template_size"])
        self.template = self.template_graph(crops=crops, boxes=to_crop(self.box, region)[None])

    def update(self, frame: Image) -> Track:
        """Tracks through the next frame, of the same size."""
        config = self.config
        region = around(self.box, self.factor)
        scale = [config["motion_scale"], config["motion_log_size"]] if config["motion"] else [math.inf, math.inf]
        noise = self._noise(self.seed, self.frame)
        found = self._look(frame, [region], [noise], to_crop(self.box, region), scale)
        presence = float(found["presence"][0])
        self._advance(to_frame(found["box"][0], region), presence, frame)
        waited = self.lost - config["search_after"]
        if config["search"] and waited >= 0 and waited % config["search_every"] == 0:
            presence = self._search(frame, waited // config["search_every"])
        centre, size = self.box[:2], self.box[2:]
        x, y, w, h = (float(value) for value in (*(centre - 0.5 * size), *size))
        return Track((x, y, w, h), presence)

    def _look(
        self, frame: Image, regions: list[Floats], noise: list[Floats], last: Floats, scale: list[float]
    ) -> dict[str, NDArray[Any]]:
        """What the networks say of some regions of a frame."""
        config, n = self.config, len(regions)
        prior = self.presence * (1 - config["leave_rate"]) + (1 - self.presence) * config["return_rate"]
        prior = min(max(prior, 1e-4), 1 - 1e-4)
        log_odds = logit(prior) - config["evidence"] * logit(self.network["trained_presence"])
        uniform = np.stack(noise)
        smallest = np.float32(self.limits["smallest_uniform"])
        return self.frame_graph(
            crops=crop(frame, regions, self.network["search_size"]),
            **{name: np.repeat(part, n, 0) for name, part in self.template.items()},
            uniform=uniform[..., :3],
            normal=QUANTILE(np.clip(uniform[..., 1:], smallest, 1 - smallest)),
            log_odds=np.full(n, log_odds),
            evidence=np.full(n, config["evidence"]),
            last=np.tile(last, (n, 1)),
            motion_scale=np.tile(scale, (n, 1)),
        )

    def _advance(self, box: Floats, presence: float, frame: Image) -> None:
        """The state after a frame, given its estimate (cx, cy, w, h)."""
        config = self.config
        seen = presence >= config["present_above"] or not config["search"]
        size = np.exp(lerp(np.log(self.box[2:]), np.log(box[2:]), config["size_rate"]))
        if seen:
            self.steady_size = np.exp(lerp(np.log(self.steady_size), np.log(size), config["steady_rate"]))
        else:
            size = self.steady_size
        usual = np.float32(self.network["search_factor"])
        grown = min(self.factor * np.float32(config["region_growth"]), usual * config["region_growth_limit"])
        self.factor = usual if seen else np.float32(grown)
        self.box = self._sane(np.concatenate((box[:2], size)), frame)
        self.presence = presence
        self.lost = 0 if seen else self.lost + 1
        self.frame += 1

    def _search(self, frame: Image, turn: int) -> float:
        """Looks for the lost target in the whole frame; gives the presence of what is shown now."""
        config, shown = self.config, self.presence
        side = (
            self.network["search_factor"] * config["search_zoom"] * math.sqrt(float(self.box[2]) * float(self.box[3]))
        )
        extent = np.array(frame.shape[1::-1], np.float32)
        columns, rows = (max(1, math.ceil(float(e) / (2 * self.limits["reach"] * side))) for e in extent)
        x = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) * extent[0] / np.float32(columns)
        y = (np.arange(rows, dtype=np.float32) + np.float32(0.5)) * extent[1] / np.float32(rows)
        grid = [np.array([cx, cy, side], np.float32) for cy in y for cx in x]
        most = config["search_crops"]
        regions = grid if len(grid) <= most else [grid[(turn * most + i) % len(grid)] for i in range(most)]
        noise = [self._noise(~self.seed, self.frame * most + i) for i in range(len(regions))]
        found = self._look(frame, regions, noise, np.zeros(4, np.float32), [math.inf, math.inf])
        best = int(found["log_z"].argmax())
        presence = 1 / (1 + math.exp(-(logit(float(found["presence"][best])) - math.log(len(grid)))))
        self.presence = presence
        if presence >= config["found_above"]:
            shown = presence
            self.box = self._sane(to_frame(found["box"][best], regions[best]), frame)
            self.factor = np.float32(self.network["search_factor"])
        if presence >= config["present_above"]:
            self.lost = 0
        return shown

    def _sane(self, box: Floats, frame: Image) -> Floats:
        """The box (cx, cy, w, h) on a fine grid, its centre in the frame, its sides neither tiny nor longer than it."""
        extent = np.array(frame.shape[1::-1], np.float32)
        smallest = np.float32(self.limits["smallest_side"])
        size = np.minimum(np.maximum(box[2:], smallest), np.maximum(extent, smallest))
        box = np.concatenate((np.minimum(np.maximum(box[:2], 0), extent), size))
        return np.round(box * self.limits["grid"]) / self.limits["grid"]

    def _noise(self, seed: int, counter: int) -> Floats:
        """Base noise of one crop: the Sobol set of the record, shifted modulo 1 by a hash of seed and counter."""
        golden, mask = 0x9E3779B97F4A7C15, (1 << 64) - 1
        key = mixed((mixed(seed & mask) + counter * golden) & mask)
        bits = [mixed((key + dim * golden) & mask) >> 40 for dim in range(1, 1 + self.sobol.shape[1])]
        return np.remainder(self.sobol + np.array(bits, np.float32) / np.float32(1 << 24), np.float32(1))


class Graph:
    """A graph that takes and gives arrays by name.

    Args:
        folder: where its file is.
        record: its entry in the folder's record.
        threads: that it runs on.
    """

    def __init__(self, folder: Path, record: dict[str, Any], threads: int) -> None:
        self.types = {name: np.dtype(entry["type"]) for name, entry in record["inputs"].items()}
        self.outputs = list(record["outputs"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            folder / record["file"], options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The outputs for inputs with the crops ``[N]`` in front."""
        feed = {name: np.ascontiguousarray(inputs[name], kind) for name, kind in self.types.items()}
        return dict(zip(self.outputs, self.session.run(self.outputs, feed), strict=True))


def mixed(x: int) -> int:
    """The finaliser of splitmix64."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    x = (x ^ x >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
    return x ^ x >> 31


def logit(p: float) -> float:
    """Log odds."""
    return math.log(p / (1 - p))


def lerp(a: Floats, b: Floats, share: float) -> Floats:
    """The way from a to b, as far as a share of it."""
    return a + np.float32(share) * (b - a)


def around(box: Floats, factor: np.float32) -> Floats:
    """The square region (cx, cy, side) of a box (cx, cy, w, h): ``factor`` times its geometric mean side."""
    return np.array([box[0], box[1], factor * np.sqrt(box[2] * box[3])], np.float32)


def to_crop(box: Floats, region: Floats) -> Floats:
    """A box (cx, cy, w, h) in pixels as (cx, cy, log w, log h): unit the region's side, origin its centre."""
    return np.concatenate(((box[:2] - region[:2]) / region[2], np.log(box[2:] / region[2])))


def to_frame(box: Floats, region: Floats) -> Floats:
    """The inverse of `to_crop`."""
    return np.concatenate((box[:2] * region[2] + region[:2], np.exp(box[2:]) * region[2]))


def crop(frame: Image, regions: Sequence[Floats], size: int) -> Image:
    """Regions (cx, cy, side) of a frame as ``[N, 3, size, size]``; the frame's mean colour lies around it."""
    fill = cv2.mean(cv2.resize(frame, (64, 64), interpolation=cv2.INTER_NEAREST))[:3]
    crops = [cut(frame, region, size, fill) for region in regions]
    return np.stack(crops).transpose(0, 3, 1, 2)


def cut(frame: Image, region: Floats, size: int, fill: Sequence[float]) -> Image:
    """One region as size x size x 3, bilinear; what shrinks by two or more is averaged first."""
    height, width = frame.shape[:2]
    cx, cy, side = (float(value) for value in region)
    left, top = cx - side / 2, cy - side / 2
    factors = shrinking(side / size)
    scale = math.prod(factors)
    # Whole cells of a grid that is the same for every region.
    x0, y0 = (max(0, int(start)) // scale * scale for start in (left, top))
    columns = min(math.ceil((left + side - x0) / scale), (width - x0) // scale)
    rows = min(math.ceil((top + side - y0) / scale), (height - y0) // scale)
    if factors and columns > 0 and rows > 0:
        frame = frame[y0 : y0 + rows * scale, x0 : x0 + columns * scale]
        for factor in factors:
            fewer = (frame.shape[1] // factor, frame.shape[0] // factor)
            frame = np.asarray(cv2.resize(frame, fewer, interpolation=cv2.INTER_LINEAR), np.uint8)
        left, top, side = (left - x0) / scale, (top - y0) / scale, side / scale
    # Only what the crop reads and a pixel about it, so that places are small numbers, which float32 keeps best.
    height, width = frame.shape[:2]
    x0, x1 = (min(max(0, int(x)), width - 1) for x in (left - 2, left + side + 2))
    y0, y1 = (min(max(0, int(y)), height - 1) for y in (top - 2, top + side + 2))
    part = cv2.cvtColor(frame[y0 : y1 + 1, x0 : x1 + 1], cv2.COLOR_BGR2BGRA)  # four channels warp faster than three
    # Centres of pixels map to each other: output centre u + 1/2 lies at left + (u + 1/2) * side / size.
    step = side / size
    matrix = np.array([[step, 0, left - x0 + step / 2 - 0.5], [0, step, top - y0 + step / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cropped = cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)
    return np.asarray(cropped, np.uint8)[..., :3]


def shrinking(times: float) -> list[int]:
    """Factors by which a region is averaged before it is cut: twos, and a four first where there are more than two."""
    halvings = 0 if times < 2 else int(math.log2(times / 0.75))
    return [4] + [2] * (halvings - 2) if halvings > 2 else [2] * halvings


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="EXPORTED", help="what ebtrack export --format onnx wrote")
    parser.add_argument("video", help="a video file, or images as frame_%%04d.png")
    parser.add_argument("--box", required=True, metavar="x,y,w,h", help="the target in the first frame, in pixels")
    parser.add_argument("--out", type=Path, default=Path("boxes.txt"), help="new file for a line x,y,w,h a frame")
    parser.add_argument("--seed", type=int, default=0, help="of the sampler")
    parser.add_argument("--threads", type=int, default=0, help="that the networks run on; 0 for one a core")
    given = parser.parse_args()
    try:
        run(Tracker(given.folder, given.seed, given.threads), given.video, given.box, given.out)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def run(tracker: Tracker, video: str, box: str, out: Path) -> None:
    """Tracks through a video and writes the boxes.

    Raises:
        ValueError: the box, or the video, cannot be used.
        OSError: a file cannot be read, or ``out`` exists.
    """
    try:
        x, y, w, h = (float(part) for part in box.split(","))
    except ValueError:
        raise ValueError(f"--box {box!r} is not four numbers x,y,w,h") from None
    source = cv2.VideoCapture(video)
    read, frame = source.read()
    if not read:
        raise ValueError(f"{video}: no video that OpenCV can read")
    tracker.init(np.asarray(frame, np.uint8), (x, y, w, h))
    frames, seconds = 0, 0.0
    with out.open("x", encoding="utf-8") as file:
        file.write(f"{x:.4f},{y:.4f},{w:.4f},{h:.4f}\n")
        while True:
            read, frame = source.read()
            if not read:
                break
            begin = time.perf_counter()
            track = tracker.update(np.asarray(frame, np.uint8))
            seconds += time.perf_counter() - begin
            frames += 1
            file.write(",".join(f"{value:.4f}" for value in track.box) + "\n")
    print(f"{frames} frames after the first, {1000 * seconds / max(1, frames):.2f} ms each; boxes in {out}")


if __name__ == "__main__":
    main()
