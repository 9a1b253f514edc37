"""Batches of pairs by number, made in this process or in workers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

Batch = dict[str, Tensor]


class _Range(torch.utils.data.Sampler[list[int]]):
    """The indices of batches ``start`` to ``stop``; pair ``i`` is a function of the seed and ``i`` alone."""

    def __init__(self, start: int, stop: int, batch: int) -> None:
        self.start, self.stop, self.batch = start, stop, batch

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.start, self.stop):
            yield list(range(step * self.batch, (step + 1) * self.batch))

    def __len__(self) -> int:
        return self.stop - self.start


def _begin_worker(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    # Ctrl-C is for the process that trains; it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def loader(dataset: Dataset[Any], start: int, stop: int, batch: int, workers: int) -> DataLoader[Batch]:
    """Batches number ``start`` to ``stop`` of a data set whose pairs are made on demand."""
    return DataLoader(
        dataset,
        batch_sampler=_Range(start, stop, batch),
        num_workers=workers,
        worker_init_fn=_begin_worker,
        prefetch_factor=4 if workers else None,
    )
