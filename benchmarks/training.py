"""Trains variants of a configuration for a short while, one after the other, and prints a table, a row a variant.

python benchmarks/training.py --out runs/ablation [--config default] [--steps 1500] [--threads 2] [--set name=value ...]

Each variant differs from the configuration by the entries that its row names, and is trained from nothing on the same
pairs. The figures are those of the last validation, on held-out pairs and clips. A variant whose run is complete in the
folder is not trained again, and one that was interrupted goes on. The first two rows differ by their seed alone: what
they differ by is what the short runs cannot tell apart.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from ebtrack.version import __version__
from ltr_train.config import ConfigError, TrainConfig, read_config
from ltr_train.run import run_training
from ltr_train.trainer import CHECKPOINT

VARIANTS: dict[str, tuple[str, ...]] = {
    "as configured": (),
    "another seed": ("seed=1",),
    "features learn from the energy alone": ("loss.shared_features=false",),
    "no label for the proposal (nll 0)": ("loss.nll=0",),
    "no energy for the proposal (kl 0)": ("loss.kl=0",),
    "energy by importance sampling": ("loss.theta=importance",),
    "32 samples": ("samples=32",),
    "2 x 2 bins": ("model.bins=2",),
    "proposal alone": ("method=mdn", "model.score=proposal", "loss.energy=0", "loss.kl=0", "loss.nll=1"),
}
COLUMNS = {
    "val_nll": "NLL of q",
    "val_iou": "IoU",
    "val_presence": "presence right",
    "val_effective_kl": "effective KL",
    "track_ao": "AO",
    "track_presence_auroc": "AUROC",
}


def train(config: TrainConfig, out: Path, command: Sequence[str], device: torch.device) -> dict[str, float]:
    """Figures of a variant's last validation; trains it first where its run is not complete."""
    log = out / "log.jsonl"
    done = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    if not done or done[-1]["step"] < config.steps or "val_nll" not in done[-1]:
        resume = (out / CHECKPOINT).is_file()
        run_training(
            config, out, version=__version__, command=command, device=device, resume=resume, report=lambda _: None
        )
        done = [json.loads(line) for line in log.read_text().splitlines()]
    return next(row for row in reversed(done) if "val_nll" in row)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="default")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs, one folder a variant")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, help="rows; all when left out")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="entries of TrainConfig for all")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    table = Table("variant", "entries", *COLUMNS.values(), title=f"{options.steps} steps")
    for number, (name, entries) in enumerate(VARIANTS.items()):
        if options.only and name not in options.only:
            continue
        shared = [f"steps={options.steps}", f"validate_every={options.steps}", *options.set]
        try:
            config = read_config(options.config, [*shared, *entries])
            command = ["python", "benchmarks/training.py", "--only", name]
            found = train(config, options.out / f"{number}", command, torch.device(options.device))
        except ConfigError as error:
            parser.error(str(error))
        table.add_row(name, " ".join(entries), *(f"{found[c]:.3f}" if c in found else "-" for c in COLUMNS))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
