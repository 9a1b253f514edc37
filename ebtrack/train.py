"""The command ``ebtrack train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def train(
    config: Annotated[str, typer.Argument(help="A YAML file, or the name of one that ships: default, resnet50.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, log and weights.")] = Path("runs/default"),
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override an entry: --set data.root=DIR")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the folder holds.")] = False,
    start: Annotated[Path | None, typer.Option(help="Begin with the tensors of a weights file.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; the best at hand when left out.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of the networks.")] = None,
) -> None:
    """Train a tracker of your own."""
    import torch

    from ebtrack.api import resolve_device
    from ebtrack.version import __version__
    from ltr_train.config import ConfigError, read_config
    from ltr_train.run import run_training

    console = Console(highlight=False)
    if threads:
        torch.set_num_threads(threads)

    def report(figures: dict[str, float]) -> None:
        shown = ("loss", "iou", "presence", "val_nll", "val_iou", "val_presence", "pairs_per_second")
        values = "  ".join(f"{name} {figures[name]:.3g}" for name in shown if name in figures)
        console.print(f"step {figures['step']:.0f}  {values}", soft_wrap=True)

    try:
        weights = run_training(
            read_config(config, set_ or ()),
            out,
            version=__version__,
            command=["ebtrack", *sys.argv[1:]],
            device=resolve_device(device),
            resume=resume,
            start=start,
            report=report,
        )
    except (ConfigError, ValueError, ImportError, FloatingPointError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo(f"interrupted: go on with --resume --out {out}", err=True)
        raise typer.Exit(130) from None
    console.print(f"weights in {weights}", soft_wrap=True)
