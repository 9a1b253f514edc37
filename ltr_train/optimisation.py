"""What one step does to the networks: clipping, AdamW, the learning rate's schedule, averaged weights."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from ltr_train.config import TrainConfig
from ltr_train.learner import Learner
from networks.model import EnergyTracker


class Optimisation:
    """Optimisers and schedules, one a network, and the average of the tracker's weights, which is what is exported.

    Args:
        learner: its networks, on their device.
        config: rates and decays.
    """

    def __init__(self, learner: Learner, config: TrainConfig) -> None:
        self.config, self.tracker = config, learner.tracker
        self.networks = [n for n in (learner.tracker, learner.teacher) if n is not None]
        self.optimisers = [self._optimiser(network) for network in self.networks]
        self.schedules = [torch.optim.lr_scheduler.LambdaLR(o, self._rate) for o in self.optimisers]
        self.average = copy.deepcopy(learner.tracker).requires_grad_(False)

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        trained = [p for p in network.parameters() if p.requires_grad]
        decayed = {"params": [p for p in trained if p.ndim > 1], "weight_decay": self.config.weight_decay}
        others = {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0}
        return torch.optim.AdamW([decayed, others], lr=self.config.learning_rate)

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.config.warmup)
        return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.config.steps))))

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return float(self.schedules[0].get_last_lr()[0])

    def step(self, loss: Tensor, number: int) -> Tensor:
        """Moves the networks down the gradient of a loss.

        Args:
            loss: scalar.
            number: how many steps were taken before.

        Returns:
            The greatest of the networks' gradient norms, before clipping; without waiting for the device.
        """
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        loss.backward()
        norms = [nn.utils.clip_grad_norm_(network.parameters(), self.config.clip_norm) for network in self.networks]
        for optimiser, schedule in zip(self.optimisers, self.schedules, strict=True):
            optimiser.step()
            schedule.step()
        # The average starts as the mean of what there is: a fixed decay would keep the initial weights for long.
        weight = max(1 / (number + 1), 1 - self.config.ema)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.tracker.parameters()), weight)
        return torch.stack(norms).max()

    def averaged(self) -> EnergyTracker:
        """The averaged tracker; batch statistics are the trained one's latest."""
        for target, source in zip(self.average.buffers(), self.tracker.buffers(), strict=True):
            target.copy_(source)
        return self.average

    def begin(self, state: dict[str, Tensor]) -> None:
        """Lets tracker and average begin with the tensors of another one."""
        self.tracker.load_state_dict(state)
        self.average.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """What going on exactly needs, beside the networks."""
        return {
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a `state_dict`."""
        self.average.load_state_dict(state["average"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        for schedule, kept in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(kept)
