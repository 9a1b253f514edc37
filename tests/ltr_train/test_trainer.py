"""The trainer: it learns, resumes exactly, and refuses what it cannot use."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ltr_train.config import ConfigError, TrainConfig
from ltr_train.learner import Learner
from ltr_train.log import LOG, RunLog
from ltr_train.trainer import CARD, CHECKPOINT, LAST, WEIGHTS, Trainer
from networks.config import BackboneConfig, ModelConfig
from networks.weights import load_weights


class Squares(Dataset[Any]):
    """A bright square on noise; the target is the square."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng(index)
        search = rng.integers(0, 60, (64, 64, 3), np.uint8)
        template = rng.integers(0, 60, (32, 32, 3), np.uint8)
        template[8:24, 8:24] = 220
        x, y = rng.integers(8, 40, 2)
        search[y : y + 16, x : x + 16] = 220
        box = np.array([(x + 8) / 64 - 0.5, (y + 8) / 64 - 0.5, np.log(0.25), np.log(0.25)], np.float32)
        return {
            "template": template,
            "template_box": np.array([0, 0, np.log(0.5), np.log(0.5)], np.float32),
            "search": search,
            "search_box": box,
            "present": np.bool_(index % 8 != 0),
        }


class Sequence:
    """The square wandering through eight frames, gone in the fifth."""

    name = "square"

    def __init__(self) -> None:
        self.groundtruth = np.array([[40.0 + 3 * t, 50.0 - 2 * t, 16, 16] for t in range(8)])
        self.groundtruth[4] = np.nan

    def frames(self) -> Iterator[Any]:
        for t, (x, y, _, _) in enumerate(self.groundtruth):
            frame = np.random.default_rng(t).integers(0, 60, (120, 160, 3), np.uint8)
            if not np.isnan(x):
                frame[int(y) : int(y) + 16, int(x) : int(x) + 16] = 220
            yield frame


def first_batch(size: int = 8) -> dict[str, torch.Tensor]:
    pairs = [Squares()[size + i] for i in range(size)]
    return {name: torch.as_tensor(np.stack([pair[name] for pair in pairs])) for name in pairs[0]}


def noise(samples: int = 16, size: int = 8) -> torch.Tensor:
    return torch.rand(samples, size, 5, generator=torch.Generator().manual_seed(0))


SMALL = ModelConfig(
    backbone=BackboneConfig(stem_width=16, widths=(16, 16, 16), depths=(1, 1, 1)),
    channels=16,
    proposal_width=16,
    energy_width=16,
    bins=2,
    template_size=32,
    search_size=64,
)


def config(**changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {
        "model": SMALL,
        "steps": 40,
        "batch": 8,
        "samples": 32,
        "warmup": 5,
        "log_every": 10,
        "validate_every": 20,
        "validation_pairs": 16,
        "mixed_precision": False,
    }
    return TrainConfig(**(settings | {"data": {"workers": 0}} | changes))


def method(name: str) -> dict[str, Any]:
    """What a configuration needs for another method."""
    if name == "joint":
        return {}
    loss = {"energy": 0, "kl": 0, "nll": 1} if name == "mdn" else {}
    return {"method": name, "model": SMALL.model_copy(update={"score": "proposal"}), "loss": loss}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Trainer]:
    def trainer(name: str, **changes: Any) -> Trainer:
        return Trainer(
            config(**changes),
            Squares(),
            Squares(),
            [Sequence()],
            tmp_path / name,
            {"a": 1},
            "0",
            torch.device("cpu"),
            print,
        )

    return trainer


def rows(trainer: Trainer) -> list[dict[str, float]]:
    return [json.loads(line) for line in (trainer.out / LOG).read_text().splitlines()]


@pytest.mark.parametrize("name", ["joint", "teacher", "mdn"])
def test_every_method_learns_to_find_the_square(make: Callable[..., Trainer], name: str) -> None:
    figures: list[dict[str, float]] = []
    trainer = make(
        "learn", steps=250, validate_every=250, learning_rate=3e-3, freeze_norm_after=0.6, ema=0.9, **method(name)
    )
    trainer.report = figures.append
    before = trainer.validate()
    trainer.train()
    after = trainer.validate()
    assert after["val_iou"] > 0.5 > before["val_iou"]
    assert after["val_nll"] < before["val_nll"] - 1
    assert after["track_ao"] > max(0.4, before["track_ao"])
    model, info = load_weights(trainer.out / WEIGHTS)
    assert info.training["steps"] == 250
    assert model.config == trainer.config.model
    assert figures[-1]["step"] == 250
    assert rows(trainer)[-1]["track_ao"] == pytest.approx(after["track_ao"], abs=1e-5)


