"""Results of tracked sequences in a folder: a CSV file a sequence and ``run.json`` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.lockstep import AnnotatedSequence, SequenceResult

RUN = "run.json"
_SCALARS = ["x", "y", "w", "h", "presence", "ess"]
_COORDINATES = ["cx", "cy", "w", "h"]


class ResultsError(ValueError):
    """A folder of results cannot be written or read; the message says why."""


def check_empty(folder: Path) -> None:
    """Makes sure that results can be written.

    Raises:
        ResultsError: the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ResultsError(f"{folder} exists and is not empty: name another folder, nothing is overwritten")


def write_results(
    folder: Path, results: Iterable[SequenceResult], levels: Iterable[float], settings: dict[str, Any]
) -> None:
    """Writes results, numbers as floats that read back to the same float64.

    Args:
        folder: made where it is missing.
        results: with the intervals of ``levels``.
        levels: of the credible intervals.
        settings: what made the results; kept in ``run.json``.

    Raises:
        ResultsError: the folder holds something already.
    """
    check_empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    levels = list(levels)
    ends = [f"{end}{100 * level:g}_{name}" for level in levels for end in ("low", "high") for name in _COORDINATES]
    seconds = {}
    for result in results:
        frames = len(result.boxes)
        intervals = np.stack((result.low, result.high), 1).transpose(2, 0, 1, 3).reshape(frames, -1)
        table = np.column_stack((result.boxes, result.presence, result.ess, intervals))
        lines = [",".join(map(repr, row)) for row in table.tolist()]
        text = "\n".join([",".join(_SCALARS + ends), *lines]) + "\n"
        (folder / f"{result.name}.csv").write_text(text, encoding="utf-8")
        seconds[result.name] = result.seconds
    record = {"levels": levels, "seconds": seconds, "settings": settings}
    (folder / RUN).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def read_results(
    folder: Path, sequences: Iterable[AnnotatedSequence]
) -> tuple[list[SequenceResult], tuple[float, ...]]:
    """The results of some sequences, in their order, and the levels of the intervals.

    Args:
        folder: that `write_results` wrote.
        sequences: give the ground truth.

    Raises:
        ResultsError: a file is missing, damaged, or does not fit its sequence; the message names it.
    """
    try:
        record = json.loads((folder / RUN).read_text(encoding="utf-8"))
        levels = tuple(float(level) for level in record["levels"])
        seconds = record["seconds"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{folder} holds no results: {RUN} is missing or damaged; `python benchmarks/sequences.py FOLDER --out "
            f"{folder}` makes them"
        ) from error
    width = len(_SCALARS) + 8 * len(levels)
    found = []
    for sequence in sequences:
        file = folder / f"{sequence.name}.csv"
        try:
            table = np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2)
        except (OSError, ValueError) as error:
            raise ResultsError(f"{file} is missing or damaged: {error}") from error
        if table.shape != (len(sequence.groundtruth), width):
            raise ResultsError(
                f"{file} has {table.shape[0]} rows of {table.shape[1]} numbers, expected "
                f"{len(sequence.groundtruth)} frames of {width}"
            )
        ends = table[:, len(_SCALARS) :].reshape(len(table), len(levels), 2, 4).transpose(2, 1, 0, 3)
        found.append(
            SequenceResult(
                sequence.name,
                sequence.groundtruth,
                table[:, :4],
                table[:, 4],
                table[:, 5],
                ends[0],
                ends[1],
                float(seconds.get(sequence.name, np.nan)),
            )
        )
    return found, levels
