"""How the cost of a frame grows: with targets, samples and the size of the frame.

python -m benchmarks.growth [--engine torch] [--device cuda] [--threads 2] [--cores 0 1] [--json FILE] [--figure FILE]

Frames of the bundled clip, decoded and resized before; targets that are lost are not searched for. The settings are
measured in turn, a few frames each, forth and back, again and again; a setting's time is the mean over the quickest
tenth of its frames, since what a machine that does other work adds is not the tracker's. Targets beyond the first are
boxes of its size all over the frame. Frames of another size show the same picture larger: once with a target that grows
with it, once with one of the same size in pixels. The line through the times tells what a frame costs in any case, and
what one more target or sample adds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.speed import ENGINES, read_frames
from benchmarks.turns import hold_to, load_with
from tracker.config import TrackerConfig
from tracker.online import Tracker
from tracker.session import SessionTracker

TARGETS = (1, 2, 5, 10, 20, 50)
SAMPLES = (32, 64, 128, 256, 512)
SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
FRAMES = 6
"""Of the clip, again and again: few, as those of 3840 x 2160 take 25 MB each."""


@dataclass
class Setting:
    """One point of one curve."""

    curve: str
    value: float
    tracker: SessionTracker
    frames: NDArray[np.uint8]
    boxes: list[tuple[float, float, float, float]]
    seconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Tracks through the frames from the first boxes on; the first step, which wakes threads, does not count."""
        self.tracker.init(self.frames[0], self.boxes)
        for number, frame in enumerate(self.frames):
            begun = time.perf_counter()
            self.tracker.update(frame)
            if number:
                self.seconds.append(time.perf_counter() - begun)

    @property
    def quick(self) -> float:
        """Seconds of a frame: the mean over the quickest tenth."""
        return float(np.mean(sorted(self.seconds)[: max(1, len(self.seconds) // 10)]))


def line(values: ArrayLike, seconds: ArrayLike) -> tuple[float, float]:
    """What is paid in any case and what one more adds, in seconds: the line of least relative errors through points."""
    x, y = np.asarray(values, np.float64), np.asarray(seconds, np.float64)
    slope, offset = np.polyfit(x, y, 1, w=1 / y).tolist()
    return offset, slope


def spread(box: Sequence[float], count: int, width: int, height: int) -> list[tuple[float, float, float, float]]:
    """So many boxes of a box's size in a frame: the box itself, and others on a grid."""
    x, y, w, h = (float(value) for value in box)
    columns = int(np.ceil(np.sqrt(count)))
    places = [(i % columns, i // columns) for i in range(1, count)]
    return [(x, y, w, h)] + [
        ((i + 0.5) / columns * (width - w), (j + 0.5) / columns * (height - h), w, h) for i, j in places
    ]


def make_settings(engine: str, weights: str, device: str) -> list[Setting]:
    """All points of all curves."""

    def load(**entries: int) -> Tracker:
        return load_with(engine, weights, device, TrackerConfig(search=False, **entries))

    default = load()
    frames, truth = read_frames(None, None, SIZES[0], FRAMES)
    box = truth[0].tolist()
    settings = [Setting("targets", n, default, frames, spread(box, n, *SIZES[0])) for n in TARGETS]
    settings += [Setting("samples", m, load(samples=m), frames, spread(box, 1, *SIZES[0])) for m in SAMPLES]
    for width, height in SIZES:
        larger, boxes = read_frames(None, None, (width, height), FRAMES)
        x, y, w, h = boxes[0].tolist()
        fixed = (x + (w - box[2]) / 2, y + (h - box[3]) / 2, box[2], box[3])
        megapixels = width * height / 1e6
        settings.append(Setting("size, target grows", megapixels, default, larger, [(x, y, w, h)]))
        settings.append(Setting("size, target stays", megapixels, default, larger, [fixed]))
    return settings


def measure(settings: Sequence[Setting], rounds: int) -> None:
    """Runs the settings in turn, forth and back."""
    for turn in range(rounds):
        for setting in settings[:: 1 if turn % 2 == 0 else -1]:
            setting.run()


def curves(settings: Sequence[Setting]) -> dict[str, dict[str, list[float]]]:
    """Of each curve the values and the seconds of a frame."""
    found: dict[str, dict[str, list[float]]] = {}
    for setting in settings:
        curve = found.setdefault(setting.curve, {"values": [], "seconds": []})
        curve["values"].append(setting.value)
        curve["seconds"].append(setting.quick)
    return found


def show(found: dict[str, dict[str, list[float]]]) -> Table:
    """A row a point: its time, and its ratio to that of the curve's first point."""
    table = Table("", "", "ms a frame", "over the first")
    for name, curve in found.items():
        for value, seconds in zip(curve["values"], curve["seconds"], strict=True):
            label = f"{value:.2f} megapixels" if name.startswith("size") else f"{value:g}"
            table.add_row(name, label, f"{1000 * seconds:.2f}", f"{seconds / curve['seconds'][0]:.2f}")
        table.add_section()
    return table


def draw(found: dict[str, dict[str, list[float]]], title: str, path: Path) -> None:
    """The curves as a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, kind in zip(figure.subplots(1, 3), ("targets", "samples", "size"), strict=True):
        for name, curve in found.items():
            if not name.startswith(kind):
                continue
            x, y = np.array(curve["values"]), 1000 * np.array(curve["seconds"])
            axes.plot(x, y, "o-", label=name.removeprefix("size, "))
            if kind != "size":
                offset, slope = line(x, y)
                axes.plot(x, offset + slope * x, "--", color="0.5", label=f"{offset:.1f} + {slope:.2g} a {kind[:-1]}")
        axes.margins(y=0.1)
        axes.set(ylim=(0, None), xlabel="megapixels of a frame" if kind == "size" else kind)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        axes.set_ylabel("ms a frame")
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, dpi=130)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--engine", default="onnx", choices=ENGINES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cores", type=int, nargs="+", default=(), help="to hold this to (Linux)")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", type=Path, help="write the curves here")
    parser.add_argument("--figure", type=Path, help="draw into this file")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    try:
        hold_to(options.cores)
        settings = make_settings(options.engine, options.weights, options.device)
    except ValueError as error:
        parser.error(str(error))
    measure(settings, 1)
    for setting in settings:
        setting.seconds.clear()
    measure(settings, options.rounds)
    found = curves(settings)
    title = f"{options.engine} engine on {options.device}, {options.threads} threads"
    console = Console(width=100, highlight=False)
    console.print(show(found), title)
    for kind in ("targets", "samples"):
        offset, slope = (1000 * part for part in line(found[kind]["values"], found[kind]["seconds"]))
        console.print(f"{offset:.2f} ms in any case, and {slope:.4f} ms for each of the {kind}")
    if options.json:
        options.json.write_text(json.dumps({"title": title, "curves": found}, indent=2) + "\n")
    if options.figure:
        draw(found, title, options.figure)


if __name__ == "__main__":
    main()
