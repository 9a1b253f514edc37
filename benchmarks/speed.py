"""Speed, latency, memory and start-up of ebtrack beside OpenCV's trackers, in one run that alternates between them.

python -m benchmarks.speed [SEQUENCE] --nano NANOTRACK_DIR [--threads 2] [--cores 0 1] [--json FILE] [--figure FILE]

Every tracker has a process of its own, with as many threads (torch, onnxruntime, cv2) and, with --cores, on the same
cores. The frames are decoded once, resized, and in the memory of all. The processes work in turn, a block of frames
each, the order reversed from round to round, while the others wait; a tracker begins anew with the first box whenever
it comes to the end of the sequence, so that all track the same frames. What the clock holds is `update`:
from the decoded frame to the box, whole-frame searches for a lost target included; beginning anew is left out.

Ratios are the result, since they keep their meaning on a machine that does other work: the median over the rounds of
the reference's time for a block over the tracker's; undisturbed, the same of the sum over the frames of the sequence,
each in the pass where it took least. Frames a second are frames over summed time. Start-up is from the
first import to the first box, in a Python that holds numpy and the frames; memory is what a tracker adds to that.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.turns import REFERENCE, Job, Measured, race

ENGINES = ("torch", "onnx")
PEERS = ("Nano", "KCF", "CSRT", "MIL")


def summarise(measured: Sequence[Measured], truth: NDArray[np.float64]) -> list[dict[str, Any]]:
    """A row a tracker.

    Args:
        measured: of each.
        truth: ``[T, 4]`` x, y, w, h, nan where nothing is annotated.

    Returns:
        Latencies in ms, frames a second, the ratio to the reference with its quartiles over the rounds and as it is in
        the passes in which each frame took least, start-up in s, memory in MiB, and the mean IoU over the annotated
        frames that were tracked, nan where there are none.
    """
    from evaluation.metrics import box_iou, mean_of_known

    name = reference_of([one.name for one in measured])
    reference = next(one for one in measured if one.name == name)
    rows = []
    for one in measured:
        seconds = np.array([frame.seconds for frame in one.frames])
        ratios = reference.block_seconds / one.block_seconds
        low, median, high = np.quantile(ratios, (0.25, 0.5, 0.75)).tolist()
        # Every tracker has come to the same frames.
        quick = sum(reference.quickest.values()) / sum(one.quickest.values())
        overlap = box_iou(np.array([frame.box for frame in one.frames]), truth[[frame.number for frame in one.frames]])
        p50, p95 = np.quantile(1000 * seconds, (0.5, 0.95)).tolist()
        rows.append(
            {
                "tracker": one.name,
                "p50_ms": p50,
                "p95_ms": p95,
                "fps": len(seconds) / float(seconds.sum()),
                "ratio": median,
                "ratio_quartiles": [low, high],
                "ratio_undisturbed": quick,
                "start_s": one.start_s,
                "memory_mib": one.memory_mib,
                "mean_iou": mean_of_known(overlap),
                "block_seconds": one.block_seconds.tolist(),
            }
        )
    return rows


def read_frames(
    source: Path | None, box: Sequence[float] | None, size: tuple[int, int], most: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Frames ``[T, H, W, 3]`` of one size, and ``[T, 4]`` the target's boxes x, y, w, h in them, nan where unknown.

    Args:
        source: a folder as `evaluation.sequences.read_sequence` takes it, or, with a box, what `ebtrack track` takes;
            the bundled clip where it is None.
        box: x, y, w, h in the first frame as it is in the source.
        size: (width, height) of the frames.
        most: frames at most.

    Raises:
        ValueError: the source cannot be read, or is too short.
    """
    import cv2

    from ebtrack.clip import CLIP_PATH, read_truth
    from evaluation.sequences import Sequence as Annotated
    from evaluation.sequences import read_sequence
    from tracker.sources import SourceError, open_source

    if box is None:
        if source is not None and not source.is_dir():
            raise ValueError(f"{source} is no folder with groundtruth.txt: say with --box x,y,w,h where the target is")
        truth = read_truth()
        clip = Annotated("clip", CLIP_PATH, truth, np.isnan(truth[:, 0]))
        sequence = read_sequence(source) if source else clip
        images, known = list(islice(sequence.frames(), most)), sequence.groundtruth[:most]
    else:
        try:
            with open_source(str(source or CLIP_PATH)) as opened:
                images, known = [frame.image for frame in islice(opened, most)], np.array([box])
        except SourceError as error:
            raise ValueError(str(error)) from error
    if len(images) < 3:
        raise ValueError(f"{source} has {len(images)} frames, at least 3 are needed")
    height, width = images[0].shape[:2]
    boxes = np.full((len(images), 4), np.nan)
    boxes[: len(known)] = known * np.array((size[0] / width, size[1] / height) * 2)
    return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]), boxes


