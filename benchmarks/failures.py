"""Draws where tracking fails: the sequences of the lowest AO, a row of frames and a strip chart each.

python benchmarks/sequences.py ../shared/sequences --out results/sequences
python benchmarks/failures.py ../shared/sequences results/sequences --out failures.png [--peer PEERS/fear_xs]

A row shows the first and the last frame, the last good one before the longest loss, the loss, the recovery where there
is one, and frames that fill the gaps. Lost is an IoU below 0.1, good one of at least 0.5; AO is the mean IoU over
annotated frames after the first. The view of a frame is the square about the ground truth and our box.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from evaluation.calibration import FOLLOWED, LOST
from evaluation.lockstep import AnnotatedSequence, SequenceResult
from evaluation.metrics import Floats, average_overlap, box_iou
from evaluation.peers import read_peer
from evaluation.plots import OURS, PRESENCE, TRUTH, check_place, new_figure, save_figure
from evaluation.results import read_results
from evaluation.sequences import read_sequences

FRAMES = 8
# Inches: the key on top, the block of a sequence, and in it the title with the captions, a frame and the strip chart.
WIDTH, KEY, HEAD, STRIP, LEFT, GAP = 12.0, 0.3, 0.62, 0.6, 0.4, 0.1
SIDE = (WIDTH - LEFT - GAP) / FRAMES - GAP
BLOCK = HEAD + SIDE + GAP + STRIP + 0.32
ABSENT = "0.85"


def longest_loss(overlap: Floats) -> tuple[int, int]:
    """The first and the last frame of the longest run of an IoU below 0.1; frames without the target do not end it.

    Args:
        overlap: ``[T]`` IoU, nan without the target; annotated in a frame after the first.

    Returns:
        The frame of the lowest IoU, twice, where the target is never lost.
    """
    annotated = np.flatnonzero(~np.isnan(overlap[1:])) + 1
    lost = np.concatenate(([False], overlap[annotated] < LOST, [False])).astype(int)
    begins, ends = np.flatnonzero(np.diff(lost) == 1), np.flatnonzero(np.diff(lost) == -1) - 1
    if not len(begins):
        worst = int(annotated[np.argmin(overlap[annotated])])
        return worst, worst
    longest = int(np.argmax(ends - begins))
    return int(annotated[begins[longest]]), int(annotated[ends[longest]])


def story(overlap: Floats, count: int = FRAMES) -> dict[int, str]:
    """The frames to show, in order, with a word about those that are more than a step on the way.

    Args:
        overlap: ``[T]`` as `longest_loss` takes it.
        count: at least 5; all frames are shown where there are fewer.
    """
    begin, end = longest_loss(overlap)
    good = np.flatnonzero(overlap >= FOLLOWED)
    before, after = good[(good > 0) & (good < begin)], good[good > end]
    shown = {0: "first", len(overlap) - 1: "", begin: "lost" if overlap[begin] < LOST else "lowest IoU"}
    if len(before):
        shown[int(before[-1])] = "last good"
    if len(after):
        shown[int(after[0])] = "good again"
    while len(shown) < min(count, len(overlap)):
        known = sorted(shown)
        gap = int(np.argmax(np.diff(known)))
        shown[(known[gap] + known[gap + 1]) // 2] = ""
    return dict(sorted(shown.items()))


def view(boxes: Floats, width: int, height: int) -> tuple[float, float, float]:
    """Left, top and side of a square with some context about boxes ``[N, 4]``, inside the frame as far as it fits."""
    low, high = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    low, high = np.clip(low, 0, (width, height)), np.clip(high, 0, (width, height))
    size = np.sqrt(boxes[:, 2:].prod(1)).max()
    side = float(min(max((high - low).max() + 0.8 * size, 2.5 * size, 48), max(width, height)))
    corner = (low + high - side) / 2
    room = np.array((width, height)) - side
    left, top = np.where(room > 0, np.clip(corner, 0, np.maximum(room, 0)), room / 2)
    return float(left), float(top), side


def draw(
    results: Sequence[SequenceResult], sequences: Sequence[AnnotatedSequence], titles: Sequence[str], path: Path
) -> None:
    """Saves the figure, a block a sequence."""
    height = KEY + BLOCK * len(results)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine("none")

    def place(left: float, top: float, width: float, tall: float) -> Any:
        return figure.add_axes((left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height))

    handles = [
        Patch(facecolor="none", edgecolor=TRUTH, linewidth=2, label="ground truth"),
        Patch(facecolor="none", edgecolor=OURS, linewidth=2, label="our box"),
        Line2D([], [], color=OURS, label="IoU"),
        Line2D([], [], color=PRESENCE, label="P(present)"),
        Patch(facecolor=ABSENT, label="target absent"),
    ]
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), fontsize=9, frameon=False)
    for number, (result, sequence, title) in enumerate(zip(results, sequences, titles, strict=True)):
        top = KEY + BLOCK * number
        overlap = box_iou(result.boxes, result.groundtruth)
        shown = story(overlap)
        frames = (image for at, image in enumerate(sequence.frames()) if at in shown)
        for column, ((at, word), image) in enumerate(zip(shown.items(), frames, strict=True)):
            axes = place(LEFT + column * (SIDE + GAP), top + HEAD, SIDE, SIDE)
            _draw_frame(axes, image, result, at)
            iou = "absent" if np.isnan(overlap[at]) else f"IoU {overlap[at]:.2f}"
            presence = "given" if at == 0 else f"P {result.presence[at]:.2f}"
            _write(axes, f"{iou}  {presence}", 4, "center")
            _write(axes, f"frame {at}, {word}" if word else f"frame {at}", 15, "center")
            if column == 0:
                _write(axes, title, 29, "left", fontsize=10, fontweight="bold")
        strip = place(LEFT, top + HEAD + SIDE + GAP, FRAMES * (SIDE + GAP) - GAP, STRIP)
        _draw_strip(strip, overlap, result.presence, list(shown))
    save_figure(figure, path)


def _write(axes: Any, text: str, above: float, at: str, **font: Any) -> None:
    """A line over the axes, its baseline this many points above them."""
    x = {"left": 0, "center": 0.5}[at]
    where = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": at, "va": "baseline"}
    axes.annotate(text, (x, 1), (0, above), **{"fontsize": 8, **where, **font})


def _draw_frame(axes: Any, image: NDArray[np.uint8], result: SequenceResult, at: int) -> None:
    both = {TRUTH: result.groundtruth[at], OURS: result.boxes[at]}
    boxes = {colour: box for colour, box in both.items() if not np.isnan(box).any()}
    height, width = image.shape[:2]
    left, top, side = view(np.array(list(boxes.values())), width, height)
    # A pixel covers [i, i + 1], so that boxes lie where they are measured.
    axes.imshow(image[..., ::-1], extent=(0, width, height, 0), interpolation="bilinear")
    axes.set(xlim=(left, left + side), ylim=(top + side, top), xticks=[], yticks=[], facecolor="0.25")
    for colour, (x, y, w, h) in boxes.items():
        edge = [withStroke(linewidth=2.6, foreground="black")]
        axes.add_patch(Rectangle((x, y), w, h, fill=False, edgecolor=colour, linewidth=1.4, path_effects=edge))


def _draw_strip(axes: Any, overlap: Floats, presence: Floats, shown: Sequence[int]) -> None:
    frames = np.arange(len(overlap))
    edges = np.stack((frames - 0.5, frames + 0.5), 1).ravel()
    axes.fill_between(edges, 0, 1, where=np.repeat(np.isnan(overlap), 2), color=ABSENT, linewidth=0)
    for at in shown:
        axes.axvline(at, color="0.6", linewidth=0.7, linestyle=":")
    axes.plot(frames, presence, color=PRESENCE, linewidth=1.2)
    axes.plot(frames, overlap, color=OURS, linewidth=1.5)
    axes.set(xlim=(-0.5, len(overlap) - 0.5), ylim=(-0.04, 1.04), yticks=(0, 0.5, 1))
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.25)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="SEQUENCES", help="folder of sequences")
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder that benchmarks/sequences.py --out wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FIGURE.png")
    parser.add_argument("--count", type=int, default=5, help="sequences to show")
    parser.add_argument("--peer", type=Path, help="folder of another tracker's boxes, for its AO")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier figure")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error(f"--count is at least 1, got {options.count}")
    try:
        check_place(options.out, options.overwrite)
        sequences = read_sequences(options.root)
        results, _ = read_results(options.results, sequences)
        ao = np.array([average_overlap(r.boxes, r.groundtruth) for r in results])
        worst = [int(i) for i in np.argsort(ao)[: options.count] if not np.isnan(ao[i])]
        if not worst:
            raise ValueError(f"no sequence of {options.root} shows its target after the first frame")
        chosen = [sequences[i] for i in worst]
        titles = [f"{s.name}: AO {ao[i]:.3f}, {len(s.groundtruth)} frames" for i, s in zip(worst, chosen, strict=True)]
        if options.peer:
            theirs = [
                average_overlap(b, s.groundtruth) for b, s in zip(read_peer(options.peer, chosen), chosen, strict=True)
            ]
            titles = [
                f"{title} ({options.peer.name}: AO {value:.3f})" for title, value in zip(titles, theirs, strict=True)
            ]
        draw([results[i] for i in worst], chosen, titles, options.out)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print("\n".join(titles))
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
