"""What each stage of a frame computes and moves, the time that this needs at least here, and the time that it takes.

python -m benchmarks.stages [--threads 2] [--cores 0 1] [--weights FILE] [--set samples=256]

Counted on the torch engine while the bundled clip is tracked, without the search for lost targets: operators that
compute, multiply-accumulates of convolutions and matrix products as in `benchmarks/cost.py`, and bytes: of all operands
and results, each operator reading and writing its own, and of those of the products alone.

The floor takes a product at this machine's greatest measured rate, of a large matrix product or a convolution, or at
the rate of memory in the cache, where all of a frame fits, whichever takes longer; everything else is taken to be fused
into the products and free. Of the crop it is the reading of the region. Times are means over the quickest tenth
of the frames: what a machine that does other work adds to the rest is not the tracker's. Another engine runs the stages
from the features to the refinement as one graph; a second table compares the engines.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch.utils._pytree import tree_leaves

import networks.energy
import tracker.estimate
import tracker.online
import tracker.step
from benchmarks.cost import Multiplications
from benchmarks.rates import Rates, extent, measure_rates
from benchmarks.speed import ENGINES, read_frames
from benchmarks.turns import hold_to, load_with
from networks.distributions import DefensiveMixture
from networks.energy import EnergyScores
from networks.model import EnergyTracker
from tracker.config import TrackerConfig
from tracker.online import Tracker
from tracker.track import Track

REST = "bookkeeping"
PARTS: dict[str, tuple[tuple[Any, str], ...]] = {
    "crop": ((tracker.online, "crop"),),
    "features": ((EnergyTracker, "features"),),
    "proposal": ((EnergyTracker, "propose"),),
    "sampling": (
        (tracker.step, "box_noise"),
        (EnergyTracker, "defend"),
        (DefensiveMixture, "draw"),
        (DefensiveMixture, "log_prob"),
    ),
    "pooling": ((networks.energy, "roi_pool"),),
    "energy": ((EnergyScores, "__init__"), (EnergyScores, "__call__")),
    "refinement": ((tracker.estimate, "strongest_mode"),),
}
"""The functions of each stage; what they call and is of no other stage belongs to it. The rest is bookkeeping."""
NETWORKS = "networks and filter"
WARM = 20
"""Frames before any that counts."""
WHOLE = "refinement"
"""The stage that keeps what it calls of other stages."""


class Stages:
    """Knows which stage is at work, and how long each was."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._stack = [REST]
        self._since = time.perf_counter()

    @property
    def now(self) -> str:
        """The stage at work."""
        return self._stack[-1]

    def begin(self) -> None:
        """Forgets the times."""
        self.seconds.clear()
        self._since = time.perf_counter()

    def charge(self) -> None:
        """Gives the time since the last change to the stage at work."""
        now = time.perf_counter()
        self.seconds[self.now] += now - self._since
        self._since = now

    @contextmanager
    def inside(self, stage: str) -> Iterator[None]:
        """The stage is at work."""
        self.charge()
        self._stack.append(WHOLE if self.now == WHOLE else stage)
        try:
            yield
        finally:
            self.charge()
            self._stack.pop()

    @contextmanager
    def watching(self, parts: dict[str, tuple[tuple[Any, str], ...]]) -> Iterator[None]:
        """Notices when the functions of each stage are at work."""
        with ExitStack() as patches:
            for stage, functions in parts.items():
                for home, name in functions:
                    patches.enter_context(patch.object(home, name, self._noticed(stage, getattr(home, name))))
            yield

    def _noticed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def noticed(*arguments: Any, **options: Any) -> Any:
            with self.inside(stage):
                return function(*arguments, **options)

        return noticed


@dataclass
class Work:
    """What a stage computes and moves in a frame."""

    operators: float = 0
    products: float = 0.0
    """Millions of multiply-accumulates."""
    product_bytes: float = 0.0
    bytes: float = 0.0
    floor_s: float = 0.0


