"""The data sets of a configuration, read into one corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ltr_train.data.assembly import Assembly
from ltr_train.data.corpus import Corpus, DataSet
from ltr_train.data.readers import READERS, Clip, SetConfig

_THREADS = 4
_GIGABYTE = 2**30


def load_sets(root: Path, sets: Sequence[SetConfig], longest: int, memory_gb: float) -> Corpus:
    """Read data sets to train on.

    Args:
        root: Folder that relative roots of sets are relative to.
        sets: What to read.
        longest: Longer side of a picture, at the most, px; larger ones are reduced.
        memory_gb: Decode all pictures and masks for good where they take no more than this, in GiB; otherwise they
            are decoded whenever they are looked at.

    Raises:
        ValueError: A folder or file is missing or broken; the message names the data set, what was expected and where.
    """
    corpus = index_sets(root, sets, longest)
    for found in corpus.sets:
        if found.problems:
            more = f" (and {len(found.problems) - 1} more problems)" if len(found.problems) > 1 else ""
            raise ValueError(
                f"data set {found.name}: {found.problems[0]}{more}; `ebtrack data check` lists all of them"
            )
    if corpus.decoded_bytes() <= memory_gb * _GIGABYTE:
        corpus.keep_decoded(_THREADS)
    return corpus


def index_sets(root: Path, sets: Sequence[SetConfig], longest: int) -> Corpus:
    """Read everything but the pictures; clips that cannot be read are left out and listed in ``Corpus.sets``.

    Raises:
        ValueError: The root of a set is not laid out as its reader expects.
    """
    assembly = Assembly(longest)
    found = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for number, config in enumerate(sets):
            folder = root / config.root
            name = f"{config.reader} ({folder})"
            try:
                clips = _chosen(READERS[config.reader](folder, config), config)
            except ValueError as error:
                raise ValueError(f"data set {name}: {error}") from error
            dropped, problems = assembly.add(clips, number, pool)
            found.append(DataSet(name, config.weight, dropped, tuple(problems)))
    assembly.corpus.sets = tuple(found)
    return assembly.corpus


def _chosen(clips: list[Clip], config: SetConfig) -> list[Clip]:
    """Those that ``names`` and ``limit`` leave."""
    if config.names is not None:
        named = [(clip, {clip.source, clip.name, *clip.groups}) for clip in clips]
        known = set().union(*(names for _, names in named))
        unknown = sorted(set(config.names) - known)
        if unknown:
            some = ", ".join(sorted(known)[:8])
            raise ValueError(f"no source, clip or class is named {', '.join(unknown)}; there are {some} ...")
        clips = [clip for clip, names in named if names & set(config.names)]
    if config.limit is None:
        return clips
    taken: Counter[str] = Counter()
    kept = []
    for clip in clips:
        taken[clip.source] += 1
        if taken[clip.source] <= config.limit:
            kept.append(clip)
    return kept
