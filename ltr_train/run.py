"""One training run from a configuration: reads the pictures, trains, resumes, leaves weights behind."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ltr_train.config import ConfigError, TrainConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.pairs import PairDataset
from ltr_train.data.render import renderer_for
from ltr_train.data.sets import load_sets
from ltr_train.distributed import World
from ltr_train.trainer import CHECKPOINT, LAST, WEIGHTS, Trainer
from ltr_train.validation import validation_clips


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
    world: World | None = None,
) -> Path:
    """Trains a tracker and returns the path of its best weights.

    Args:
        config: the run.
        out: folder for checkpoint, log and weights.
        version: of ebtrack, written into the weights.
        command: the command line that started the run, written into the weights.
        device: where the networks run.
        resume: continue the run that ``out`` holds.
        start: a weights file that a new run begins with.
        report: called with the figures of every logged step.
        world: the processes that train together; this one alone when left out.

    Raises:
        ConfigError: ``out`` holds another run or cannot be written to, there is nothing to resume or it cannot be, or
            the data cannot be read.
    """
    _expect_place(out, resume)
    if resume and start is not None:
        raise ConfigError("a run that goes on has its weights already: give --resume or --start, not both")
    if not 0 < config.pairs.absent < 1:
        raise ConfigError(
            f"pairs.absent is {config.pairs.absent:g}, but must lie between 0 and 1: presence is learned from crops "
            "with and without the target"
        )
    try:
        corpus = load_sets(config.data.root, config.data.sets, config.data.longest, config.data.memory_gb)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    # Presence is used under another prior than it is trained with, so the weights have to know the latter.
    model = config.model.model_copy(update={"trained_presence": 1 - config.pairs.absent})
    config = config.model_copy(update={"model": model})
    pairs = PairDataset(corpus, config.pairs, config.seed, config.model)
    held_out = config.pairs.model_copy(update={"split": "val"})
    validation = PairDataset(corpus, held_out, config.seed, config.model)
    try:
        clips = validation_clips(corpus, config.pairs, config.validation, config.seed)
    except ValueError as error:
        raise ConfigError(f"validation.sequences: {error}") from error
    record = {
        "data": "Pairs made by ltr_train.data",
        "sources": _counts(corpus),
        "terms": config.terms,
        "command": shlex.join(command),
        "started_from": str(start.name) if start else None,
        "config": json.loads(
            config.model_dump_json(exclude={"data": {"root": True, "sets": {"__all__": {"root"}}}, "terms": True})
        ),
    }
    renderer = renderer_for(corpus, device, config.data.make, config.data.atlas_gb)
    trainer = Trainer(config, pairs, validation, clips, out, record, version, device, report, renderer, world)
    if resume:
        trainer.load(out / CHECKPOINT)
    elif start is not None:
        trainer.begin_with(start)
    else:
        trainer.begin_pretrained()
    trainer.train()
    return out / WEIGHTS


def _expect_place(out: Path, resume: bool) -> None:
    """The folder of a run must be there to go on with, or be free and fit to be written to."""
    if resume:
        if not (out / CHECKPOINT).is_file():
            raise ConfigError(f"nothing to resume in {out}: it holds no {CHECKPOINT}")
        return
    if (out / CHECKPOINT).exists():
        raise ConfigError(f"{out} holds a training run: go on with --resume, or name another folder with --out")
    kept = next((name for name in (WEIGHTS, LAST) if (out / name).exists()), None)
    if kept:
        raise ConfigError(f"{out} holds {kept} of an earlier run: name another folder with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out} cannot be made a folder ({error.strerror}): name another with --out") from error
    if not os.access(out, os.W_OK):
        raise ConfigError(f"{out} cannot be written to: name another folder with --out")


def _counts(corpus: Corpus) -> dict[str, dict[str, int]]:
    """Pictures and boxes of every source."""
    pictures = Counter(picture.source for picture in corpus.pictures)
    boxes = Counter(corpus.pictures[annotation.picture].source for annotation in corpus.annotations)
    return {source: {"pictures": pictures[source], "boxes": boxes[source]} for source in sorted(pictures)}
