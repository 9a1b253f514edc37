"""The training command: from a folder of pictures to weights that track."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import ebtrack
from ebtrack.cli import app
from ltr_train.data import sheet
from networks.weights import load_weights

TINY = (
    "steps=2",
    "batch=2",
    "samples=8",
    "warmup=1",
    "validate_every=2",
    "validation_pairs=2",
    "mixed_precision=false",
    "data.workers=0",
    "pairs.holdout=0.5",
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Pictures of a bright disc each, in COCO format."""
    folder = tmp_path / "data" / "discs"
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(1, 17):
        picture = cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (160, 120))
        cv2.circle(picture, (80, 60), 14, (250, 250, 250), -1)
        cv2.imwrite(str(folder / "images" / f"{i}.png"), picture)
        images.append({"id": i, "file_name": f"{i}.png", "width": 160, "height": 120})
        annotations.append({"id": i, "image_id": i, "bbox": [66, 46, 28, 28], "category_id": 1, "iscrowd": 0})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "disc"}]}
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder.parent


def train(out: Path, corpus: Path, *more: str, config: str = "default") -> "tuple[int, str]":
    settings = [part for entry in (*TINY, f"data.root={corpus}") for part in ("--set", entry)]
    result = CliRunner().invoke(app, ["train", config, "--out", str(out), "--device", "cpu", *settings, *more])
    return result.exit_code, result.output


def test_weights_that_were_trained_can_be_tracked_with(tmp_path: Path, corpus: Path) -> None:
    code, said = train(tmp_path / "run", corpus)
    assert code == 0, said
    _, info = load_weights(tmp_path / "run" / "weights.safetensors")
    assert info.training["steps"] == 2
    assert info.training["sources"] == ["discs"]
    assert "Research use" in info.training["terms"]
    assert info.config.trained_presence == pytest.approx(0.85)
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


def test_a_contact_sheet_is_drawn_and_a_wrong_folder_named(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheet.png"
    settings = ["--set", f"data.root={corpus}", "--set", "pairs.holdout=0", "--pairs", "5"]
    monkeypatch.setattr(sys, "argv", ["sheet", "default", str(out), *settings])
    sheet.main()
    drawn = cv2.imread(str(out))
    assert drawn is not None
    # Four pairs a row, two rows; each at least a template and a search crop wide.
    assert drawn.shape[0] >= 2 * 256
    assert drawn.shape[1] >= 4 * (128 + 256)
    monkeypatch.setattr(sys, "argv", ["sheet", "default", str(out), "--set", "data.root=/nowhere/at/all"])
    with pytest.raises(SystemExit):
        sheet.main()
    assert "/nowhere/at/all" in capsys.readouterr().err


def test_the_larger_variant_trains_without_its_pretrained_start(tmp_path: Path, corpus: Path) -> None:
    small = ("model.backbone.timm_start=null", "model.backbone.widths=[16,32,64]", "model.backbone.depths=[1,1,1]")
    code, said = train(
        tmp_path / "run", corpus, *(part for entry in small for part in ("--set", entry)), config="resnet50"
    )
    assert code == 0, said
