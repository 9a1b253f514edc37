"""The command that looks at training data before it is trained on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from ebtrack.cli import app
from ltr_train.data.check import count, pair_shares, verify
from ltr_train.data.config import PairConfig
from ltr_train.data.readers import SetConfig
from ltr_train.data.sets import index_sets
from networks.config import ModelConfig
from tests.ltr_train.readers import layouts

CLIP = "GOT-10k_Train_000001"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Small copies of GOT-10k and COCO below ``data``, and a configuration of both."""
    layouts.got10k(tmp_path / "data" / "GOT-10k")
    layouts.coco(tmp_path / "data" / "coco")
    sets = [
        {"reader": "got10k", "root": "GOT-10k", "weight": 3},
        {"reader": "coco", "root": "coco"},
    ]
    content = {"data": {"root": str(tmp_path / "data"), "sets": sets}, "pairs": {"holdout": 0.6}}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def check(root: Path, *more: str) -> tuple[int, str]:
    """Exit code and output of the command with the configuration of ``root``."""
    out = () if "--out" in more else ("--out", str(root / "sheet.png"))
    result = CliRunner().invoke(app, ["data", "check", str(root / "my.yaml"), *out, *more], env={"COLUMNS": "160"})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, " ".join(result.output.split())


def test_sets_are_counted_and_a_sheet_of_pairs_is_drawn(root: Path) -> None:
    code, said = check(root, "--pairs", "5")
    assert code == 0, said
    assert f"got10k ({root}/data/GOT-10k), weight 3" in said
    # pictures, boxes, masks, clips, tracks, train, val
    assert "got10k 4 2 0 1 1 4 0" in said
    assert "coco 3 2 2 0 0 2 1" in said
    assert "7 headers of pictures, 7 pictures decoded" in said
    drawn = cv2.imread(str(root / "sheet.png"))
    assert drawn is not None
    # Four pairs a row, two rows; each at least a template and a search crop wide.
    assert drawn.shape[0] >= 2 * 256
    assert drawn.shape[1] >= 4 * (128 + 256)
    assert np.ptp(drawn) > 100


def test_an_earlier_sheet_is_kept_unless_told_otherwise(root: Path) -> None:
    sheet = root / "sheet.png"
    sheet.write_bytes(b"mine")
    code, said = check(root)
    assert code == 2
    assert "--overwrite" in said
    assert sheet.read_bytes() == b"mine"
    assert check(root, "--overwrite", "--pairs", "1")[0] == 0
    assert cv2.imread(str(sheet)) is not None


def test_shares_of_pairs_follow_kinds_and_weights(root: Path) -> None:
    sets = [
        SetConfig(reader="got10k", root=Path("GOT-10k"), weight=3),
        SetConfig(reader="coco", root=Path("coco")),
    ]
    corpus = index_sets(root / "data", sets, 512)
    config = PairConfig(holdout=0.0, video=0.4, cutout=0.1, still=0.2, patch=0.3)
    shares = pair_shares(corpus, config, ModelConfig())
    # Tracks are GOT-10k's alone, masks COCO's alone; boxes and pictures they share three to one.
    assert shares == pytest.approx({(0, "got10k"): 0.4 + 0.75 * 0.5, (1, "coco"): 0.1 + 0.25 * 0.5})
    held_out = count(corpus, PairConfig(holdout=0.999999))
    assert {key: (row.train, row.val) for key, row in held_out.items()} == {(0, "got10k"): (0, 4), (1, "coco"): (0, 3)}


def test_files_missing_or_damaged_are_listed_and_no_sheet_is_drawn(root: Path) -> None:
    pictures = root / "data" / "coco" / "train2017"
    (pictures / "000000000000.jpg").unlink()
    layouts.write_picture(root / "data" / "GOT-10k" / "train" / CLIP / "00000003.jpg", size=(64, 50))
    cut = pictures / "000000000001.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    code, said = check(root)
    assert code == 2
    assert "000000000000.jpg' does not exist" in said
    assert "00000003.jpg' is 64 x 50 px" in said
    assert "000000000001.jpg' is damaged" in said
    assert "error: 3 problems with the data" in said
    assert not (root / "sheet.png").exists()
    assert "is damaged" not in check(root, "--decode", "0")[1]


def test_a_wrong_root_is_one_line(root: Path) -> None:
    for more, expected in (
        (("--set", "data.root=/nowhere/at/all"), "/nowhere/at/all/GOT-10k/train/list.txt' does not exist"),
        (("--set", "data.sets.1.root=cocoa"), "cocoa/annotations/instances_train2017.json' does not exist"),
        (("--set", "data.sets.1.reader=nothing"), "data.sets.1.reader"),
        (("--out", str(root / "none" / "sheet.png")), "none does not exist"),
        (("--out", str(root / "sheet.txt")), "is no picture"),
        (("--set", "pairs.holdout=0"), "'val' split is empty: pairs.holdout (0)"),
    ):
        code, said = check(root, *more)
        assert code == 2, more
        assert expected in said
        assert "Traceback" not in said


def test_masks_apart_from_their_boxes_are_noted(root: Path) -> None:
    file = root / "data" / "coco" / "annotations" / "instances_train2017.json"
    file.write_text(file.read_text().replace("[4, 6, 20, 16]", "[40, 30, 20, 16]"))
    corpus = index_sets(root / "data", [SetConfig(reader="coco", root=Path("coco"))], 512)
    assert verify(corpus, 10).disagreeing == 1
    assert verify(corpus, 10).problems == ()
    code, said = check(root, "--pairs", "1")
    assert code == 0
    assert "note: masks that hardly overlap their boxes (IoU below 0.5): 1" in said
