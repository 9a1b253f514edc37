"""The trainer: one loop for CPU and GPU, one process and many; resumable; on a CPU a run is a function of its seed."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset

from evaluation.lockstep import AnnotatedSequence
from ltr_train.card import write_card
from ltr_train.config import ConfigError, TrainConfig, differences
from ltr_train.data.render import Renderer
from ltr_train.distributed import World, mean_over_processes, share_norms
from ltr_train.learner import Learned, Learner, pair_figures
from ltr_train.loading import Batch, batches, usual_workers
from ltr_train.log import Clock, RunLog
from ltr_train.optimisation import Optimisation
from ltr_train.validation import validate_by_tracking
from networks.backbone import start_from_timm
from networks.config import ModelConfig
from networks.distributions import BOX_NOISE
from networks.weights import WeightsError, load_weights, save_weights
from tracker.config import TrackerConfig
from tracker.interrupt import CtrlC

CHECKPOINT = "checkpoint.pt"
WEIGHTS, LAST = "weights.safetensors", "last.safetensors"
CARD = "model-card.md"
BAD_BATCH = "bad_batch.pt"
CRITERIA = ("track_ao", "val_iou")
"""Figures that the best weights are chosen by, the first that there is; greater is better."""
_UNUSABLE = (OSError, EOFError, RuntimeError, KeyError, TypeError, ValueError, pickle.UnpicklingError)
"""What reading a checkpoint raises that is damaged, foreign or of another version."""


class Step(NamedTuple):
    """A step that was taken, until its figures are looked at."""

    number: int
    batch: Batch
    result: Learned
    loss: Tensor
    norm: Tensor
    finite: Tensor
    """Whether loss and norm are; on the CPU, once ``done`` has happened."""
    done: torch.cuda.Event | None


class Trainer:
    """Trains networks on pairs and keeps the run's state in a folder.

    Args:
        config: the run.
        pairs: training pairs, indexed from 0 without end.
        validation: held-out pairs.
        clips: held-out sequences, tracked at every validation.
        out: folder for checkpoint, log, weights and model card.
        record: goes into the weights file beside what the trainer knows.
        version: of ebtrack, for the weights file.
        device: where the networks run.
        report: called with a dictionary of figures after every logged step.
        renderer: makes the pixels of the training pairs on the device; their data set does when left out.
        world: the processes that train together; this one alone when left out.
    """

    def __init__(
        self,
        config: TrainConfig,
        pairs: Dataset[Any],
        validation: Dataset[Any],
        clips: Sequence[AnnotatedSequence],
        out: Path,
        record: dict[str, Any],
        version: str,
        device: torch.device,
        report: Callable[[dict[str, float]], None],
        renderer: Renderer | None = None,
        world: World | None = None,
    ) -> None:
        self.config, self.out, self.record, self.version = config, out, record, version
        self.pairs, self.validation, self.clips, self.renderer = pairs, validation, clips, renderer
        self.device, self.report, self.world = device, report, world or World()
        torch.manual_seed(config.seed)
        self.learner = Learner(config).to(device)
        self.optimisation = Optimisation(self.learner, config)
        self.step = 0
        self.best: dict[str, float] = {}
        """Step and figures of the best weights so far."""
        self._last: Step | None = None
        self._forward: nn.Module = self.learner
        if self.world.size > 1:
            share_norms(self.learner)
            self._forward = DistributedDataParallel(self.learner, broadcast_buffers=False)
        out.mkdir(parents=True, exist_ok=True)

    def begin_pretrained(self) -> None:
        """Begins with the ImageNet weights that the configuration names, if it names any."""
        name = self.config.model.backbone.timm_start
        if name:
            for network in self.optimisation.networks:
                start_from_timm(network.backbone, name)
            self.optimisation.begin(self.learner.tracker.state_dict())

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
        self.optimisation.begin(model.state_dict())

    def save(self) -> None:
        """Writes the checkpoint, which appears whole or not at all."""
        state = {
            "step": self.step,
            "best": self.best,
            "processes": self.world.size,
            "learner": self.learner.state_dict(),
            "optimisation": self.optimisation.state_dict(),
            "config": self.config.model_dump_json(),
            "started_from": self.record.get("started_from"),
        }
        partial = self.out / (CHECKPOINT + ".partial")
        torch.save(state, partial)
        os.replace(partial, self.out / CHECKPOINT)

    def load(self, path: Path) -> None:
        """Continues from a checkpoint.

        Raises:
            ConfigError: the file is no checkpoint, or of a run with another configuration.
        """
        try:
            # Not onto the device: AdamW counts its steps on the CPU, and would wait for a device at every parameter.
            state = torch.load(path, map_location="cpu", weights_only=True)
            began = TrainConfig.model_validate_json(state["config"])
            processes = state["processes"]
        except _UNUSABLE as error:
            raise ConfigError(f"{path} is no checkpoint that training can go on from: {error}") from error
        changed = differences(began, self.config)
        if changed:
            raise ConfigError(f"a run goes on as it began, but these have changed: {', '.join(changed)}")
        if processes != self.world.size:
            raise ConfigError(f"a run goes on as it began: with {processes} processes, not {self.world.size}")
        try:
            self.learner.load_state_dict(state["learner"])
            self.optimisation.load_state_dict(state["optimisation"])
            self.step, self.best = state["step"], state["best"]
            if state.get("started_from"):
                self.record = self.record | {"started_from": state["started_from"]}
        except _UNUSABLE as error:
            raise ConfigError(f"{path} is no checkpoint of a run of this version of ebtrack: {error}") from error

    def _uniform(self, step: int, batch: int) -> Tensor:
        generator = torch.Generator(self.device).manual_seed((self.config.seed << 32) + step)
        return torch.rand(self.config.samples, batch, BOX_NOISE, generator=generator, device=self.device)

    def train(self) -> None:
        """Runs to the configured number of steps, validating and saving on the way.

        Raises:
            FloatingPointError: a loss or gradient was not finite; the message says where the batch is kept.
            KeyboardInterrupt: after Ctrl-C, with a checkpoint of the last whole step; where several processes train,
                the last regular checkpoint stands.
        """
        clock = Clock(self.step)
        steps, config = range(self.step, self.config.steps), self.config
        workers = usual_workers(self.device) if config.data.workers is None else config.data.workers
        supply = batches(self.pairs, steps, config.batch, workers, self.device, self.renderer, self.world)
        with CtrlC() as ctrl_c, RunLog(self.out, self.step) if self.world.leads else nullcontext() as log:
            try:
                for batch in clock.timed(supply):
                    with ctrl_c.held():
                        self._take(batch)
                        self._look(clock, log)
            except KeyboardInterrupt:
                if self.world.size == 1:
                    self._check()
                    self.save()
                raise

    def _take(self, batch: Batch) -> None:
        """One step."""
        config = self.config
        self.learner.train()
        if self.step >= config.freeze_norm_after * config.steps:
            for module in self.learner.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        uniform = self._uniform(self.step, config.batch * self.world.size)
        result: Learned = self._forward(batch, self.world.part(uniform, 1))
        norm = self.optimisation.step(result.loss, self.step)
        self._check()
        loss = mean_over_processes(result.loss.detach())
        # The copy waits for this step on the device, not here; it is read when the next one has been given to it.
        finite = (torch.isfinite(loss) & torch.isfinite(norm)).to("cpu", non_blocking=True)
        done = torch.cuda.current_stream(self.device).record_event() if self.device.type == "cuda" else None
        self._last = Step(self.step, batch, result, loss, norm, finite, done)
        self.step += 1

    def _check(self) -> None:
        """Stops where the last step was not finite: looked at one step late, so that no device waits for it."""
        last = self._last
        if last is not None and last.done is not None:
            last.done.synchronize()
        if last is None or bool(last.finite):
            return
        path = self.out / (BAD_BATCH if self.world.leads else f"{self.world.rank}_{BAD_BATCH}")
        torch.save(last.batch, path)
        raise FloatingPointError(
            f"at step {last.number} the loss is {last.loss.item()} and its gradient's norm {last.norm.item()}; "
            f"the batch is kept in {path}"
        )

    def _look(self, clock: Clock, log: RunLog | None) -> None:
        """Logs, validates, exports and saves where it is time to."""
        config, last = self.config, self._last
        ends = self.step == config.steps
        validates = ends or self.step % config.validate_every == 0
        if not (validates or self.step % config.log_every == 0):
            return
        self._check()
        if log is not None and last is not None:
            figures = {
                "step": float(self.step),
                "loss": last.loss.item(),
                "gradient_norm": last.norm.item(),
                "learning_rate": self.optimisation.learning_rate,
                **pair_figures(last.result, last.batch),
                "pairs_per_second": clock.rate(self.step) * config.batch * self.world.size,
                "waiting": clock.waiting(),
            }
            figures |= self.validate() if validates else {}
            log.write(figures)
            self.report(figures)
            if validates:
                self._export(figures, log)
                self.save()
        if validates and self.world.size > 1:
            torch.distributed.barrier()
        clock.restart(self.step)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Figures of the averaged weights: ``val_`` names on held-out pairs, ``track_`` names on clips."""
        config = self.config
        learner = copy.deepcopy(self.learner).eval()
        learner.tracker.load_state_dict(self.optimisation.averaged().state_dict())
        rows: list[dict[str, float]] = []
        count = -(-config.validation_pairs // config.batch)
        for number, batch in enumerate(batches(self.validation, range(count), config.batch, 0, self.device)):
            uniform = self._uniform(-1 - number, config.batch)
            rows.append(pair_figures(learner(batch, uniform), batch))
        figures = {f"val_{name}": sum(row[name] for row in rows) / len(rows) for name in rows[0]}
        return figures | validate_by_tracking(
            learner.tracker, self.clips, TrackerConfig(), config.validation.batch, config.seed
        )

    def _export(self, figures: dict[str, float], log: RunLog) -> None:
        """Writes the averaged weights as the last ones, and as the best ones where they are."""
        criterion = next(name for name in CRITERIA if name in figures)
        validation = {name: value for name, value in figures.items() if name.startswith(("val_", "track_"))}
        record = self.record | {
            "steps": self.step,
            "batch": self.config.batch * self.world.size,
            "seed": self.config.seed,
            "validation": {name: round(value, 5) for name, value in validation.items()},
        }
        averaged = self.optimisation.averaged()
        save_weights(self.out / LAST, averaged, record, self.version)
        if figures[criterion] > self.best.get(criterion, -1.0):
            self.best = {"step": figures["step"], criterion: figures[criterion]}
            save_weights(self.out / WEIGHTS, averaged, record | {"chosen_by": criterion}, self.version)
        write_card(self.out / CARD, load_weights(self.out / WEIGHTS)[1], log.rows)


def _shape(config: ModelConfig) -> ModelConfig:
    """What decides the tensors: neither where they once started from nor the share of crops with the target."""
    backbone = config.backbone.model_copy(update={"timm_start": None})
    return config.model_copy(update={"backbone": backbone, "trained_presence": 0.5})
