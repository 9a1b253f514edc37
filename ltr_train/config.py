"""Training configuration: a YAML file, checked, with overrides from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from ltr_train.data.config import PairConfig
from networks.config import ModelConfig, StrictModel


class ConfigError(Exception):
    """A training configuration that cannot be used; the message says what to mend."""


class DataConfig(StrictModel):
    """Where training pictures come from."""

    root: Path = Path("../shared/train")
    """Folder of COCO-format sources, one folder each with an ``annotations.json``; relative to the working folder."""
    sources: tuple[str, ...] | None = None
    """Names of the sources to use; all of them when left out."""
    limit: int | None = Field(None, ge=1)
    """Most pictures read of each source."""
    workers: int = Field(1, ge=0)
    """Processes that make pairs beside the one that trains."""


class LossConfig(StrictModel):
    """Weights of the terms of the joint objective."""

    nce: float = Field(1.0, ge=0)
    kl: float = Field(0.5, ge=0)
    nll: float = Field(0.5, ge=0)
    presence: float = Field(1.0, ge=0)


class TrainConfig(StrictModel):
    """One training run."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    pairs: PairConfig = PairConfig()
    loss: LossConfig = LossConfig()
    steps: int = Field(20_000, ge=1)
    batch: int = Field(32, ge=2)
    samples: int = Field(128, ge=2)
    """M, boxes drawn from the sampler for each pair."""
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    warmup: int = Field(500, ge=1)
    """Steps over which the learning rate rises from zero."""
    clip_norm: float = Field(5.0, gt=0)
    ema: float = Field(0.999, ge=0, lt=1)
    """Decay of the averaged weights, which are the ones validated and exported."""
    freeze_norm_after: float = Field(0.7, ge=0, le=1)
    """Share of the steps after which batch norm keeps its running statistics, so that template and search crops,
    which have different batch statistics, are trained as they will be used."""
    mixed_precision: bool = True
    """bfloat16 for the convolutions and products."""
    seed: int = Field(0, ge=0)
    validate_every: int = Field(1000, ge=1)
    validation_pairs: int = Field(512, ge=2)


def read_config(path: Path | str, overrides: Sequence[str] = ()) -> TrainConfig:
    """Reads and checks a configuration.

    Args:
        path: a YAML file, or the name of one that ships with ebtrack, for example ``default``.
        overrides: ``a.b=value`` each, the value in YAML.

    Raises:
        ConfigError: no such file, not YAML, or an unknown or unfit entry; the message names it.
    """
    path = Path(path)
    if not path.is_file():
        shipped = files("configs") / f"{path}.yaml"
        if not shipped.is_file():
            raise ConfigError(f"no configuration at {path}: give a YAML file, or a name that ships with ebtrack")
        text = shipped.read_text()
    else:
        text = path.read_text()
    try:
        content: Any = yaml.safe_load(text) or {}
        if not isinstance(content, dict):
            raise ConfigError(f"{path} must hold names and values, not {type(content).__name__}")
        for override in overrides:
            _override(content, override)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path}: {wrong}") from error


def _override(content: dict[str, Any], override: str) -> None:
    name, equals, value = override.partition("=")
    if not equals:
        raise ConfigError(f"override {override!r} must look like name.name=value")
    *parents, last = name.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ConfigError(f"override {override!r}: {parent} is a single value, it has no entries")
    content[last] = yaml.safe_load(value)
