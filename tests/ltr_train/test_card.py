"""The model card: complete, the same every time, and there with whatever the run has left."""

from pathlib import Path
from typing import Any

import pytest

from ltr_train.card import write_card
from networks.config import BackboneConfig, ModelConfig
from networks.weights import WeightsInfo, load_weights

TRAINING: dict[str, Any] = {
    "data": "annotated pictures",
    "sources": {"cats": {"pictures": 3}, "dogs": {"pictures": 4}},
    "terms": "Research use only.",
    "command": "ebtrack train default --set steps=3000",
    "started_from": None,
    "steps": 2000,
    "batch": 32,
    "seed": 7,
    "chosen_by": "track_ao",
    "config": {
        "method": "joint",
        "steps": 3000,
        "samples": 128,
        "learning_rate": 0.001,
        "loss": {"kl": 0.5},
        "data": {"sets": [{"reader": "got10k", "every": 2, "limit": None}]},
        "pairs": {"video": 0.3, "still": 0.1},
        "validation": {"sequences": None},
    },
}
LOG: list[dict[str, float]] = [
    {"step": 50, "loss": 3.0},
    {"step": 1000, "loss": 2.0, "val_iou": 0.5, "track_ao": 0.4, "track_presence_auroc": 0.75},
    {"step": 2000, "loss": 1.0, "val_iou": 0.6, "track_ao": 0.6123},
    {"step": 3000, "loss": 1.5, "val_iou": 0.7, "track_ao": float("nan")},
]


def card(folder: Path, training: dict[str, Any], log: list[dict[str, float]], config: ModelConfig | None = None) -> str:
    info = WeightsInfo(folder / "best.safetensors", "1.2.3", "abc123", 1_414_139, config or ModelConfig(), training)
    write_card(folder / "model-card.md", info, log)
    return (folder / "model-card.md").read_text()


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_card_says_what_how_and_on_what_terms(tmp_path: Path) -> None:
    text = card(tmp_path, TRAINING, LOG)
    assert text.startswith("# Model card: best.safetensors\n")
    assert row(text, "parameters") == ["1,414,139"]
    assert "energy head that pools 4 x 4 bins" in row(text, "heads")[0]
    assert row(text, "checksum") == ["SHA-256 abc123"]
    assert "Research use only." in text
    assert "--weights best.safetensors" in text
    assert "| dogs | pictures 4 |" in text
    assert "- reader got10k, every 2\n" in text
    assert "video 75%, cutout 0%, still 25%, patch 0%" in text
    assert "    ebtrack train default --set steps=3000\n" in text
    assert row(text, "method") == ["joint"]
    assert row(text, "steps of these weights") == ["2,000"]
    assert row(text, "pairs in all") == ["64,000"]
    assert row(text, "seed") == ["7"]
    assert "began with" not in text
    assert str(tmp_path) not in text
    assert [path.name for path in tmp_path.iterdir()] == ["model-card.md"]


def test_the_curve_shows_validations_alone_and_marks_the_chosen_one(tmp_path: Path) -> None:
    text = card(tmp_path, TRAINING, LOG)
    assert row(text, "step") == ["AO", "presence AUROC", "IoU"]
    assert row(text, "1,000") == ["0.400", "0.750", "0.500"]
    assert row(text, r"**2,000**") == ["0.612", "-", "0.600"]
    assert row(text, "3,000") == ["-", "-", "0.700"]
    assert "| 50 |" not in text
    assert "The weights are of step 2,000: of the highest AO in 3 validations." in text
    assert "a little too good" in text
    assert "spliced in" in text


def test_steps_that_were_logged_twice_stand_once_as_they_were_last(tmp_path: Path) -> None:
    text = card(tmp_path, TRAINING, [*LOG[2:], {"step": 1000, "track_ao": 0.1}, {"step": 1000, "track_ao": 0.45}])
    lines = [line for line in text.splitlines() if line.startswith(("| 1,000", "| **2,000", "| 3,000"))]
    assert [line.split()[1] for line in lines] == ["1,000", "**2,000**", "3,000"]
    assert row(text, "1,000")[0] == "0.450"


@pytest.mark.parametrize("log", [[], [{"step": 50, "loss": 1.0}]])
def test_a_run_without_validation_and_a_bare_record_still_have_a_card(
    tmp_path: Path, log: list[dict[str, float]]
) -> None:
    text = card(tmp_path, {}, log)
    assert "The log holds no validation." in text
    assert "The record says nothing of them." in text
    assert "None" not in text


def test_pairs_alone_and_given_sequences_have_limits_of_their_own(tmp_path: Path) -> None:
    assert "how errors add up" in card(tmp_path, {}, [{"step": 9, "val_iou": 0.5}])
    steered = TRAINING["config"] | {"validation": {"sequences": "videos"}}
    text = card(tmp_path, TRAINING | {"config": steered}, LOG)
    assert "steered by the sequences" in text
    assert "spliced in" not in text


def test_another_network_and_counted_sources_are_described(tmp_path: Path) -> None:
    config = ModelConfig(score="proposal", backbone=BackboneConfig(widths=(8, 8, 16)), search_size=128)
    text = card(tmp_path, TRAINING | {"sources": {"cats|dogs": {"pictures": 1200, "licence": "CC0"}}}, LOG, config)
    assert "unnormalised density" in row(text, "heads")[0]
    assert row(text, "components of the proposal")[0].startswith("64,")
    assert '"search_size": 128' in text
    assert "| cats\\|dogs | pictures 1,200, licence CC0 |" in text


def test_the_card_of_a_weights_file_is_the_same_every_time_and_replaces_an_older_one(
    tmp_path: Path, untrained_weights: Path
) -> None:
    _, info = load_weights(untrained_weights)
    path = tmp_path / "card.md"
    path.write_text("an older card, much longer than the new one\n" * 1000)
    write_card(path, info, LOG)
    first = path.read_bytes()
    write_card(path, info, LOG)
    assert path.read_bytes() == first
    assert b"older card" not in first
    assert info.checksum.encode() in first
