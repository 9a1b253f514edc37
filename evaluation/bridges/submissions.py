"""Results packed for the servers that keep a benchmark's annotation to themselves."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.datasets import native_origin
from evaluation.results import TIMES, Result, read_result

Floats = NDArray[np.float64]


class SubmissionError(ValueError):
    """Results do not make a submission; the message names the file and the line."""


class Listed(Protocol):
    """A sequence of a benchmark: its name, and its number of frames."""

    @property
    def name(self) -> str:
        """Of the sequence."""

    def __len__(self) -> int:
        """Frames."""


@dataclass(frozen=True)
class Server:
    """What a server takes."""

    sequences: int
    """Sequences in a submission: all of the benchmark's test set."""
    address: str
    """Where it is uploaded."""
    files: Callable[[Path, Result, Floats], Iterator[tuple[str, str]]]
    """Names and contents of a sequence's files, of the tracker's folder, its result and its boxes in native pixels."""


def pack(folder: Path, dataset: str, sequences: Sequence[Listed], out: Path) -> int:
    """Checks a tracker's results and packs them into the zip file that a server takes; none is left of bad ones.

    Boxes are written in the benchmark's own pixels, with three decimals as got10k's toolkit does.

    Args:
        folder: the results of one tracker, ``OUT/<tracker>``.
        dataset: a name in `SERVERS`.
        sequences: the benchmark's test set, as `evaluation.datasets.read_dataset` gives it.
        out: the zip file; it must not exist.

    Returns:
        The number of boxes.

    Raises:
        SubmissionError: sequences are missing, or a result has not one usable box for each frame.
        ResultsError: a file is missing or cannot be read as numbers.
        FileExistsError: there is such a file.
    """
    server = SERVERS[dataset]
    _expect_all(dataset, server, [sequence.name for sequence in sequences])
    checked = _checked(folder, dataset, server, sequences)
    with out.open("xb") as file:
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in checked:
                    # Without a time of writing the same results make the same file.
                    archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
        except BaseException:
            out.unlink()
            raise
    return sum(len(sequence) for sequence in sequences)


def _expect_all(dataset: str, server: Server, names: list[str]) -> None:
    if dataset == "got10k_test":
        missing = sorted({f"GOT-10k_Test_{number + 1:06d}" for number in range(server.sequences)} - set(names))
        if missing:
            raise SubmissionError(
                f"the server takes all {server.sequences} sequences of GOT-10k's test set, and {missing[0]} is not in "
                f"--root ({len(missing)} are missing)"
            )
    if len(names) != server.sequences:
        raise SubmissionError(
            f"the server takes the {server.sequences} sequences of {dataset}, and --root has {len(names)}"
        )


def _checked(folder: Path, dataset: str, server: Server, sequences: Iterable[Listed]) -> Iterator[tuple[str, str]]:
    """Names and contents of all files."""
    shift = np.array([1.0, 1.0, 0.0, 0.0]) * native_origin(dataset)
    for sequence in sequences:
        result, file = read_result(folder, sequence.name), folder / f"{sequence.name}.txt"
        boxes = np.round(result.boxes + shift, 3)
        if len(boxes) != len(sequence):
            raise SubmissionError(f"{file} has {len(boxes)} lines, and the sequence {len(sequence)} frames")
        bad = ~(np.isfinite(boxes).all(1) & (boxes[:, 2:] > 0).all(1))
        if bad.any():
            line = int(bad.argmax())
            raise SubmissionError(
                f"{file}, line {line + 1}: {result.boxes[line].tolist()} is no box: x, y, w, h must be finite, and w "
                "and h at least 0.001 pixels"
            )
        yield from server.files(folder, result, boxes)


def _got10k_files(folder: Path, result: Result, boxes: Floats) -> Iterator[tuple[str, str]]:
    """``<sequence>/<sequence>_001.txt``, of the only run that a deterministic tracker has, and its times."""
    name, file = result.name, folder / TIMES / f"{result.name}.txt"
    if result.seconds is None:
        raise SubmissionError(f"{file} is missing: GOT-10k's server takes the seconds of each frame with the boxes")
    bad = ~(np.isfinite(result.seconds) & (result.seconds >= 0))
    if bad.any():
        line = int(bad.argmax())
        raise SubmissionError(f"{file}, line {line + 1}: {result.seconds[line]} is no number of seconds")
    yield f"{name}/{name}_001.txt", _lines(boxes, "%.3f")
    yield f"{name}/{name}_time.txt", _lines(result.seconds[:, None], "%.8f")


def _trackingnet_files(folder: Path, result: Result, boxes: Floats) -> Iterator[tuple[str, str]]:
    """``<sequence>.txt``."""
    yield f"{result.name}.txt", _lines(boxes, "%.3f")


def _lines(table: Floats, number: str) -> str:
    return "".join(",".join(number % value for value in row) + "\n" for row in table.tolist())


SERVERS = {
    "got10k_test": Server(180, "http://got-10k.aitestunion.com/submit_instructions", _got10k_files),
    "trackingnet": Server(511, "http://eval.tracking-net.org", _trackingnet_files),
}
"""By the name of the data set."""
