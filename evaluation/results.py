"""Results of tracked sequences on disk: plain box files that any toolkit reads, and beside them what made them.

``OUT/<tracker>/<sequence>.txt`` holds ``x,y,w,h`` a frame; ``posterior/<sequence>.csv`` presence, effective sample size
and credible intervals, where the tracker gives them; ``times/<sequence>.txt`` the seconds of each frame;
``records/<sequence>.json`` what made the files, and their checksums. ``OUT/evaluation.json`` names the data set.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS = (0.9, 0.5, 0.6, 0.7, 0.8, 0.95, 0.99)
"""Of the credible intervals that are kept; the first is the one that tables show."""
EVALUATION = "evaluation.json"
POSTERIOR, TIMES, RECORDS = "posterior", "times", "records"
"""Folders of a tracker beside its box files."""
_SCALARS = ["presence", "ess"]
_COORDINATES = ["cx", "cy", "w", "h"]


class ResultsError(ValueError):
    """Results cannot be read or written; the message says why, with file and line where there are such."""


@dataclass(frozen=True)
class Result:
    """What one tracker gave on one sequence of ``T`` frames. The first row is the given box; all else is nan there."""

    name: str
    """Of the sequence."""
    boxes: Floats
    """``[T, 4]`` x, y, w, h in 0-based pixels."""
    presence: Floats | None = None
    """``[T]`` P(present); None where the tracker does not give it, as with all that follows."""
    ess: Floats | None = None
    """``[T]`` effective sample size of the posterior."""
    levels: tuple[float, ...] = ()
    """``L`` levels of the credible intervals."""
    low: Floats | None = None
    """``[L, T, 4]`` lower ends of the central credible intervals of (cx, cy, w, h) in pixels."""
    high: Floats | None = None
    """``[L, T, 4]`` upper ends."""
    seconds: Floats | None = None
    """``[T]`` seconds of the tracker in each frame, reading left out; those of its start in the first row."""


def write_result(folder: Path, result: Result, record: dict[str, Any]) -> None:
    """Writes a result, numbers as floats that read back to the same float64; what is there of it is replaced.

    Each file appears whole or not at all, the box file last: where it is there, all else is. A posterior or times of
    before that the new result has not are removed, since they are not its own.

    Args:
        folder: the tracker's, ``OUT/<tracker>``; made where it is missing.
        result: posterior and times are left out where they are None.
        record: what made it; kept under ``made_by`` beside the number of frames and the files' checksums.

    Raises:
        ResultsError: a box is not finite.
        OSError: a file cannot be written.
    """
    if not np.isfinite(result.boxes).all():
        frame = int((~np.isfinite(result.boxes)).any(1).argmax())
        raise ResultsError(f"{result.name}: the box of frame {frame} is not finite: {result.boxes[frame].tolist()}")
    contents = {_boxes(folder, result.name): _lines(result.boxes)}
    if result.presence is not None and result.ess is not None:
        contents[_posterior(folder, result.name)] = _posterior_text(result)
    if result.seconds is not None:
        contents[_times(folder, result.name)] = _lines(result.seconds[:, None])
    summary = {
        "made_by": record,
        "frames": len(result.boxes),
        "seconds": None if result.seconds is None else float(result.seconds.sum()),
        "sha256": {str(path.relative_to(folder)): _sha256(text.encode()) for path, text in contents.items()},
    }
    for path in {_posterior(folder, result.name), _times(folder, result.name)} - contents.keys():
        path.unlink(missing_ok=True)
    contents[_record(folder, result.name)] = json.dumps(summary, indent=2) + "\n"
    for path, text in reversed(contents.items()):
        write_whole(path, text)


def read_record(folder: Path, name: str) -> dict[str, Any] | None:
    """What ``records/<sequence>.json`` says; None where it is missing or no record."""
    try:
        found = json.loads(_record(folder, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"made_by", "frames", "sha256"} <= found.keys() else None


def is_complete(folder: Path, name: str) -> bool:
    """Whether all files of a sequence are there, and are those that its record tells of."""
    record = read_record(folder, name)
    if record is None or _boxes(folder, name).name not in record["sha256"]:
        return False
    try:
        return all(_sha256((folder / file).read_bytes()) == sum_ for file, sum_ in record["sha256"].items())
    except OSError:
        return False


def read_result(folder: Path, name: str) -> Result:
    """The result of one sequence.

    Args:
        folder: the tracker's; box files alone are enough, as other tools write them.
        name: of the sequence.

    Raises:
        ResultsError: a file is missing, or has not its numbers; the message names file and line.
    """
    boxes = _read_table(_boxes(folder, name), 4, finite=True)
    presence = ess = low = high = seconds = None
    levels: tuple[float, ...] = ()
    if (file := _posterior(folder, name)).is_file():
        levels = _levels_of(file)
        table = _read_table(file, 2 + 8 * len(levels), header=1)
        _expect_frames(file, len(table), len(boxes))
        presence, ess = table[:, 0], table[:, 1]
        low, high = table[:, 2:].reshape(len(table), len(levels), 2, 4).transpose(2, 1, 0, 3)
    if (file := _times(folder, name)).is_file():
        seconds = _read_table(file, 1)[:, 0]
        _expect_frames(file, len(seconds), len(boxes))
    record = read_record(folder, name)
    if record is not None:
        _expect_frames(_boxes(folder, name), len(boxes), record["frames"])
    return Result(name, boxes, presence, ess, levels, low, high, seconds)


def read_tracker(folder: Path, names: Iterable[str]) -> list[Result]:
    """The results of some sequences, in their order.

    Raises:
        ResultsError: a sequence is missing, or a file has not its numbers; the message names it.
    """
    names = list(names)
    missing = [name for name in names if not _boxes(folder, name).is_file()]
    if missing:
        raise ResultsError(
            f"{folder} lacks {missing[0]}.txt ({len(missing)} of {len(names)} sequences are missing): `ebtrack "
            "evaluate` with the same options completes it"
        )
    return [read_result(folder, name) for name in names]


def write_evaluation(out: Path, dataset: str, root: Path, sequences: Sequence[str]) -> None:
    """Records in ``OUT/evaluation.json`` what is tracked there; names of further sequences are added.

    Raises:
        ResultsError: the folder holds the results of another data set or root, or is none.
    """
    wanted = {"dataset": dataset, "root": str(root.resolve())}
    known: list[str] = []
    if out.exists() and not out.is_dir():
        raise ResultsError(f"{out} is a file: name a folder for the results with --out")
    out.mkdir(parents=True, exist_ok=True)
    # Trackers may be started at the same time, each with sequences of its own.
    with FileLock(out / ".lock"):
        if (out / EVALUATION).exists():
            found = read_evaluation(out)
            for key, value in wanted.items():
                if found[key] != value:
                    raise ResultsError(
                        f"{out / EVALUATION} has results of {key} {found[key]!r}, not of {value!r}: name another --out"
                    )
            known = found["sequences"]
            if set(sequences) <= set(known):
                return
        names = [*known, *(name for name in sequences if name not in known)]
        write_whole(out / EVALUATION, json.dumps({**wanted, "sequences": names}, indent=2) + "\n")


def read_evaluation(out: Path) -> dict[str, Any]:
    """What was evaluated into a folder: ``dataset``, ``root`` and ``sequences``, a list of names.

    Raises:
        ResultsError: there is no such folder, or it has no such record.
    """
    if not out.is_dir():
        raise ResultsError(f"no folder {out}: expected what `ebtrack evaluate --out {out}` writes")
    file = out / EVALUATION
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        assert isinstance(found["dataset"], str)
        assert isinstance(found["root"], str)
        assert all(isinstance(name, str) for name in found["sequences"])
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise ResultsError(
            f"{file} is missing or damaged, so that the data set of {out} is not known: `ebtrack evaluate --out {out}` "
            "writes it; for other results name the data set with --dataset and --root"
        ) from error
    assert isinstance(found, dict)
    return found


def write_whole(path: Path, text: str) -> None:
    """Writes a file that appears whole or not at all, the folder with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _boxes(folder: Path, name: str) -> Path:
    return folder / f"{name}.txt"


