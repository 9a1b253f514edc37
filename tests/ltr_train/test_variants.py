"""Every configuration that ships trains, on small copies of the data sets that it names."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ebtrack
from ebtrack.cli import app
from ltr_train.config import read_config
from networks.weights import load_weights
from tests.ltr_train.readers import layouts

CONFIGS = sorted(Path(__file__).parents[2].joinpath("configs").glob("*.yaml"))
CLIPS = {"got10k": (("a_1",), ("b_2",), ("c_3",)), "trackingnet": (("abc_0",), ("def_1",), ("ghi_2",))}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_it_trains_in_miniature(path: Path, tmp_path: Path, corpus: Path) -> None:
    config = read_config(path)
    for one in config.data.sets:
        folder = tmp_path / "sets" / one.root
        folder.mkdir(parents=True, exist_ok=True)
        if one.reader == "coco_tracks":
            (folder / "discs").symlink_to(corpus / "discs")
            continue
        for clip in CLIPS.get(one.reader, ((),)):
            getattr(layouts, one.reader)(folder, *clip)
    arguments = ["train", str(path), "--tiny", "--out", str(tmp_path / "run"), "--device", "cpu"]
    done = CliRunner().invoke(app, [*arguments, "--set", f"data.root={tmp_path / 'sets'}"])
    assert done.exit_code == 0, done.output
    model, info = load_weights(tmp_path / "run" / "weights.safetensors")
    assert model.config.score == config.model.score
    assert info.training["config"]["method"] == config.method
    assert str(tmp_path) not in str(info.training["config"])
    assert "# Model card" in (tmp_path / "run" / "model-card.md").read_text()
    frame = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    tracker = ebtrack.load(tmp_path / "run" / "weights.safetensors", device="cpu")
    tracker.init(frame, (60, 40, 30, 30))
    track = tracker.update(frame)
    assert isinstance(track, ebtrack.Track)
    assert 0 <= track.presence <= 1
