"""What is learned: one pass over a batch of pairs, from crops to losses, for all three methods."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ltr_train.config import TrainConfig
from ltr_train.distributed import mean_over_processes
from ltr_train.loading import Batch
from ltr_train.objective import Objective, joint_objective, presence_loss
from networks.boxes import crop_iou
from networks.model import EnergyTracker


class Learned(NamedTuple):
    """What one pass over a batch of ``N`` pairs gives."""

    loss: Tensor
    """Scalar; its mean over the processes is what is minimised."""
    objective: Objective
    log_odds: Tensor
    """``[N]`` log Z - b of the tracker that is exported, as trained: above 0 means present."""
    samples: Tensor
    """``[N, M, 4]`` crop boxes."""
    score: Tensor
    """``[N, M]`` the exported tracker's f at the samples."""


class Learner(nn.Module):
    """The networks that learn together.

    * ``joint``: one network; the energy head learns from the label among samples, the proposal from energy and label.
    * ``teacher``: a mixture density network (the tracker) and an energy network (the teacher) with features of their
      own. The tracker's proposal is what the teacher is trained with; the teacher is left behind.
    * ``mdn``: a mixture density network alone.

    One backward pass serves both networks, as no gradient passes from one to the other (docs/method.md, section 2).
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        self.tracker = EnergyTracker(config.model)
        self.teacher = (
            EnergyTracker(config.model.model_copy(update={"score": "energy"})) if config.method == "teacher" else None
        )
        if self.teacher is not None:
            self.teacher.proposal.requires_grad_(False)

    def forward(self, batch: Batch, uniform: Tensor) -> Learned:
        """One pass.

        Args:
            batch: ``template`` and ``search`` ``[N, S, S, 3]`` uint8 BGR, ``template_box`` and ``search_box`` ``[N,
                4]`` in crop coordinates, ``present`` ``[N]`` bool.
            uniform: ``[M, N, 5]`` base noise of the draw.
        """
        weight, tracker = self.config.loss, self.tracker
        autocast = torch.autocast(uniform.device.type, torch.bfloat16, enabled=self.config.mixed_precision)
        template_crops, search_crops = (batch[name].permute(0, 3, 1, 2) for name in ("template", "search"))
        with autocast:
            template = tracker.encode_template(template_crops, batch["template_box"], weight.shared_features)
            search = tracker.features(search_crops)
            proposal = tracker.propose(template, search, weight.shared_features)
        sampler = tracker.defend(proposal)
        label, samples = batch["search_box"], sampler.from_uniform(uniform)
        boxes = torch.cat((label.unsqueeze(0), samples)).transpose(0, 1)
        with autocast:
            score = tracker.score(template, search, boxes, proposal)
            judged, null = score, None
            if self.teacher is not None:
                known = self.teacher.encode_template(template_crops, batch["template_box"])
                judged, null = (
                    self.teacher.score(known, self.teacher.features(search_crops), boxes, proposal),
                    known.null,
                )
        terms = joint_objective(judged[:, 0], judged[:, 1:], label, samples, proposal, sampler)
        per_box = weight.energy * terms.energy(weight.theta) + weight.kl * terms.kl + weight.nll * terms.nll
        present = batch["present"]
        count = present.float().sum()
        share = (mean_over_processes(count) if self.training else count).clamp_min(1.0)
        loss = torch.where(present, per_box, torch.zeros_like(per_box)).sum() / share
        # The mass of a mixture is known exactly; that of an energy is what the samples say.
        log_z = terms.log_z if tracker.config.score == "energy" else proposal.log_mass
        loss = loss + weight.presence * presence_loss(log_z, template.null, present).mean()
        if null is not None:
            loss = loss + weight.presence * presence_loss(terms.log_z, null, present).mean()
        return Learned(loss, terms, (log_z - template.null).detach(), boxes[:, 1:].detach(), score[:, 1:].detach())


@torch.no_grad()
def pair_figures(result: Learned, batch: Batch) -> dict[str, float]:
    """Means over a batch that tell how training goes: likelihood, IoU of the best sample, presence, ESS, log Z."""
    present, terms = batch["present"], result.objective
    best = result.score.argmax(1)
    box = result.samples.gather(1, best[:, None, None].expand(-1, 1, 4)).squeeze(1)

    def mean(values: Tensor) -> Tensor:
        return torch.where(present, values, torch.zeros_like(values)).sum() / present.sum().clamp_min(1)

    means = {
        "nce": mean(terms.nce),
        "nll": mean(terms.nll),
        "effective_kl": mean(terms.effective_kl),
        "ess": mean(terms.ess),
        "iou": mean(crop_iou(box, batch["search_box"])),
        "log_z": mean(terms.log_z),
        "presence": ((result.log_odds > 0) == present).float().mean(),
    }
    # One transfer instead of seven: each would make a GPU wait.
    return dict(zip(means, torch.stack(list(means.values())).tolist(), strict=True))
