"""Prints how many training pairs a second are planned, made by workers, and rendered on a device.

python benchmarks/pairs.py [--data-root ../shared/train] [--batch 64] [--workers 2] [--seconds 10] [--device auto]

The last line compares training steps a second on batches as they are made with those on a batch that is at hand: what
is missing is the share of time that a step waits for data, or gives way to the making of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import torch
from rich.console import Console
from rich.table import Table

from ltr_train.config import TrainConfig, read_config
from ltr_train.data.corpus import Corpus
from ltr_train.data.pairs import PairDataset
from ltr_train.data.render import Renderer, renderer_for
from ltr_train.data.sets import load_sets
from ltr_train.learner import Learner
from ltr_train.loading import Batch, batches
from ltr_train.optimisation import Optimisation
from networks.distributions import BOX_NOISE

ENDLESS = 10**9
WARM = 3
"""Items that are not timed: workers start, caches fill."""


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def rate(items: Iterable[Any], seconds: float, device: torch.device) -> float:
    """Items a second of an endless supply."""
    endless = iter(items)
    for _ in islice(endless, WARM):
        pass
    wait(device)
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        next(endless)
        count += 1
    wait(device)
    return count / (time.perf_counter() - begin)


def supply(
    pairs: PairDataset, options: argparse.Namespace, workers: int, device: torch.device, made: Renderer | None
) -> Iterator[Batch]:
    """Batches without end."""
    return batches(pairs, range(ENDLESS), options.batch, workers, device, made)


def steps(config: TrainConfig, made: Iterable[Batch], batch: int, device: torch.device) -> Iterator[Batch]:
    """Takes a training step with each batch."""
    learner = Learner(config).to(device).train()
    optimisation = Optimisation(learner, config)
    uniform = torch.rand(config.samples, batch, BOX_NOISE, device=device)
    for number, ready in enumerate(made):
        optimisation.step(learner(ready, uniform).loss, number)
        yield ready


def repeated(batch: Batch) -> Iterator[Batch]:
    """One batch, again and again."""
    while True:
        yield batch


def making(corpus: Corpus, pairs: PairDataset, options: argparse.Namespace, gpu: torch.device | None) -> Table:
    """Pairs a second of every way to make them."""
    cpu = torch.device("cpu")
    table = Table("pairs", "planned by", "pixels by", "a second")
    plans = (pairs.plan(index) for index in range(ENDLESS))
    table.add_row("plans alone", "this process", "-", f"{rate(plans, options.seconds, cpu):.0f}")

    def add(name: str, by: str, workers: int, device: torch.device, made: Renderer | None) -> None:
        found = rate(supply(pairs, options, workers, device, made), options.seconds, device) * options.batch
        table.add_row(name, f"{workers} worker{'s' * (workers > 1)}" if workers else "this process", by, f"{found:.0f}")

    for workers in range(1, options.workers + 1):
        add("made by workers", "the same, OpenCV", workers, cpu, None)
    on_cpu = renderer_for(corpus, cpu, "device", options.atlas_gb)
    add("rendered", f"CPU, {options.threads} threads", 0, cpu, on_cpu)
    add("rendered", f"CPU, {options.threads} threads", options.workers, cpu, on_cpu)
    del on_cpu
    if gpu is not None:
        on_gpu = renderer_for(corpus, gpu, "device", options.atlas_gb)
        for workers in range(1, options.workers + 1):
            add("rendered", torch.cuda.get_device_name(gpu), workers, gpu, on_gpu)
    return table


def training(
    corpus: Corpus, config: TrainConfig, pairs: PairDataset, options: argparse.Namespace, device: torch.device
) -> str:
    """Steps a second on batches at hand and on batches being made."""
    made = renderer_for(corpus, device, "auto", options.atlas_gb)
    ready = next(supply(pairs, options, 0, device, made))
    at_hand = rate(steps(config, repeated(ready), options.batch, device), options.seconds, device)
    fed_by = supply(pairs, options, options.workers, device, made)
    fed = rate(steps(config, fed_by, options.batch, device), options.seconds, device)
    share = max(0.0, 1.0 - fed / at_hand)
    where = "rendered on the device" if made is not None else "made by workers"
    return (
        f"training on {device.type}, batch {options.batch}, pairs {where}, {options.workers} workers: "
        f"{fed:.2f} steps/s ({fed * options.batch:.0f} pairs/s); {at_hand:.2f} steps/s with a batch at hand; "
        f"{100 * share:.0f} % of the time is lost to data"
    )


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="default")
    parser.add_argument("--data-root", type=Path, help="instead of the configuration's")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2, help="of this process")
    parser.add_argument("--seconds", type=float, default=10.0, help="that each line is measured for")
    parser.add_argument("--atlas-gb", type=float, default=8.0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args()
    if min(options.batch - 1, options.workers, options.threads) < 1 or options.seconds <= 0:
        parser.error("--batch must be at least 2, --workers and --threads at least 1, --seconds above 0")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("no GPU was found; leave out --device cuda")
    cv2.setNumThreads(0)
    torch.set_num_threads(options.threads)
    gpu = torch.device("cuda") if options.device != "cpu" and torch.cuda.is_available() else None
    config = read_config(options.config)
    data = config.data
    corpus = load_sets(options.data_root or data.root, data.sets, data.longest, data.memory_gb)
    pairs = PairDataset(corpus, config.pairs, config.seed, config.model)
    console = Console()
    console.print(making(corpus, pairs, options, gpu))
    if gpu is None:
        console.print("no GPU was at hand" if options.device == "auto" else "a GPU was not asked for")
    console.print(training(corpus, config, pairs, options, gpu or torch.device("cpu")))


if __name__ == "__main__":
    main()
