"""One training run from a configuration: reads the pictures, trains, resumes, leaves weights behind."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ltr_train.config import ConfigError, TrainConfig
from ltr_train.data.coco_tracks import load_corpus
from ltr_train.data.pairs import PairDataset
from ltr_train.trainer import CHECKPOINT, WEIGHTS, Trainer

TERMS = (
    "Research use: the code is Apache-2.0, but some of the pictures that these weights were trained on are licensed "
    "for non-commercial use only or have no known licence."
)


def run_training(
    config: TrainConfig,
    out: Path,
    *,
    version: str,
    command: Sequence[str],
    device: torch.device,
    resume: bool = False,
    start: Path | None = None,
    report: Callable[[dict[str, float]], None],
) -> Path:
    """Trains a tracker and returns the path of its weights file.

    Args:
        config: the run.
        out: folder for checkpoint, log and weights.
        version: of ebtrack, written into the weights.
        command: the command line that started the run, written into the weights.
        device: where the networks run.
        resume: continue the run that ``out`` holds.
        start: a weights file that a new run begins with.
        report: called with the figures of every logged step.

    Raises:
        ConfigError: ``out`` holds another run, there is nothing to resume or it cannot be, or the data cannot be read.
    """
    checkpoint = out / CHECKPOINT
    if resume and not checkpoint.is_file():
        raise ConfigError(f"nothing to resume in {out}: it holds no {CHECKPOINT}")
    if not resume and checkpoint.exists():
        raise ConfigError(f"{out} holds a training run: go on with --resume, or name another folder with --out")
    if not 0 < config.pairs.absent < 1:
        raise ConfigError(
            f"pairs.absent is {config.pairs.absent:g}, but must lie between 0 and 1: presence is learned from crops "
            "with and without the target"
        )
    try:
        corpus = load_corpus(config.data.root, config.data.sources, limit=config.data.limit)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    # Presence is used under another prior than it is trained with, so the weights have to know the latter.
    model = config.model.model_copy(update={"trained_presence": 1 - config.pairs.absent})
    config = config.model_copy(update={"model": model})
    pairs = PairDataset(corpus, config.pairs, config.seed, config.model)
    held_out = config.pairs.model_copy(update={"split": "val"})
    validation = PairDataset(corpus, held_out, config.seed, config.model)
    record = {
        "data": "COCO-format sources, pairs made by ltr_train.data",
        "sources": sorted({picture.source for picture in corpus.pictures}),
        "terms": TERMS,
        "command": shlex.join(command),
        "started_from": str(start.name) if start else None,
        "config": json.loads(config.model_dump_json(exclude={"data": {"root"}})),
    }
    trainer = Trainer(config, pairs, validation, out, record, version, device, report)
    if resume:
        trainer.load(checkpoint)
    elif start is not None:
        trainer.begin_with(start)
    trainer.train()
    return out / WEIGHTS
