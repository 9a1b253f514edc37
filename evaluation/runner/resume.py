"""What an evaluation still has to do: which results are whole and made by the same, and which are not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from evaluation.lockstep import AnnotatedSequence
from evaluation.results import RECORDS, ResultsError, is_complete, read_record
from evaluation.runner.plan import sequence_record


@dataclass(frozen=True)
class Pending:
    """What is to be run of some sequences."""

    sequences: list[AnnotatedSequence]
    done: int
    """How many are whole already."""
    moved: dict[Path, Path] = field(default_factory=dict)
    """Box files without a fitting record, and where they lie now."""


def pending(
    folder: Path, sequences: Sequence[AnnotatedSequence], made_by: dict[str, Any], overwrite: bool = False
) -> Pending:
    """Looks at each sequence's files.

    A result counts as done where its files have the checksums that its record tells of, and the record names the same
    weights, code, seed, settings, first box and number of frames. A box file that is damaged or has no record is moved
    aside, into the folder of records, and its sequence is run again.

    Args:
        folder: the tracker's.
        sequences: all that are wanted.
        made_by: what will make the results.
        overwrite: run those again that something else has made.

    Raises:
        ResultsError: there are such, and ``overwrite`` is false; the message names what differs.
    """
    wanted, suspicious, foreign = [], [], []
    for sequence in sequences:
        record, file = read_record(folder, sequence.name), folder / f"{sequence.name}.txt"
        expected = {**made_by, "sequence": sequence_record(sequence)}
        if record and file.exists() and (found := differences(record["made_by"], expected)):
            foreign.append((file, found))
            wanted.append(sequence)
        elif not is_complete(folder, sequence.name):
            wanted.append(sequence)
            if file.exists():
                suspicious.append(file)
    if foreign and not overwrite:
        file, found = foreign[0]
        others = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
        raise ResultsError(
            f"{file}{others} was made by something else: {'; '.join(found)}. Name another --out, or another --name for "
            "this tracker, or run these sequences again with --overwrite"
        )
    moved = {file: _move_aside(file, folder / RECORDS) for file in suspicious}
    return Pending(wanted, len(sequences) - len(wanted), moved)


def differences(found: dict[str, Any], expected: dict[str, Any], prefix: str = "") -> list[str]:
    """What differs between two records, in words; nested ones part by part."""
    said = []
    for key in [*expected, *(key for key in found if key not in expected)]:
        old, new = found.get(key), expected.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            said += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            said.append(f"{prefix}{key} {_short(old)} there, {_short(new)} now")
    return said


def _short(value: Any) -> str:
    if value is None or isinstance(value, dict):
        return "not set" if value is None else "set"
    return value[:12] if isinstance(value, str) and len(value) == 64 else str(value)


def _move_aside(file: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while (place := folder / f"{file.stem}.replaced{number}.txt").exists():
        number += 1
    os.replace(file, place)
    return place


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps others from evaluating into a folder at the same time; ends with the process, however that ends.

    Raises:
        ResultsError: somebody does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ResultsError(
            f"another `ebtrack evaluate` writes into {folder}: wait for it, or name another --out or --name"
        ) from None
