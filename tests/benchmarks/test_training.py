"""The ablation of training: a row a variant, and nothing is trained twice."""

import sys
from pathlib import Path

import pytest

from benchmarks import training
from ltr_train.config import read_config


@pytest.mark.parametrize("entries", training.VARIANTS.values(), ids=training.VARIANTS)
def test_a_variant_is_a_configuration_of_its_own(entries: tuple[str, ...]) -> None:
    assert (read_config("default", entries) == read_config("default")) == (not entries)


def test_variants_are_trained_once(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = read_config("default", (f"data.root={corpus}",), tiny=True)
    monkeypatch.setattr(training, "read_config", lambda _, entries: tiny.model_copy(update={"seed": len(entries)}))
    call = ["training.py", "--out", str(tmp_path), "--only", "as configured", "2 x 2 bins"]
    monkeypatch.setattr(sys, "argv", call)
    training.main()
    first = capsys.readouterr().out
    assert "as configured" in first
    assert "model.bins=2" in first
    trained = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    assert len({file.parent for file in trained}) == 2
    training.main()
    assert capsys.readouterr().out == first
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")} == trained