def test_the_teacher_and_its_pupil_do_not_reach_into_each_other(make: Callable[..., Trainer]) -> None:
    def gradients(**loss: float) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        torch.manual_seed(0)
        learner = Learner(config(**(method("teacher") | {"loss": {"presence": 1e-9} | loss})))
        learner(first_batch(), noise()).loss.backward()
        assert learner.teacher is not None
        found = [
            [p.grad for p in network.parameters() if p.grad is not None]
            for network in (learner.tracker, learner.teacher)
        ]
        return found[0], found[1]

    def size(parts: list[torch.Tensor]) -> float:
        return sum(float(part.abs().sum()) for part in parts)

    pupil, teacher = gradients(energy=1, kl=0, nll=0)
    assert size(pupil) < 1e-5 < 1e-2 < size(teacher)
    pupil, teacher = gradients(energy=0, kl=1, nll=0)
    assert size(teacher) < 1e-5 < 1e-2 < size(pupil)


def test_the_proposal_trains_the_features_or_its_head_alone() -> None:
    def gradients(**loss: Any) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(0)
        learner = Learner(config(loss={"presence": 1e-9, "energy": 0, "kl": 1, **loss})).eval()
        learner(first_batch(), noise()).loss.backward()
        return tuple(
            torch.stack([p.grad.abs().sum() for p in part.parameters() if p.grad is not None]).sum()
            for part in (learner.tracker.backbone, learner.tracker.proposal)
        )  # type: ignore[return-value]

    features, head = gradients(shared_features=False)
    assert features < 1e-5 < 1e-2 < head
    features, shared_head = gradients()
    assert features > 1e-2
    assert shared_head == pytest.approx(head.item(), rel=1e-5)


def test_the_estimator_that_teaches_the_energy_is_a_choice() -> None:
    def loss(theta: str) -> float:
        torch.manual_seed(0)
        learner = Learner(config(loss={"theta": theta, "kl": 0, "nll": 0, "presence": 1e-9})).eval()
        result = learner(first_batch(), noise())
        terms = result.objective.nce if theta == "nce" else result.objective.importance
        present = first_batch()["present"]
        assert float(result.loss.detach()) == pytest.approx(float(terms[present].mean().detach()), abs=1e-5)
        return float(result.loss.detach())

    assert loss("nce") != pytest.approx(loss("importance"), abs=1e-3)


def test_an_interrupted_run_resumes_to_the_same_weights_and_losses(make: Callable[..., Trainer]) -> None:
    whole = make("whole")
    whole.train()
    cut = make("cut")

    class Stop(Exception):
        pass

    original = cut._take

    def failing(batch: Any) -> None:
        if cut.step == 37:
            raise Stop
        original(batch)

    cut._take = failing  # type: ignore[method-assign]
    with pytest.raises(Stop):
        cut.train()
    assert rows(cut)[-1]["step"] == 30
    again = make("cut")
    again.load(again.out / CHECKPOINT)
    assert again.step == 20
    again.train()
    for file in (WEIGHTS, LAST):
        assert load_weights(again.out / file)[1].checksum == load_weights(whole.out / file)[1].checksum
    timeless = [
        [{k: v for k, v in row.items() if k not in ("pairs_per_second", "waiting")} for row in rows(run)]
        for run in (again, whole)
    ]
    assert timeless[0] == timeless[1]
    assert [row["step"] for row in timeless[0]] == [10, 20, 30, 40]


def test_the_best_weights_are_kept_beside_the_last(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make("best", validate_every=10)
    scores = iter([0.3, 0.6, 0.5])
    validate = Trainer.validate
    monkeypatch.setattr(Trainer, "validate", lambda self: validate(self) | {"track_ao": next(scores)})
    trainer.config = trainer.config.model_copy(update={"steps": 30})
    trainer.train()
    best, last = (load_weights(trainer.out / file)[1].training for file in (WEIGHTS, LAST))
    assert (best["steps"], last["steps"]) == (20, 30)
    assert best["validation"]["track_ao"] == 0.6
    assert best["chosen_by"] == "track_ao"
    assert "0.6" in (trainer.out / CARD).read_text()


def test_a_new_run_can_begin_with_another_runs_weights(make: Callable[..., Trainer], untrained_weights: Path) -> None:
    first = make("first")
    first.train()
    second = make("second", steps=100, seed=1)
    second.begin_with(first.out / LAST)
    assert second.step == 0
    expected = first.optimisation.averaged().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in second.learner.tracker.state_dict().items())
    with pytest.raises(ConfigError, match="another configuration"):
        second.begin_with(untrained_weights)
    with pytest.raises(ConfigError, match="no weights file"):
        second.begin_with(first.out / "missing.safetensors")


