"""The trainer: it learns, resumes exactly, and refuses what it cannot use."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ltr_train.config import ConfigError, TrainConfig, read_config
from ltr_train.loading import loader
from ltr_train.trainer import CHECKPOINT, LOG, WEIGHTS, Trainer, forward, total_loss
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


SMALL = ModelConfig(
    backbone=BackboneConfig(stem_width=8, widths=(8, 8, 16), depths=(1, 1, 1)),
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
        "validate_every": 20,
        "validation_pairs": 16,
        "mixed_precision": False,
    }
    return TrainConfig(**(settings | {"data": {"workers": 0}} | changes))


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Trainer]:
    def trainer(name: str, **changes: Any) -> Trainer:
        return Trainer(
            config(**changes),
            Squares(),
            Squares(),
            tmp_path / name,
            {"a": 1},
            "0",
            torch.device("cpu"),
            print,
        )

    return trainer


def test_it_learns_to_find_the_square(make: Callable[..., Trainer]) -> None:
    figures: list[dict[str, float]] = []
    trainer = make("learn", steps=250, validate_every=250, learning_rate=3e-3, freeze_norm_after=0.6, ema=0.9)
    trainer.report = figures.append
    before = trainer.validate()
    trainer.train()
    after = trainer.validate()
    assert after["val_iou"] > 0.5 > before["val_iou"]
    assert after["val_nll"] < before["val_nll"] - 1
    model, info = load_weights(trainer.out / WEIGHTS)
    assert info.training["steps"] == 250
    assert model.config == SMALL
    assert figures[-1]["step"] == 250


def test_an_interrupted_run_resumes_to_the_same_weights(make: Callable[..., Trainer]) -> None:
    whole = make("whole")
    whole.train()
    cut = make("cut")

    class Stop(Exception):
        pass

    original = cut._train_step

    def failing(batch: Any) -> dict[str, float]:
        if cut.step == 27:
            raise Stop
        return original(batch)

    cut._train_step = failing  # type: ignore[method-assign]
    with pytest.raises(Stop):
        cut.train()
    again = make("cut")
    again.load(again.out / CHECKPOINT)
    assert again.step == 20
    again.train()
    ours, theirs = load_weights(again.out / WEIGHTS)[1], load_weights(whole.out / WEIGHTS)[1]
    assert ours.checksum == theirs.checksum


def test_a_new_run_can_begin_with_another_runs_weights(make: Callable[..., Trainer], untrained_weights: Path) -> None:
    first = make("first")
    first.train()
    second = make("second", steps=100, seed=1)
    second.begin_with(first.out / WEIGHTS)
    assert second.step == 0
    expected = first.averaged().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in second.model.state_dict().items())
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
    for path in (damaged, first.out / "missing.pt", first.out / WEIGHTS):
        with pytest.raises(ConfigError, match="no checkpoint"):
            make("first", steps=20).load(path)


def test_ctrl_c_leaves_a_checkpoint_of_the_last_whole_step(make: Callable[..., Trainer]) -> None:
    trainer = make("stopped")
    original = trainer._train_step

    def interrupted(batch: Any) -> dict[str, float]:
        figures = original(batch)
        if trainer.step == 7:
            signal.raise_signal(signal.SIGINT)
        return figures

    trainer._train_step = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    again = make("stopped")
    again.load(again.out / CHECKPOINT)
    assert again.step == 7


def test_absent_pairs_teach_presence_alone(make: Callable[..., Trainer]) -> None:
    trainer = make("masked", loss={"presence": 0.0})
    batch = next(iter(loader(Squares(), 1, 2, 8, 0)))
    uniform = torch.rand(16, 8, 5, generator=torch.Generator().manual_seed(0))
    present = torch.arange(8) > 0

    def loss(changed: dict[str, torch.Tensor]) -> float:
        trainer.model.eval()
        result = forward(trainer.model, batch | changed, uniform, False)
        return float(total_loss(trainer.config, result, present).detach())

    label = batch["search_box"]
    moved_absent, moved_present = label.clone(), label.clone()
    moved_absent[0] += 0.1
    moved_present[1] += 0.1
    assert loss({"search_box": moved_absent}) == pytest.approx(loss({}), abs=1e-6)
    assert loss({"search_box": moved_present}) != pytest.approx(loss({}), abs=1e-3)


def test_the_objective_is_fed_the_sampler_and_the_proposal_where_they_belong(make: Callable[..., Trainer]) -> None:
    model = make("fed").model.eval()
    batch = next(iter(loader(Squares(), 1, 2, 8, 0)))
    uniform = torch.rand(16, 8, 5, generator=torch.Generator().manual_seed(0))
    result = forward(model, batch, uniform, False)
    template = model.encode_template(batch["template"].permute(0, 3, 1, 2), batch["template_box"])
    search = model.features(batch["search"].permute(0, 3, 1, 2))
    proposal = model.propose(template, search)
    sampler = model.defend(proposal)
    drawn = sampler.from_uniform(uniform)
    score = model.score(template, search, drawn.transpose(0, 1))
    expected_log_z = (score - sampler.log_prob(drawn).T).logsumexp(1) - np.log(16)
    torch.testing.assert_close(result.objective.log_z, expected_log_z)
    torch.testing.assert_close(result.objective.nll, -proposal.log_prob(batch["search_box"]))


def test_a_loss_that_is_not_finite_stops_and_keeps_the_batch(make: Callable[..., Trainer]) -> None:
    trainer = make("nan")
    with torch.no_grad():
        trainer.model.state_dict()["energy.out.3.bias"].fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="step 0"):
        trainer.train()
    kept = torch.load(trainer.out / "bad_batch.pt", weights_only=True)
    assert kept["search"].shape == (8, 64, 64, 3)
    assert not (trainer.out / LOG).exists()


def test_configurations_are_read_overridden_and_checked(tmp_path: Path) -> None:
    assert read_config("default", ["model.channels=32", "steps=7"]).model.channels == 32
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("model:\n  chanels: 3\nbatch: 1\n")
    with pytest.raises(ConfigError, match=r"model\.chanels.*batch"):
        read_config(wrong)
    with pytest.raises(ConfigError, match="no configuration"):
        read_config("missing")
    wrong.write_text("a: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_config(wrong)
    for override in ("steps", "steps.a=3"):
        with pytest.raises(ConfigError, match="override"):
            read_config("default", [override])
