"""Training configuration: a YAML file, checked, with overrides from the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from ltr_train.data.config import PairConfig
from ltr_train.data.readers.options import SetConfig
from ltr_train.objective import Theta
from ltr_train.tiny import miniature
from ltr_train.validation import ValidationConfig
from networks.config import ModelConfig, StrictModel


class ConfigError(Exception):
    """A training configuration that cannot be used; the message says what to mend."""


class DataConfig(StrictModel):
    """Where training pictures come from."""

    root: Path = Path("../shared/train")
    """Folder that the roots of ``sets`` are relative to; itself relative to the working folder."""
    sets: tuple[SetConfig, ...] = Field((SetConfig(reader="coco_tracks"),), min_length=1)
    longest: int = Field(512, ge=64)
    """Longer side of a picture, px; larger ones are reduced."""
    memory_gb: float = Field(8.0, ge=0)
    """Pictures that take no more than this when decoded are kept so; otherwise each is decoded when it is drawn."""
    make: Literal["auto", "device", "workers"] = "auto"
    """Where pairs are made: rendered in batches on the device, from plans of the workers; or wholly by the workers.
    ``auto`` renders on a CUDA device that the decoded pictures fit into."""
    atlas_gb: float = Field(8.0, gt=0)
    """Most memory that the decoded pictures may take on the device; never more than half of what is free there."""
    workers: int | None = Field(None, ge=0)
    """Processes that make pairs, or plan them, beside the one that trains. When left out: one beside a CPU, which
    trains as well, and beside a GPU as many as there are cores to spare, at most eight."""


class LossConfig(StrictModel):
    """Weights of the terms of the objective (docs/method.md, section 2)."""

    theta: Theta = "nce"
    """How f learns: ``nce`` ranks the label among the samples, ``importance`` is the sampled likelihood."""
    energy: float = Field(1.0, ge=0)
    """Of the loss that teaches f."""
    kl: float = Field(0.5, ge=0)
    """Of L_kl, by which f teaches q."""
    nll: float = Field(0.5, ge=0)
    """Of L_nll, by which the label teaches q."""
    presence: float = Field(1.0, gt=0)
    shared_features: bool = True
    """Whether the proposal's losses train the features, or its head alone, as in the paper's experiments."""


class TrainConfig(StrictModel):
    """One training run."""

    method: Literal["joint", "teacher", "mdn"] = "joint"
    """Energy and proposal together; a mixture density network taught by a jointly trained energy network, with an
    optimiser each; or a mixture density network alone."""
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    pairs: PairConfig = PairConfig()
    loss: LossConfig = LossConfig()
    steps: int = Field(20_000, ge=1)
    batch: int = Field(32, ge=2)
    """Pairs a step, of each process."""
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
    log_every: int = Field(50, ge=1)
    validate_every: int = Field(1000, ge=1)
    validation_pairs: int = Field(512, ge=2)
    validation: ValidationConfig = ValidationConfig()
    terms: str = (
        "Of the code: Apache-2.0. The weights: as the licences of the pictures that they were trained on allow."
    )
    """Terms of use, written into the weights and their card."""

    @model_validator(mode="after")
    def _method_fits_the_network(self) -> Self:
        if self.method == "joint" and self.model.score != "energy":
            raise ValueError("method joint trains an energy head: it needs model.score: energy")
        if self.method != "joint" and self.model.score != "proposal":
            raise ValueError(
                f"method {self.method} gives a network without energy head: it needs model.score: proposal"
            )
        if self.method != "joint" and not self.loss.shared_features:
            raise ValueError(
                f"method {self.method} trains the tracker's features by the proposal alone: it needs "
                "loss.shared_features: true"
            )
        if self.method == "mdn" and (self.loss.energy or self.loss.kl):
            raise ValueError("method mdn has no energy to learn from: it needs loss.energy: 0 and loss.kl: 0")
        return self


def read_config(path: Path | str, overrides: Sequence[str] = (), tiny: bool = False) -> TrainConfig:
    """Reads and checks a configuration.

    Args:
        path: a YAML file, or the name of one that ships with ebtrack, for example ``default``.
        overrides: ``a.b=value`` each, the value in YAML; a number in the name is that of an entry of a list.
        tiny: make it small first, so that all of it runs in seconds.

    Raises:
        ConfigError: no such file, not YAML, or an unknown or unfit entry; the message names it.
    """
    path = Path(path)
    if not path.is_file():
        shipped = files("configs") / f"{path}.yaml"
        if not shipped.is_file():
            raise ConfigError(f"no configuration at {path}: give a YAML file, or a name that ships with ebtrack")
        text = shipped.read_text(encoding="utf-8")
    else:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read as text: {error}") from error
    try:
        content: Any = yaml.safe_load(text) or {}
        if not isinstance(content, dict):
            raise ConfigError(f"{path} must hold names and values, not {type(content).__name__}")
        overrides = [*(miniature(content) if tiny else ()), *overrides]
        for override in overrides:
            _override(content, override)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        wrong = [_complaint(e["loc"], e["msg"], str(path), text, overrides) for e in error.errors()]
        raise ConfigError("; ".join(wrong)) from error


def _override(content: Any, override: str) -> None:
    name, equals, value = override.partition("=")
    if not equals:
        raise ConfigError(f"override {override!r} must look like name.name=value")
    *parents, last = name.split(".")
    for depth, parent in enumerate(parents):
        content = _entry(content, parent, override, ".".join(parents[:depth]))
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: {value} is not valid YAML") from error
    if isinstance(content, list):
        _entry(content, last, override, ".".join(parents))
        content[int(last)] = parsed
    elif isinstance(content, dict):
        content[last] = parsed
    else:
        raise ConfigError(f"override {override!r}: {'.'.join(parents)} is a single value, it has no entries")


def _entry(content: Any, name: str, override: str, within: str) -> Any:
    """What an override's next part names: an entry, made where it is missing, or a number of a list."""
    if isinstance(content, list):
        if not name.isdecimal() or int(name) >= len(content):
            raise ConfigError(f"override {override!r}: {within} is a list of {len(content)}, give a number below that")
        return content[int(name)]
    if not isinstance(content, dict):
        raise ConfigError(f"override {override!r}: {within} is a single value, it has no entries")
    if content.get(name) is None:
        content[name] = {}
    return content[name]