def test_a_run_does_not_go_on_under_another_configuration(make: Callable[..., Trainer]) -> None:
    first = make("first", steps=20)
    first.train()
    with pytest.raises(ConfigError, match=r"loss\.kl, steps, learning_rate"):
        make("first", steps=40, learning_rate=0.1, loss={"kl": 0.1}).load(first.out / CHECKPOINT)
    with pytest.raises(ConfigError, match=r"changed: model\.bins"):
        make("first", model=SMALL.model_copy(update={"bins": 3})).load(first.out / CHECKPOINT)
    damaged = first.out / "damaged.pt"
    damaged.write_bytes((first.out / CHECKPOINT).read_bytes()[:5000])
    whole = torch.load(first.out / CHECKPOINT, weights_only=True)
    foreign, older = first.out / "foreign.pt", first.out / "older.pt"
    torch.save([1], foreign)
    torch.save({name: part for name, part in whole.items() if name != "optimisation"}, older)
    for path in (damaged, foreign, older, first.out / "missing.pt", first.out / WEIGHTS):
        with pytest.raises(ConfigError, match="no checkpoint"):
            make("first", steps=20).load(path)


def test_a_resumed_run_still_knows_what_it_began_with(make: Callable[..., Trainer]) -> None:
    first = make("first", steps=20)
    first.record["started_from"] = "default.safetensors"
    first.train()
    again = make("first", steps=20)
    again.record["started_from"] = None
    again.load(first.out / CHECKPOINT)
    assert again.record["started_from"] == "default.safetensors"


def test_small_figures_are_logged_with_their_digits(tmp_path: Path) -> None:
    RunLog(tmp_path, 0).write({"step": 1_234_567.0, "learning_rate": 2.96e-6})
    row = json.loads((tmp_path / LOG).read_text())
    assert row == {"step": 1_234_567, "learning_rate": 2.96e-6}


def test_ctrl_c_leaves_a_checkpoint_of_the_last_whole_step(make: Callable[..., Trainer]) -> None:
    trainer = make("stopped")
    original = trainer._take

    def interrupted(batch: Any) -> None:
        original(batch)
        if trainer.step == 7:
            signal.raise_signal(signal.SIGINT)

    trainer._take = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    again = make("stopped")
    again.load(again.out / CHECKPOINT)
    assert again.step == 7


def test_absent_pairs_teach_presence_alone() -> None:
    torch.manual_seed(0)
    learner = Learner(config(loss={"presence": 1e-9})).eval()
    batch = first_batch() | {"present": torch.arange(8) > 0}

    def loss(changed: dict[str, torch.Tensor]) -> float:
        return float(learner(batch | changed, noise()).loss.detach())

    label = batch["search_box"]
    moved_absent, moved_present = label.clone(), label.clone()
    moved_absent[0] += 0.1
    moved_present[1] += 0.1
    assert loss({"search_box": moved_absent}) == pytest.approx(loss({}), abs=1e-6)
    assert loss({"search_box": moved_present}) != pytest.approx(loss({}), abs=1e-3)


def test_the_objective_is_fed_the_sampler_and_the_proposal_where_they_belong() -> None:
    torch.manual_seed(0)
    learner = Learner(config()).eval()
    model, batch, uniform = learner.tracker, first_batch(), noise()
    result = learner(batch, uniform)
    template = model.encode_template(batch["template"].permute(0, 3, 1, 2), batch["template_box"])
    search = model.features(batch["search"].permute(0, 3, 1, 2))
    proposal = model.propose(template, search)
    sampler = model.defend(proposal)
    drawn = sampler.from_uniform(uniform)
    score = model.score(template, search, drawn.transpose(0, 1), proposal)
    expected_log_z = (score - sampler.log_prob(drawn).T).logsumexp(1) - np.log(16)
    torch.testing.assert_close(result.objective.log_z, expected_log_z)
    torch.testing.assert_close(result.log_odds, (expected_log_z - template.null).detach())
    torch.testing.assert_close(result.objective.nll, -proposal.log_prob(batch["search_box"]))


def test_a_loss_that_is_not_finite_stops_and_keeps_the_batch(make: Callable[..., Trainer]) -> None:
    trainer = make("nan")
    with torch.no_grad():
        trainer.learner.state_dict()["tracker.energy.out.3.bias"].fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="step 0"):
        trainer.train()
    kept = torch.load(trainer.out / "bad_batch.pt", weights_only=True)
    assert kept["search"].shape == (8, 64, 64, 3)
    assert not (trainer.out / LOG).exists()
    assert not (trainer.out / CHECKPOINT).exists()
