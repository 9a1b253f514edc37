"""Benchmarks on disk, read from their published layouts (docs/evaluation.md, "Benchmarks on disk")."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path

from evaluation.annotation_files import DatasetError
from evaluation.datasets.kinds import DATASETS, DatasetKind, Reader
from evaluation.sequences import Sequence

__all__ = ["DATASETS", "DatasetError", "DatasetKind", "dataset_kind", "native_origin", "read_dataset", "readers_of"]


def dataset_kind(name: str) -> DatasetKind:
    """The benchmark of a name.

    Raises:
        DatasetError: there is none; the message lists those that there are.
    """
    if name not in DATASETS:
        raise DatasetError(f"no data set is called '{name}'{_nearest(name, DATASETS)}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def native_origin(name: str) -> float:
    """What box files of this benchmark, annotations and published results, add to 0-based x and y: 0 or 1.

    Raises:
        DatasetError: there is no such benchmark.
    """
    return dataset_kind(name).native_origin


def read_dataset(name: str, root: Path, only: Collection[str] | None = None) -> list[Sequence]:
    """The annotated sequences of a benchmark, in its order. No picture is opened.

    Args:
        name: One of `DATASETS`.
        root: Its folder.
        only: Names of the sequences to read; all when left out.

    Raises:
        DatasetError: the name, the folder, or a file in it is not as it should be; names the file and, where it has
            one, the line.
    """
    return [read() for read in readers_of(name, root, only).values()]


def readers_of(name: str, root: Path, only: Collection[str] | None = None) -> dict[str, Reader]:
    """What reads each of the sequences that `read_dataset` gives, by name.

    Raises:
        DatasetError: the name or the folder is not as it should be, or holds no sequence of a name in ``only``.
    """
    kind = dataset_kind(name)
    expected = f"expected {' '.join(kind.layout.splitlines()[0].split())}, as `ebtrack datasets` lists for {name}"
    if not root.is_dir():
        raise DatasetError(f"no folder {root}; {expected}")
    try:
        readers = kind.readers(root, kind.native_origin)
    except DatasetError as error:
        raise DatasetError(f"{error}; {expected}") from error
    if not readers:
        raise DatasetError(f"no sequences in {root}; {expected}")
    for wanted in only or ():
        if wanted not in readers:
            raise DatasetError(f"{root} holds no sequence '{wanted}' of {kind.title}{_nearest(wanted, readers)}")
    return readers if only is None else {key: read for key, read in readers.items() if key in only}


def _nearest(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f" (did you mean '{near[0]}'?)" if near else ""