class Operators(Multiplications):
    """Counts operators, products and bytes by stage.

    Args:
        stages: knows which stage is at work.
        rates: of the machine.
    """

    def __init__(self, stages: Stages, rates: Rates) -> None:
        super().__init__()
        self.work: dict[str, Work] = defaultdict(Work)
        self._stages, self._rates = stages, rates

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs and counts one operator; views move nothing."""
        before = self.millions
        out = super().__torch_dispatch__(func, types, args, kwargs)
        read, written = (
            [leaf for leaf in tree_leaves(part) if isinstance(leaf, torch.Tensor)] for part in ((args, kwargs), out)
        )
        memory = {tensor.untyped_storage().data_ptr() for tensor in read}
        if not func._schema.is_mutable and {tensor.untyped_storage().data_ptr() for tensor in written} <= memory:
            return out
        moved = sum(map(extent, read + written))
        work, products = self.work[self._stages.now], self.millions - before
        work.operators += 1
        work.bytes += moved
        if products:
            work.products += products
            work.product_bytes += moved
            work.floor_s += self._rates.seconds(1e6 * products, moved)
        return out


def count(tracked: Tracker, frames: Sequence[NDArray[np.uint8]], rates: Rates) -> dict[str, Work]:
    """The work of each stage in a frame, the mean over those that follow one another after `Tracker.init`."""
    stages, config = Stages(), tracked.model.config
    with stages.watching(PARTS), Operators(stages, rates) as counted:
        for frame in frames:
            track = tracked.update(frame)
            assert isinstance(track, Track)
            # The crop is not torch's: it reads about this region and writes itself.
            moved = 3 * (config.search_factor**2 * track.box[2] * track.box[3] + config.search_size**2)
            counted.work["crop"].bytes += moved
            counted.work["crop"].floor_s += rates.seconds(0, moved)
    found = {stage: counted.work[stage] for stage in (*PARTS, REST)}
    for work in found.values():
        for name, value in vars(work).items():
            setattr(work, name, value / len(frames))
    return found


def measure(
    tracked: Tracker, frames: Sequence[NDArray[np.uint8]], parts: dict[str, tuple[tuple[Any, str], ...]]
) -> dict[str, float]:
    """Seconds of each stage in a frame, the mean over the quickest tenth of the frames."""
    stages, found = Stages(), []
    with stages.watching(parts):
        for frame in frames:
            stages.begin()
            tracked.update(frame)
            stages.charge()
            found.append(dict(stages.seconds))
    quick = sorted(found, key=lambda seconds: sum(seconds.values()))[: max(1, len(found) // 10)]
    return {stage: float(np.mean([seconds.get(stage, 0.0) for seconds in quick])) for stage in (*parts, REST)}


def show(work: dict[str, Work], seconds: dict[str, float]) -> Table:
    """A row a stage, and their sum."""
    table = Table("stage", "operators", "MMAC", "MB of products", "MB in all", "floor ms", "now ms", "share")
    total = sum(seconds.values())

    def row(name: str, of: Work, took: float) -> None:
        table.add_row(
            name,
            f"{of.operators:.0f}",
            f"{of.products:.1f}",
            f"{of.product_bytes / 1e6:.2f}",
            f"{of.bytes / 1e6:.2f}",
            f"{1000 * of.floor_s:.2f}",
            f"{1000 * took:.2f}",
            f"{100 * took / total:.0f} %",
        )

    for stage, of in work.items():
        row(stage, of, seconds[stage])
    table.add_section()
    row("all", Work(*(sum(values) for values in zip(*(vars(of).values() for of in work.values()), strict=True))), total)
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="entries of TrackerConfig")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cores", type=int, nargs="+", default=(), help="to hold this to (Linux)")
    parser.add_argument("--passes", type=int, default=8, help="through the clip, for the times")
    options = parser.parse_args(arguments)
    try:
        hold_to(options.cores)
    except ValueError as error:
        parser.error(str(error))
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    overrides = {name: yaml.safe_load(value) for name, value in (entry.split("=", 1) for entry in options.set)}
    config = TrackerConfig(**{"search": False, **overrides})
    clip, truth = read_frames(None, None, (640, 360), 100)
    console = Console(width=110, highlight=False)
    rates = measure_rates()
    trackers: dict[str, Tracker] = {}
    whole: dict[str, dict[str, float]] = {}
    for engine in ENGINES:
        try:
            tracked = load_with(engine, options.weights, config=config)
        except ValueError as error:
            console.print(f"the {engine} engine is left out: {error}")
            continue
        tracked.init(clip[0], truth[0])
        for frame in clip[1:WARM]:
            tracked.update(frame)
        trackers[engine] = tracked
    frames = list(clip[WARM:]) * options.passes
    for engine, tracked in trackers.items():
        parts = {"crop": PARTS["crop"], NETWORKS: ((tracked.engine, "estimate"),)}
        whole[engine] = measure(tracked, frames, parts)
    seconds = measure(trackers["torch"], frames, PARTS)
    # Now and then the machine does other work: the rates are the better of those before and after.
    rates = rates.better(measure_rates())
    work = count(trackers["torch"], frames[:10], rates)
    console.print(
        f"{options.threads} threads: {rates.matrix / 1e9:.0f} GMAC/s in a matrix product, "
        f"{rates.convolution / 1e9:.0f} in a convolution, {rates.cache / 1e9:.0f} GB/s in the cache, "
        f"{rates.memory / 1e9:.0f} in memory"
    )
    console.print(show(work, seconds))
    console.print(compare(whole, sum(of.floor_s for of in work.values())))


def compare(whole: dict[str, dict[str, float]], floor_s: float) -> Table:
    """A row an engine: the seconds of what every engine has, and their sum over the floor's."""
    table = Table("engine, ms a frame", "crop", NETWORKS, REST, "all", "over the floor")
    for engine, seconds in whole.items():
        total = sum(seconds.values())
        table.add_row(engine, *(f"{1000 * took:.2f}" for took in (*seconds.values(), total)), f"{total / floor_s:.1f}")
    return table


if __name__ == "__main__":
    main()
