"""The command ``ebtrack train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def train(
    config: Annotated[str, typer.Argument(help="A YAML file, or the name of one that ships: default, resnet50, ...")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoint, log and weights; runs/CONFIG when left out.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override an entry: --set data.root=DIR")
    ] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="In miniature: does all of it work? Seconds on a CPU.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the folder holds.")] = False,
    start: Annotated[Path | None, typer.Option(help="Begin with the tensors of a weights file.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; the best at hand when left out.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of the networks.")] = None,
) -> None:
    """Train a tracker of your own, on one device or, started by torchrun, on many."""
    import torch

    from ebtrack.api import resolve_device
    from ebtrack.train_progress import TrainReport
    from ebtrack.version import __version__
    from ltr_train.config import ConfigError, read_config
    from ltr_train.distributed import joined, local_device
    from ltr_train.run import run_training
    from ltr_train.trainer import CARD

    console = Console(highlight=False)
    if threads:
        torch.set_num_threads(threads)
    out = out or Path("runs") / (Path(config).stem + ("-tiny" if tiny else ""))
    try:
        chosen = read_config(config, set_ or (), tiny)
        where = local_device(resolve_device(device))
        with joined(where) as world, TrainReport(chosen.steps, console) as report:
            weights = run_training(
                chosen,
                out,
                version=__version__,
                command=["ebtrack", *sys.argv[1:]],
                device=where,
                resume=resume,
                start=start,
                report=report,
                world=world,
            )
    except (ConfigError, ValueError, ImportError, FloatingPointError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo(f"interrupted: go on with --resume --out {out}", err=True)
        raise typer.Exit(130) from None
    if world.leads:
        console.print(f"weights in {weights}, described in {weights.with_name(CARD)}", soft_wrap=True)
