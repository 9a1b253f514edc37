"""The trainer: one loop for CPU and GPU, resumable; on a CPU a run is a function of its seed."""

from __future__ import annotations

import json
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.utils.data import Dataset

from ltr_train.config import ConfigError, TrainConfig
from ltr_train.loading import Batch, loader
from ltr_train.objective import Objective, joint_objective, presence_loss
from networks.backbone import start_from_timm
from networks.boxes import crop_iou
from networks.config import ModelConfig
from networks.distributions import BOX_NOISE
from networks.model import EnergyTracker
from networks.weights import WeightsError, load_weights, save_weights
from tracker.interrupt import CtrlC

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
WEIGHTS = "weights.safetensors"


@dataclass
class Forward:
    """What one pass over a batch gives."""

    objective: Objective
    null: Tensor
    samples: Tensor
    """``[N, M, 4]``."""
    score: Tensor
    """``[N, M]`` f at the samples."""


def forward(model: EnergyTracker, batch: Batch, uniform: Tensor, autocast: bool) -> Forward:
    """Runs the networks over a batch of pairs.

    Args:
        model: the networks.
        batch: ``template`` ``[N, S, S, 3]`` and ``search`` uint8 BGR, ``template_box`` and ``search_box`` ``[N, 4]``.
        uniform: ``[M, N, 5]`` base noise of the draw.
        autocast: whether convolutions run in bfloat16.
    """
    device = uniform.device.type
    with torch.autocast(device, torch.bfloat16, enabled=autocast):
        template = model.encode_template(batch["template"].permute(0, 3, 1, 2), batch["template_box"])
        search = model.features(batch["search"].permute(0, 3, 1, 2))
        proposal = model.propose(template, search)
    sampler = model.defend(proposal)
    boxes = torch.cat((batch["search_box"].unsqueeze(0), sampler.from_uniform(uniform)))
    log_q = proposal.log_prob(boxes)
    log_sampler = sampler.log_prob(boxes, log_q)
    with torch.autocast(device, torch.bfloat16, enabled=autocast):
        score = model.score(template, search, boxes.transpose(0, 1))
    objective = joint_objective(score[:, 0], score[:, 1:], log_sampler[0], log_sampler[1:].T, log_q[0], log_q[1:].T)
    return Forward(objective, template.null, boxes[1:].transpose(0, 1), score[:, 1:])


def total_loss(config: TrainConfig, result: Forward, present: Tensor) -> Tensor:
    """The scalar that is minimised; the box terms are masked where the target is absent."""
    weight, terms = config.loss, result.objective
    per_box = weight.nce * terms.nce + weight.kl * terms.kl + weight.nll * terms.nll
    box = torch.where(present, per_box, torch.zeros_like(per_box)).sum() / present.sum().clamp_min(1)
    return box + weight.presence * presence_loss(terms.log_z, result.null, present).mean()


