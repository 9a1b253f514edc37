"""Counts the multiplications of a frame: features, heads, samples and refinement, as the tracker runs them.

python benchmarks/cost.py [--weights FILE] [--set samples=128]

Multiply-accumulates of convolutions and matrix products, counted on the torch engine while a frame is tracked; those
of the gradients in the refinement are among them. Element-wise work is not in it, nor is the whole-frame search, which
runs only while a target is lost.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.table import Table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

import ebtrack
from tracker.config import TrackerConfig
from tracker.online import Tracker


class Multiplications(TorchDispatchMode):
    """Counts multiply-accumulates."""

    def __init__(self) -> None:
        super().__init__()
        self.millions = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs and counts one operator."""
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            # The registry gives two operations a multiply-accumulate.
            self.millions += count(*args, **(kwargs or {}), out_val=out) / 2e6
        return out


def by_part(tracker: Tracker) -> dict[str, float]:
    """Millions of multiply-accumulates in a frame that follows the first one, by part and in total.

    The template is taken to be renewed as often as it can be.
    """
    model, box, config = tracker.model, (280, 200, 80, 80), tracker.config
    renewing = config.model_copy(update={"template_above": 0.0, "template_known": 0.0})
    tracker = Tracker(model, tracker.weights_info, tracker.device, tracker.seed, renewing)
    frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    tracker.init(frame, box)
    with Multiplications() as total:
        for _ in range(config.template_every):
            tracker.update(frame)
    a_frame = total.millions / config.template_every
    template = tracker.start([frame], [box]).template
    with torch.no_grad():
        with Multiplications() as features:
            search = model.features(torch.zeros(1, 3, model.config.search_size, model.config.search_size))
        with Multiplications() as head:
            proposal = model.propose(template, search)
        samples = torch.zeros(1, config.samples, 4)
        with Multiplications() as energy:
            model.score(template, search, samples, proposal)
    found = {"features": features.millions, "proposal": head.millions, "energy of the samples": energy.millions}
    return {**found, "refinement, densities, template": a_frame - sum(found.values()), "all told": a_frame}


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="entries of TrackerConfig")
    options = parser.parse_args()
    overrides = {name: yaml.safe_load(value) for name, value in (entry.split("=", 1) for entry in options.set)}
    # A frame of noise makes the target look lost: without the search this frame costs what any other does.
    config = TrackerConfig(**{"search": False, **overrides})
    tracker = ebtrack.load(options.weights, device="cpu", config=config)
    table = Table("part", "million multiply-accumulates")
    for part, count in by_part(tracker).items():
        table.add_row(part, f"{count:.1f}")
    Console(width=80).print(f"{tracker.weights_info.parameters:,} parameters, {config.samples} samples", table)


if __name__ == "__main__":
    main()
