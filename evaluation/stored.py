"""Boxes that trackers left on disk, in the layouts of several toolkits, and annotations without pictures."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.annotation_files import numbers_in, read_labels, read_lines
from evaluation.metrics import Bools, Floats
from evaluation.results import EVALUATION, POSTERIOR, RECORDS, TIMES

LAYOUTS = (
    "<tracker>/<sequence>.txt, <tracker>/<sequence>/<sequence>_001.txt (GOT-10k's toolkit) or "
    "<tracker>/<parameter>_<run>/<sequence>.txt (PyTracking)"
)
_BESIDE = ("_time", "_times", "_object_presence_scores", "_confidence", "_all_boxes", "_all_scores")
"""Ends of the names of files that toolkits put beside the boxes of the sequence that the name begins with."""
_SHOWN = 5
"""Names in a message."""
_OWN = (TIMES, POSTERIOR, RECORDS)
"""Folders of ours, and of GOT-10k's OTB experiments, that hold no boxes."""


class StoredError(ValueError):
    """Stored boxes cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Annotation:
    """Ground truth of a sequence whose pictures are not at hand."""

    name: str
    groundtruth: Floats
    """``[T, 4]`` x, y, w, h in pixels as the file has them, nan where it has nan."""
    absent: Bools
    """``[T]`` labelled as absent, or nan."""


def find_stored(folder: Path) -> dict[str, dict[str, Path]]:
    """The box files below a folder, by tracker and sequence, as the files are named; none is read.

    Args:
        folder: holds a folder a tracker, in one of the `LAYOUTS`; or is itself that of one tracker. A tracker of
            PyTracking is called ``<tracker>/<parameter>_<run>``. Of GOT-10k's repetitions the first is taken.

    Raises:
        StoredError: there is no such folder, or no box file in it.
    """
    if not folder.is_dir():
        raise StoredError(f"no folder {folder}: expected results as {LAYOUTS}")
    found: dict[str, dict[str, Path]] = {}
    for tracker in _folders(folder):
        found[tracker.name] = _box_files(tracker) | _got10k_files(tracker)
        for run in _folders(tracker):
            found[f"{tracker.name}/{run.name}"] = _box_files(run) if run.name not in found[tracker.name] else {}
    found = {name: files for name, files in found.items() if files}
    if not found and (files := _box_files(folder)):
        found = {folder.resolve().name: files}
    if not found:
        raise StoredError(f"no boxes in {folder}: expected {LAYOUTS}")
    return found


def ignored_files(folder: Path, stored: Mapping[str, Mapping[str, Path]]) -> list[Path]:
    """Files among those of `find_stored` that are taken for something else than boxes; hidden ones and ours aside."""
    taken = {path for files in stored.values() for path in files.values()}
    places = {folder, *(path.parent for path in taken)}
    return sorted(p for place in places for p in place.iterdir() if _unknown(p) and p not in taken)


def _unknown(path: Path) -> bool:
    return path.is_file() and path.name[0] != "." and path.name != EVALUATION


def left_out(
    tracker: str, files: Mapping[str, Path], boxes: Mapping[str, Floats], frames: Mapping[str, int]
) -> list[str]:
    """What is not compared of a tracker, in words: missing sequences, lengths that differ, files of no sequence.

    Args:
        tracker: its name.
        files: of it, from `find_stored`.
        boxes: of it, from `read_tracker_boxes`.
        frames: number of frames by sequence.
    """
    matched = match_names(files, frames)
    missing = [name for name in frames if name not in boxes]
    differing = [
        f"{files[matched[name]]} has {len(boxes[name])} lines for {frames[name]} frames"
        for name in frames
        if name in boxes and len(boxes[name]) != frames[name]
    ]
    said = []
    if missing:
        said.append(f"{tracker}: {len(missing)} of {len(frames)} sequences have no boxes: {some_of(missing)}")
    if differing:
        said.append(f"{tracker}: lengths differ, scored on the frames that both have: {some_of(differing)}")
    if unknown := sorted(set(files) - set(matched.values())):
        said.append(f"{tracker}: files without a sequence of that name: {some_of(unknown)}")
    return said


def some_of(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def match_names(stored: Collection[str], sequences: Iterable[str]) -> dict[str, str]:
    """Which stored name means which sequence, by sequence; sequences without one are left out.

    A name that is the same comes first, then one that differs in case or in what stands between its parts, as in
    BasketBall and Basketball, Human4-2 and Human4.2.

    Raises:
        StoredError: it is not plain which of several names is meant.
    """
    loose: dict[str, list[str]] = {}
    for name in stored:
        loose.setdefault(_loose(name), []).append(name)
    found: dict[str, str] = {}
    for sequence in sequences:
        candidates = [sequence] if sequence in stored else loose.get(_loose(sequence), [])
        if len(candidates) > 1:
            raise StoredError(f"both {' and '.join(candidates)} could be sequence {sequence}: rename one of the files")
        if candidates:
            found[sequence] = candidates[0]
    twice = {name for name in found.values() if list(found.values()).count(name) > 1}
    # A name belongs to the sequence that is spelled the same, if there is one.
    clear = {sequence: name for sequence, name in found.items() if name not in twice or name == sequence}
    if unclear := twice - set(clear.values()):
        several = [sequence for sequence, name in found.items() if name in unclear]
        raise StoredError(f"{sorted(unclear)[0]} could be any of {', '.join(several)}: name the file as one of them")
    return clear


def read_boxes(file: Path, origin: float = 0.0) -> Floats:
    """The boxes ``[T, 4]`` of a result, separated by commas, tabs or blanks.

    Args:
        file: x, y, w, h a line.
        origin: what the file's x and y have more than the pixels that are asked for.

    Raises:
        ValueError: a line is not four finite numbers, or the file cannot be read; names file and line.
    """
    return _rows(file, nan=False) - (origin, origin, 0.0, 0.0)


def read_tracker_boxes(files: Mapping[str, Path], names: Iterable[str], origin: float = 0.0) -> dict[str, Floats]:
    """The boxes of one tracker for some sequences, by the sequences' names; those without a file are left out.

    Args:
        files: of a tracker, from `find_stored`.
        names: of the sequences.
        origin: what the benchmark's own files add to 0-based x and y. Boxes that `ebtrack evaluate` wrote, which have
            ``records`` beside them, are 0-based whatever the benchmark.

    Raises:
        ValueError: see `read_boxes` and `match_names`.
    """
    return {
        sequence: read_boxes(files[name], 0.0 if (files[name].parent / "records").is_dir() else origin)
        for sequence, name in match_names(files, names).items()
    }


def read_times(files: Mapping[str, Path], names: Iterable[str]) -> list[Floats]:
    """Seconds of each frame ``[T]`` for the sequences that a tracker has boxes for.

    They are in ``times/<sequence>.txt``, ``times/<sequence>_time.txt`` or ``<sequence>_time.txt`` beside the boxes; of
    several columns, GOT-10k's repetitions, the first is taken.

    Returns:
        Nothing where a sequence has no such file: speeds over other frames are not compared.

    Raises:
        ValueError: a line does not begin with a number; names file and line.
    """
    found = []
    for name in match_names(files, names).values():
        folder, stem = files[name].parent, re.sub(r"_001$", "", files[name].stem)
        places = (folder / "times" / f"{stem}.txt", *(p / f"{stem}_time.txt" for p in (folder / "times", folder)))
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            return []
        found.append(_first_column(file))
    return found


def read_annotations(folder: Path) -> list[Annotation]:
    """The annotations of a folder, by name: ``<sequence>.txt``, x, y, w, h a line, nan where the target is absent.

    Labels ``absent/<sequence>.txt``, 1 where the target is absent, are read where they are, as in LaSOT's evaluation
    toolkit. Boxes stay in the files' pixels: they must be those of the results.

    Raises:
        ValueError: there is no such folder or annotation, or a file cannot be read; names file and line.
    """
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise StoredError(f"no annotations in {folder}: expected <sequence>.txt with x,y,w,h in each line")
    return [_annotation(file) for file in files]


def _annotation(file: Path) -> Annotation:
    boxes = _rows(file, nan=True)
    if not np.isfinite(boxes[0]).all():
        raise StoredError(f"{file}, line 1: {boxes[0].tolist()} is no box; expected one in the first line")
    absent: Bools = np.any(np.isnan(boxes), axis=1)
    labels = file.parent / "absent" / file.name
    if labels.is_file():
        absent = absent | (read_labels(labels, len(boxes)) > 0)
    return Annotation(file.stem, boxes, absent)


def _rows(file: Path, nan: bool) -> Floats:
    expected = "x,y,w,h in each line" + (", nan where the target is absent" if nan else ", all finite")
    lines = read_lines(file, expected)
    rows = np.empty((len(lines), 4))
    for index, line in enumerate(lines):
        try:
            rows[index] = numbers_in(line)
            wrong = np.isinf(rows[index]) if nan else ~np.isfinite(rows[index])
            if wrong.any():
                raise ValueError
        except ValueError:
            raise StoredError(f"{file}, line {index + 1}: '{line[:60]}' is no box, expected {expected}") from None
    return rows


def _first_column(file: Path) -> Floats:
    values = []
    for number, line in enumerate(read_lines(file, "seconds in each line"), 1):
        try:
            values.append(numbers_in(line)[0])
        except ValueError:
            raise StoredError(f"{file}, line {number}: '{line[:60]}' is no time, expected seconds") from None
    return np.array(values)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != "." and p.name not in _OWN)


def _box_files(folder: Path) -> dict[str, Path]:
    found = {path.stem: path for path in sorted(folder.glob("*.txt")) if path.name[0] != "."}
    beside = {name for name in found for end in _BESIDE if name.endswith(end) and name.removesuffix(end) in found}
    return {name: path for name, path in found.items() if name not in beside}


def _got10k_files(tracker: Path) -> dict[str, Path]:
    files = {folder.name: folder / f"{folder.name}_001.txt" for folder in _folders(tracker)}
    return {name: path for name, path in files.items() if path.is_file()}


def _loose(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.casefold())
