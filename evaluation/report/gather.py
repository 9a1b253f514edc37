"""Reads the folders of results and scores what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from evaluation.report.context import main_figure
from evaluation.report.material import Material, by_attribute, contestant
from evaluation.scoring import Labelled, score_tracker
from evaluation.stored import find_stored, ignored_files, left_out, match_names, read_tracker_boxes, some_of

_COLUMNS = ("attribute", "sequence", "sequences", "frames")
"""Keys of tables in which trackers have columns of their own."""


def gather(
    outs: Iterable[Path],
    sequences: Sequence[Labelled],
    dataset: str,
    convention: str,
    first: str | None = None,
    strict: bool = True,
    origin: float = 0.0,
    one_based: bool = False,
) -> Material:
    """All trackers of one or more folders of results, on the same sequences.

    Args:
        outs: in a layout that `evaluation.stored.find_stored` reads. A tracker of a name that an earlier folder has
            too, or a column of a table, is called ``<folder>/<tracker>``.
        sequences: at least one.
        dataset: its name, for titles.
        convention: of `evaluation.conventions.CONVENTIONS`.
        first: the tracker that the report is about; that of the best figure when left out.
        strict: whether a result that is missing or of another length than its sequence is an error.
        origin: what stored x and y have more than 0-based pixels, see `evaluation.stored.read_tracker_boxes`.
        one_based: boxes and annotations are compared in 1-based pixels, see `evaluation.scoring.score_tracker`.

    Raises:
        ValueError: a folder holds no tracker, a result does not fit its sequence, or there is no tracker ``first``; the
            message names it.
    """
    found: dict[str, Mapping[str, Path]] = {}
    notes: list[str] = []
    for out in outs:
        stored = find_stored(out)
        if ignored := ignored_files(out, stored):
            notes.append(f"{out}: not taken for boxes: {some_of([path.name for path in ignored])}")
        for tracker, files in stored.items():
            name = tracker if tracker not in {*found, *_COLUMNS} else f"{out.resolve().name}/{tracker}"
            if name in found:
                raise ValueError(f"two trackers are called {name}: rename one of the folders, as that in {out}")
            found[name] = files
    if first is not None and first not in found:
        raise ValueError(f"no tracker {first}: there are {', '.join(found)}")
    frames = {sequence.name: len(sequence.groundtruth) for sequence in sequences}
    contestants = []
    for name, boxes_of in found.items():
        matched = {sequence: boxes_of[of] for sequence, of in match_names(boxes_of, frames).items()}
        boxes = read_tracker_boxes(matched, frames, origin)
        score = score_tracker(name, boxes, sequences, convention, strict, one_based, matched)
        contestants.append(contestant(matched, boxes, score, sequences))
        notes += left_out(name, boxes_of, boxes, frames)
    figure = main_figure(convention)
    contestants.sort(key=lambda of: (of.name != first, -of.score.figures[figure], of.name))
    return Material(dataset, sequences, by_attribute(sequences), contestants, notes)