def _complaint(loc: tuple[int | str, ...], message: str, path: str, text: str, overrides: Sequence[str]) -> str:
    """One error with the place that it comes from: an override, or a line of the file."""
    name = ".".join(map(str, loc))
    message = message.removeprefix("Value error, ").replace("Extra inputs are not permitted", "there is no such entry")
    for override in reversed(overrides):
        given = override.partition("=")[0]
        if name == given or name.startswith(given + "."):
            return f"--set {override}: {name}: {message}"
    line = _line(yaml.compose(text), loc)
    return f"{path}{'' if line is None else f', line {line}'}: {f'{name}: ' if name else ''}{message}"


def _line(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int | None:
    """Line, counted from 1, of the deepest entry of a YAML tree on the way to an error."""
    line = None
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


_FREE = (
    "data.root",
    "data.workers",
    "data.memory_gb",
    "data.atlas_gb",
    "log_every",
    "validate_every",
    "validation.batch",
    "terms",
)


def differences(began: TrainConfig, now: TrainConfig) -> list[str]:
    """Names of the entries that differ and change what is learned; those of where and how fast do not."""
    first, second = _flat(began.model_dump(), ""), _flat(now.model_dump(), "")
    changed = [name for name in first | second if first.get(name, _FREE) != second.get(name, _FREE)]
    sets_root = re.compile(r"data\.sets\.\d+\.root")
    return [n for n in changed if not (n in _FREE or sets_root.fullmatch(n))]


def _flat(value: Any, name: str) -> dict[str, Any]:
    """The single values of a nested configuration, by dotted name."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else None
    if inner is None:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, part in inner:
        flat |= _flat(part, f"{name}.{key}" if name else str(key))
    return flat
