"""The trainer: it learns, resumes exactly, and refuses what it cannot use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ltr_train.config import ConfigError, TrainConfig, read_config
from ltr_train.trainer import CHECKPOINT, LOG, WEIGHTS, Trainer
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


def test_a_new_run_can_begin_with_another_runs_weights(make: Callable[..., Trainer]) -> None:
    first = make("first")
    first.train()
    second = make("second", steps=100, seed=1)
    second.load(first.out / CHECKPOINT, weights_only=True)
    assert second.step == 0
    expected = first.averaged().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in second.model.state_dict().items())


def test_a_loss_that_is_not_finite_stops_and_keeps_the_batch(make: Callable[..., Trainer]) -> None:
    trainer = make("nan")
    trainer.out.mkdir()
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
