"""Batches of pairs by number: finished by workers, or only planned by them and rendered on the device."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ltr_train.data.packing import pack
from ltr_train.data.pairs import PairDataset
from ltr_train.data.plan import Plan
from ltr_train.data.render import Renderer
from ltr_train.distributed import World

Batch = dict[str, Tensor]


class _Range(torch.utils.data.Sampler[list[int]]):
    """The indices of the batches of some steps, those of processes that train together side by side."""

    def __init__(self, steps: range, batch: int, world: World) -> None:
        self.steps, self.batch, self.world = steps, batch, world

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps:
            first = (step * self.world.size + self.world.rank) * self.batch
            yield list(range(first, first + self.batch))

    def __len__(self) -> int:
        return len(self.steps)


class _Plans(Dataset[Plan]):
    def __init__(self, pairs: PairDataset) -> None:
        self.pairs = pairs

    def __getitem__(self, index: int) -> Plan:
        return self.pairs.plan(index)


def _begin_worker(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    # Ctrl-C is for the process that trains; it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def usual_workers(device: torch.device) -> int:
    """One beside a CPU, which trains as well; beside a GPU this process's share of the cores but two, at most eight."""
    if device.type != "cuda":
        return 1
    return max(1, min(8, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")) - 2))


def batches(
    pairs: Dataset[Any],
    steps: range,
    batch: int,
    workers: int,
    device: torch.device,
    renderer: Renderer | None = None,
    world: World | None = None,
) -> Iterator[Batch]:
    """The batches of some steps; what is in them depends on the step's number alone.

    Args:
        pairs: A map-style data set of dictionaries; with a renderer a ``PairDataset``.
        steps: Numbers of the steps.
        batch: Pairs in a batch of this process.
        workers: Processes that make the pairs, or with a renderer plan them; 0 for this process itself.
        device: Where the batches are wanted; with a renderer that of its atlas.
        renderer: Makes the pixels, from ``ltr_train.data.render.renderer_for``.
        world: The processes that train together, of whose batch this one's is a slice; this one alone when left out.

    Raises:
        ValueError: There is a renderer, but ``pairs`` cannot be planned, or the device is another.
    """
    dataset, collate = pairs, None
    finish: Callable[[Batch], Batch] = partial(_moved, device)
    if renderer is not None:
        if not isinstance(pairs, PairDataset):
            raise ValueError(
                f"pairs are rendered from the plans of a PairDataset, but this is a {type(pairs).__name__}"
            )
        if renderer.atlas.device.type != device.type:
            raise ValueError(f"batches are wanted on {device}, but the atlas is on {renderer.atlas.device}")
        dataset, collate, finish = _Plans(pairs), partial(pack, renderer.atlas.index), renderer
    loaded = DataLoader(
        dataset,
        batch_sampler=_Range(steps, batch, world or World()),
        num_workers=workers,
        worker_init_fn=_begin_worker,
        collate_fn=collate,
        prefetch_factor=4 if workers else None,
        pin_memory=device.type == "cuda",
    )
    return _ahead(loaded, finish, device) if device.type == "cuda" else map(finish, loaded)


def _moved(device: torch.device, batch: Batch) -> Batch:
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _ahead(loaded: Iterable[Batch], finish: Callable[[Batch], Batch], device: torch.device) -> Iterator[Batch]:
    """Finishes each batch on a stream of its own while the one before it is worked on."""
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    waiting: tuple[Batch, torch.cuda.Event] | None = None
    for batch in loaded:
        with torch.cuda.stream(stream):
            finished = finish(batch), stream.record_event()
        if waiting is not None:
            yield _handed_over(*waiting, device)
        waiting = finished
    if waiting is not None:
        yield _handed_over(*waiting, device)


def _handed_over(batch: Batch, done: torch.cuda.Event, device: torch.device) -> Batch:
    stream = torch.cuda.current_stream(device)
    stream.wait_event(done)
    for value in batch.values():
        value.record_stream(stream)
    return batch