class Trainer:
    """Trains a model on pairs and keeps its state in a folder.

    Args:
        config: the run.
        pairs: training pairs, indexed from 0 without end.
        validation: held-out pairs.
        out: folder for checkpoint, log and weights.
        record: goes into the weights file beside what the trainer knows.
        version: of ebtrack, for the weights file.
        device: where the networks run.
        report: called with a dictionary of figures after every logged step.
    """

    def __init__(
        self,
        config: TrainConfig,
        pairs: Dataset[Any],
        validation: Dataset[Any],
        out: Path,
        record: dict[str, Any],
        version: str,
        device: torch.device,
        report: Callable[[dict[str, float]], None],
    ) -> None:
        self.config, self.out, self.record, self.version = config, out, record, version
        self.pairs, self.validation, self.device, self.report = pairs, validation, device, report
        torch.manual_seed(config.seed)
        self.model = EnergyTracker(config.model)
        if config.model.backbone.timm_start:
            start_from_timm(self.model.backbone, config.model.backbone.timm_start)
        self.model = self.model.to(device)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.model,
            # The average starts as the mean of what there is: a fixed decay would keep the initial weights for long.
            avg_fn=lambda old, new, n: torch.lerp(old, new, torch.as_tensor(1 / (n + 1)).clamp_min(1 - config.ema)),
            use_buffers=False,
        )
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.step = 0
        out.mkdir(parents=True, exist_ok=True)

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.config.warmup)
        progress = torch.tensor(min(1.0, step / self.config.steps) * torch.pi)
        return warm * (0.01 + 0.99 * 0.5 * (1 + float(torch.cos(progress))))

    def save(self) -> None:
        """Writes the checkpoint and the averaged weights; each file appears whole or not at all."""
        averaged = self.averaged()
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "config": self.config.model_dump_json(),
        }
        partial = self.out / (CHECKPOINT + ".partial")
        torch.save(state, partial)
        os.replace(partial, self.out / CHECKPOINT)
        record = self.record | {"steps": self.step, "batch": self.config.batch, "seed": self.config.seed}
        save_weights(self.out / WEIGHTS, averaged, record, self.version)

    def begin_with(self, path: Path) -> None:
        """Begins a new schedule with the tensors of a weights file.

        Raises:
            ConfigError: the file cannot be used, or describes another network.
        """
        try:
            model, info = load_weights(path)
        except WeightsError as error:
            raise ConfigError(str(error)) from error
        if _shape(info.config) != _shape(self.config.model):
            raise ConfigError(f"{path} holds a network of another configuration than model: of this run")
        self.model.load_state_dict(model.state_dict())
        self.average.module.load_state_dict(model.state_dict())

    def load(self, path: Path) -> None:
        """Continues from a checkpoint.

        Raises:
            ConfigError: the file is no checkpoint, or of a run with another configuration.
        """
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            began = TrainConfig.model_validate_json(state["config"])
        except (OSError, EOFError, RuntimeError, KeyError, ValidationError, pickle.UnpicklingError) as error:
            raise ConfigError(f"{path} is no checkpoint that training can go on from: {error}") from error
        changed = _differences(began.model_dump(), self.config.model_dump())
        if changed:
            raise ConfigError(f"a run goes on as it began, but these have changed: {', '.join(changed)}")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.step = state["step"]

    def averaged(self) -> EnergyTracker:
        """The averaged model; batch statistics are the trained model's latest."""
        module = self.average.module
        for target, source in zip(module.buffers(), self.model.buffers(), strict=True):
            target.copy_(source)
        assert isinstance(module, EnergyTracker)
        return module

    def _to_device(self, batch: Batch) -> Batch:
        return {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}

    def _uniform(self, step: int, batch: int) -> Tensor:
        generator = torch.Generator().manual_seed((self.config.seed << 32) + step)
        return torch.rand(self.config.samples, batch, BOX_NOISE, generator=generator).to(self.device)

    def train(self) -> None:
        """Runs to the configured number of steps, saving and validating on the way."""
        config = self.config
        batches = loader(self.pairs, self.step, config.steps, config.batch, config.data.workers)
        started, first = time.perf_counter(), self.step
        with CtrlC() as ctrl_c:
            try:
                for batch in batches:
                    with ctrl_c.held():
                        self._advance(batch, first, started)
            except KeyboardInterrupt:
                self.save()
                raise

    def _advance(self, batch: Batch, first: int, started: float) -> None:
        config = self.config
        figures = self._train_step(self._to_device(batch))
        figures["pairs_per_second"] = (self.step - first) * config.batch / (time.perf_counter() - started)
        if self.step % config.validate_every == 0 or self.step == config.steps:
            figures |= self.validate()
            self.save()
        if self.step % 50 == 0 or self.step == config.steps:
            self._log(figures)

    def _train_step(self, batch: Batch) -> dict[str, float]:
        config = self.config
        self.model.train()
        if self.step >= config.freeze_norm_after * config.steps:
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        result = forward(self.model, batch, self._uniform(self.step, config.batch), config.mixed_precision)
        loss = total_loss(config, result, batch["present"])
        self.optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        if not bool(torch.isfinite(loss) & torch.isfinite(norm)):
            torch.save(batch, self.out / "bad_batch.pt")
            raise FloatingPointError(
                f"at step {self.step} the loss is {loss.item()} and its gradient's norm {norm.item()}; "
                f"the batch is kept in {self.out / 'bad_batch.pt'}"
            )
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.model)
        self.step += 1
        return {
            "step": float(self.step),
            "loss": loss.item(),
            "gradient_norm": float(norm),
            "learning_rate": float(self.schedule.get_last_lr()[0]),
            **pair_figures(result, batch),
        }

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Figures of the averaged model on held-out pairs, names beginning with ``val_``."""
        config = self.config
        model = self.averaged().eval()
        rows: list[dict[str, float]] = []
        batches = loader(self.validation, 0, -(-config.validation_pairs // config.batch), config.batch, 0)
        for number, batch in enumerate(batches):
            batch = self._to_device(batch)
            result = forward(model, batch, self._uniform(-1 - number, config.batch), config.mixed_precision)
            rows.append(pair_figures(result, batch))
        return {f"val_{name}": sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    def _log(self, figures: dict[str, float]) -> None:
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps({name: round(value, 5) for name, value in figures.items()}) + "\n")
        self.report(figures)


def _shape(config: ModelConfig) -> ModelConfig:
    """What decides the tensors: neither where they once started from nor the share of crops with the target."""
    backbone = config.backbone.model_copy(update={"timm_start": None})
    return config.model_copy(update={"backbone": backbone, "trained_presence": 0.5})


def _differences(began: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Names of the entries that differ and change what is learned."""
    free = {"data.root", "data.workers", "validate_every", "validation_pairs"}
    names = []
    for name, value in now.items():
        if isinstance(value, dict):
            names += [f"{name}.{inner}" for inner in value if began[name][inner] != value[inner]]
        elif began[name] != value:
            names.append(name)
    return [name for name in names if name not in free]


@torch.no_grad()
def pair_figures(result: Forward, batch: Batch) -> dict[str, float]:
    """Means over a batch that tell how training goes: losses, IoU of the best sample's box, presence, ESS, log Z."""
    present, terms = batch["present"], result.objective
    best = result.score.argmax(1)
    box = result.samples.gather(1, best[:, None, None].expand(-1, 1, 4)).squeeze(1)
    overlap = crop_iou(box, batch["search_box"])

    def mean(values: Tensor) -> float:
        return float(values[present].mean()) if bool(present.any()) else 0.0

    return {
        "nce": mean(terms.nce),
        "nll": mean(terms.nll),
        "effective_kl": mean(terms.effective_kl),
        "ess": mean(terms.ess),
        "iou": mean(overlap),
        "log_z": mean(terms.log_z),
        "presence": float(((terms.log_z > result.null) == present).float().mean()),
    }
