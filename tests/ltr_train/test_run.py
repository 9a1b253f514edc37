"""The training command: from a folder of pictures to weights that track."""

import json
import sys
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

import ebtrack
from ebtrack.cli import app
from networks.weights import load_weights


def train(out: Path, corpus: Path, *more: str, config: str = "default") -> "tuple[int, str]":
    settings = ["--tiny", "--set", f"data.root={corpus}", "--device", "cpu"]
    result = CliRunner().invoke(app, ["train", config, "--out", str(out), *settings, *more])
    return result.exit_code, result.output


def test_weights_that_were_trained_can_be_tracked_with(tmp_path: Path, corpus: Path) -> None:
    code, said = train(tmp_path / "run", corpus)
    assert code == 0, said
    _, info = load_weights(tmp_path / "run" / "weights.safetensors")
    assert info.training["steps"] in (3, 6)
    assert info.training["sources"] == {"discs": {"pictures": 16, "boxes": 16}}
    assert "Research use" in info.training["terms"]
    assert info.config.trained_presence == pytest.approx(0.8)
    tracker = ebtrack.load(tmp_path / "run" / "weights.safetensors", device="cpu")
    frame = cv2.imread(str(corpus / "discs" / "images" / "1.png"))
    tracker.init(frame, (66, 46, 28, 28))
    assert isinstance(tracker.update(frame), ebtrack.Track)


def test_a_finished_run_is_not_overwritten_and_one_without_a_checkpoint_begins_anew(
    tmp_path: Path, corpus: Path
) -> None:
    out = tmp_path / "run"
    code, said = train(out, corpus, "--resume")
    assert code == 2
    assert "nothing to resume" in said
    out.mkdir(exist_ok=True)
    (out / "log.jsonl").write_text('{"step": 50}\n')
    assert train(out, corpus)[0] == 0
    before = (out / "weights.safetensors").read_bytes()
    code, said = train(out, corpus)
    assert code == 2
    assert "--resume" in said
    assert (out / "weights.safetensors").read_bytes() == before
    (out / "checkpoint.pt").unlink()
    code, said = train(out, corpus)
    assert code == 2
    assert "weights.safetensors of an earlier run" in said
    assert (out / "weights.safetensors").read_bytes() == before


def test_what_cannot_be_written_to_or_begun_twice_is_one_line(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        code, said = train(out, corpus)
        assert code == 2, said
        assert "cannot be made a folder" in said
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"")
    code, said = train(tmp_path / "run", corpus, "--resume", "--start", "default.safetensors")
    assert code == 2
    assert "not both" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("pairs.absent=0", "with and without the target"),
        ("data.root=/nowhere/at/all", "/nowhere/at/all"),
        ("model.bins=none", "model.bins"),
        ("steps", "name.name=value"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, corpus: Path, setting: str, said: str) -> None:
    code, output = train(tmp_path / "run", corpus, "--set", setting)
    assert code == 2
    assert said in output
    assert "Traceback" not in output


def test_masks_without_their_reader_say_what_to_install(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = corpus / "discs" / "annotations.json"
    content = json.loads(file.read_text())
    content["annotations"][0]["segmentation"] = [[66, 46, 94, 46, 94, 74, 66, 74]]
    file.write_text(json.dumps(content))
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    code, said = train(tmp_path / "run", corpus)
    assert code == 2
    assert "ebtrack[train]" in said