def _posterior(folder: Path, name: str) -> Path:
    return folder / POSTERIOR / f"{name}.csv"


def _times(folder: Path, name: str) -> Path:
    return folder / TIMES / f"{name}.txt"


def _record(folder: Path, name: str) -> Path:
    return folder / RECORDS / f"{name}.json"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lines(table: Floats) -> str:
    return "".join(",".join(map(repr, row)) + "\n" for row in table.tolist())


def _posterior_text(result: Result) -> str:
    assert result.presence is not None
    assert result.ess is not None
    columns = [result.presence[:, None], result.ess[:, None]]
    if result.low is not None and result.high is not None:
        columns.append(np.stack((result.low, result.high), 1).transpose(2, 0, 1, 3).reshape(len(result.boxes), -1))
    ends = [
        f"{end}{100 * level:g}_{name}" for level in result.levels for end in ("low", "high") for name in _COORDINATES
    ]
    return ",".join(_SCALARS + ends) + "\n" + _lines(np.concatenate(columns, 1).astype(np.float64))


def _levels_of(file: Path) -> tuple[float, ...]:
    """The levels that a posterior's header names."""
    with file.open(encoding="utf-8") as opened:
        names = opened.readline().strip().split(",")
    try:
        levels = tuple(round(float(name[3:-3]) / 100, 12) for name in names[2::8])
    except ValueError:
        levels = ()
    if names[:2] != _SCALARS or len(names) != 2 + 8 * len(levels):
        raise ResultsError(f"{file}, line 1: expected the columns presence, ess, low90_cx, ..., got {','.join(names)}")
    return levels


def _read_table(file: Path, columns: int, header: int = 0, finite: bool = False) -> Floats:
    """Numbers ``[T, columns]`` of a file with commas."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()[header:]
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{file} is missing or cannot be read: {error}") from error
    table = np.empty((len(lines), columns))
    for number, line in enumerate(lines):
        try:
            table[number] = np.array(line.split(","), np.float64)
        except ValueError:
            raise ResultsError(
                f"{file}, line {number + 1 + header}: expected {columns} numbers with commas, got {line[:80]!r}"
            ) from None
        if finite and not np.isfinite(table[number]).all():
            raise ResultsError(f"{file}, line {number + 1 + header}: expected a finite box x,y,w,h, got {line[:80]!r}")
    if not len(table):
        raise ResultsError(f"{file} has no frame: expected a line for each")
    return table


def _expect_frames(file: Path, found: int, expected: int) -> None:
    if found != expected:
        raise ResultsError(f"{file} has {found} frames, expected {expected}")
