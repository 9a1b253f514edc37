"""Weights files: what is written comes back; what is not ours is refused and never run."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from networks.config import ModelConfig
from networks.model import EnergyTracker
from networks.weights import WeightsError, checksum, load_weights, save_weights


def test_a_saved_model_comes_back_the_same(tmp_path: Path) -> None:
    torch.manual_seed(3)
    config = ModelConfig(channels=16, proposal_width=8, energy_width=8, bins=2)
    model = EnergyTracker(config).eval()
    save_weights(tmp_path / "a.safetensors", model, {"steps": 12}, "1.2.3")
    loaded, info = load_weights(tmp_path / "a.safetensors")
    assert (info.version, info.training, info.config) == ("1.2.3", {"steps": 12}, config)
    assert info.parameters == sum(p.numel() for p in model.parameters())
    crops = torch.randint(0, 255, (1, 3, 256, 256), dtype=torch.uint8)
    torch.testing.assert_close(loaded.features(crops).stride8, model.features(crops).stride8)


def test_fusing_changes_nothing_but_the_number_of_operations(untrained_weights: Path) -> None:
    model, _ = load_weights(untrained_weights)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.rand(module.num_features) - 0.5
            module.running_var = torch.rand(module.num_features) + 0.5
    crops = torch.randint(0, 255, (1, 3, 256, 256), dtype=torch.uint8)
    before = model.features(crops)
    after = model.fuse().features(crops)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    torch.testing.assert_close(after.stride8, before.stride8, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(after.stride16, before.stride16, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("where", [0.5, 0.9])
def test_one_flipped_bit_is_noticed(untrained_weights: Path, tmp_path: Path, where: float) -> None:
    content = bytearray(untrained_weights.read_bytes())
    content[int(len(content) * where)] ^= 1
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(damaged)


def test_a_changed_record_is_noticed(untrained_weights: Path, tmp_path: Path) -> None:
    content = untrained_weights.read_bytes()
    assert content.count(b'search_factor\\":4.0') == 1
    changed = tmp_path / "changed.safetensors"
    changed.write_bytes(content.replace(b'search_factor\\":4.0', b'search_factor\\":5.0'))
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(changed)


@pytest.mark.parametrize("keep", [0, 7, 1000, 100_000])
def test_a_file_cut_short_is_an_error(untrained_weights: Path, tmp_path: Path, keep: int) -> None:
    short = tmp_path / "short.safetensors"
    short.write_bytes(untrained_weights.read_bytes()[:keep])
    with pytest.raises(WeightsError, match="damaged or cut short"):
        load_weights(short)


def test_a_length_that_looks_like_a_pickle_is_none(tmp_path: Path) -> None:
    for name_length in range(400):
        path = tmp_path / "model.safetensors"
        save_file({"x" * name_length: torch.zeros(1)}, path)
        if path.read_bytes()[0] == 0x80:
            break
    else:
        pytest.fail("no header of such a length was made")
    with pytest.raises(WeightsError, match="not one of ebtrack's"):
        load_weights(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(WeightsError, match="damaged or cut short"):
        load_weights(path)


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_pickled_file_is_refused_and_its_code_not_run(tmp_path: Path, writer: str) -> None:
    harm = tmp_path / "harm"
    path = tmp_path / "evil.safetensors"
    if writer == "torch":
        torch.save(_Evil(harm), path)
    else:
        path.write_bytes(pickle.dumps(_Evil(harm)))
    with pytest.raises(WeightsError, match="pickled"):
        load_weights(path)
    assert not harm.exists()


def test_foreign_newer_and_missing_files_say_what_is_wrong(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(2)}, foreign)
    with pytest.raises(WeightsError, match="not one of ebtrack's"):
        load_weights(foreign)
    newer = tmp_path / "newer.safetensors"
    save_file({"a": torch.zeros(2)}, newer, {"format": "ebtrack", "format_version": "99"})
    with pytest.raises(WeightsError, match="newer ebtrack"):
        load_weights(newer)
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights(tmp_path / "none.safetensors")


def test_a_configuration_that_does_not_fit_the_tensors_is_an_error(untrained_weights: Path, tmp_path: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(untrained_weights), framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    config = json.loads(metadata["config"])
    config["energy_width"] = 7
    metadata["config"] = json.dumps(config)
    metadata["checksum"] = checksum(tensors, metadata)
    save_file(tensors, tmp_path / "misfit.safetensors", metadata)
    with pytest.raises(WeightsError, match="does not describe a network"):
        load_weights(tmp_path / "misfit.safetensors")