def draw(rows: Sequence[dict[str, Any]], note: str, path: Path) -> None:
    """The latencies and ratios of `summarise` as a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(8.5, 1.2 + 0.42 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    ratio, latency = figure.subplots(1, 2, sharey=True)
    ordered = sorted(rows, key=lambda row: row["ratio"])
    names = [row["tracker"] for row in ordered]
    colours = ["tab:blue" if name.startswith("ebtrack") else "0.65" for name in names]
    ratio.barh(names, [row["ratio"] for row in ordered], color=colours)
    for place, row in enumerate(ordered):
        ratio.plot(row["ratio_quartiles"], (place, place), color="black", linewidth=1)
        ratio.annotate(f" {row['ratio']:.2f}", (max(row["ratio_quartiles"]), place), va="center", fontsize=8)
        latency.plot((row["p50_ms"], row["p95_ms"]), (place, place), color=colours[place], linewidth=2)
        latency.plot(row["p50_ms"], place, "o", color=colours[place])
        latency.annotate(f"{row['p50_ms']:.1f}", (row["p50_ms"], place), (0, 5), textcoords="offset points", fontsize=8)
    ratio.margins(x=0.15)
    ratio.set(xlabel=f"speed over that of {reference_of(names)}")
    ratio.axvline(1, color="0.4", linewidth=0.8, linestyle="--")
    latency.set(xscale="log", xlabel="ms a frame: median, and up to the 95th percentile")
    latency.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    latency.xaxis.set_major_formatter("{x:g}")
    latency.xaxis.set_minor_formatter(NullFormatter())
    latency.grid(axis="x", alpha=0.3)
    latency.margins(y=0.12)
    figure.suptitle(note, fontsize=9)
    figure.savefig(path, dpi=130)


def reference_of(names: Sequence[str]) -> str:
    """The tracker that ratios are over: NanoTrack, or the first where it is not there."""
    return REFERENCE if REFERENCE in names else names[0]


def show(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows of `summarise` as a table."""
    reference = reference_of([row["tracker"] for row in rows])
    table = Table(
        "tracker",
        f"speed over {reference}'s (quartiles)",
        "undisturbed",
        *("p50 ms", "p95 ms", "frames/s", "start-up s", "memory MiB", "mean IoU"),
    )
    for row in rows:
        low, high = row["ratio_quartiles"]
        table.add_row(
            row["tracker"],
            f"{row['ratio']:.2f} ({low:.2f} to {high:.2f})",
            f"{row['ratio_undisturbed']:.2f}",
            *(f"{row[key]:.2f}" for key in ("p50_ms", "p95_ms")),
            f"{row['fps']:.0f}",
            f"{row['start_s']:.2f}",
            f"{row['memory_mib']:.0f}",
            f"{row['mean_iou']:.3f}",
        )
    return table


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    return tuple(float(part) for part in text.split(","))


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", metavar="SEQUENCE", help="the bundled clip when left out")
    parser.add_argument("--box", type=numbers, metavar="x,y,w,h", help="the target in a video that has no boxes")
    parser.add_argument("--size", type=numbers, default=(640, 360), metavar="WIDTH,HEIGHT", help="frames come in")
    parser.add_argument("--frames", type=int, default=300, help="the first so many of the sequence")
    parser.add_argument("--nano", type=Path, metavar="DIR", help="folder of NanoTrack's model files")
    parser.add_argument("--weights", default="default")
    parser.add_argument("--device", default="cpu", help="of ebtrack; the others know the CPU alone")
    parser.add_argument("--engines", nargs="*", default=ENGINES, choices=ENGINES, help="of ebtrack")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parser.add_argument("--threads", type=int, default=2, help="of every tracker")
    parser.add_argument("--cores", type=int, nargs="+", default=(), help="that every tracker is held to (Linux)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--block", type=int, default=50, help="frames of a tracker's turn")
    parser.add_argument("--warm", type=int, default=50, help="frames before, which do not count")
    parser.add_argument("--json", type=Path, help="write settings and figures here")
    parser.add_argument("--figure", type=Path, help="draw into this file")
    options = parser.parse_args(arguments)
    console = Console(width=120)
    if len(options.size) != 2 or len(options.box or range(4)) != 4:
        parser.error("--size is two numbers, --box four")
    if min(options.rounds, options.block, options.warm) < 1:
        parser.error("--rounds, --block and --warm must be at least 1")
    width, height = map(int, options.size)
    names = [*(f"ebtrack, {engine}" for engine in options.engines)]
    names += [REFERENCE if peer == "Nano" else peer for peer in options.peers]
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.bin"
        try:
            frames, truth = read_frames(options.source, options.box, (width, height), options.frames)
        except ValueError as error:
            parser.error(str(error))
        frames.tofile(file)
        settings = (options.weights, options.device, options.nano, options.threads, tuple(options.cores), file)
        x, y, w, h = truth[0].tolist()
        jobs = [Job(name, *settings, shape=frames.shape, box=(x, y, w, h)) for name in names]
        measured, missing = race(jobs, options.rounds, options.block, options.warm)
    for name, reason in missing.items():
        console.print(f"{name} is left out: {reason}", highlight=False, markup=False)
    if not measured:
        parser.error("no tracker is left")
    rows = summarise(measured, truth)
    console.print(show(rows))
    where = f"cores {', '.join(map(str, options.cores))}" if options.cores else "any core"
    note = (
        f"{options.rounds} rounds of {options.block} of {len(frames)} frames of {width} x {height}, "
        f"{options.threads} threads, {where}"
    )
    console.print(
        f"{note}\nfrom the decoded frame to the box; ratios, the median of the rounds, are the result", highlight=False
    )
    if options.json:
        kept = {key: str(value) if isinstance(value, Path) else value for key, value in vars(options).items()}
        # JSON has no nan.
        known = [{key: None if value != value else value for key, value in row.items()} for row in rows]
        record = {"settings": kept, "platform": platform.platform(), "missing": missing, "trackers": known}
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    if options.figure:
        draw(rows, note, options.figure)


if __name__ == "__main__":
    main()
