"""The command that writes rendered clips: its files read back to train on and to measure."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from ebtrack.cli import app
from evaluation.sequences import read_sequences
from ltr_train.data.clip_config import RenderConfig
from ltr_train.data.config import PairConfig
from ltr_train.data.pairs import PairDataset
from ltr_train.data.rendered import RenderedClip, rendered_clips
from tests.ltr_train.readers import layouts
from tests.ltr_train.scenes import load_scenes, write_scenes

SMALL = ("--clips", "2", "--frames", "40", "--width", "192", "--height", "144")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_scenes(tmp_path / "data")
    content = {
        "data": {"root": str(tmp_path / "data"), "sets": [{"reader": "coco_tracks"}]},
        "pairs": {"holdout": 0.4, "jpeg": 0.0, "noise": 0.0},
    }
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def render(root: Path, *more: str) -> tuple[int, str]:
    """Exit code and output of the command with the configuration of ``root``."""
    arguments = ["data", "render", str(root / "my.yaml"), "--out", str(root / "clips"), *SMALL, *more]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, " ".join(result.output.split())


def expected(root: Path) -> list[RenderedClip]:
    pairs = PairConfig(holdout=0.4, jpeg=0.0, noise=0.0, split="val")
    return rendered_clips(load_scenes(root / "data"), pairs, RenderConfig(clips=2, frames=40, width=192, height=144), 0)


def test_clips_are_read_back_to_train_on_and_to_measure(root: Path) -> None:
    code, said = render(root)
    assert code == 0, said
    assert said == f"2 clips, and sheet.png, in {root}/clips"
    made = expected(root)
    sheet = cv2.imread(str(root / "clips" / "sheet.png"))
    assert sheet is not None
    # Eight frames of 4 : 3 and 144 px a row.
    assert sheet.shape[0] >= 2 * 144
    assert sheet.shape[1] >= 8 * 192
    corpus = layouts.load("got10k", root / "clips")
    sequences = read_sequences(root / "clips")
    assert [s.name for s in sequences] == [clip.name for clip in made] == ["rendered_val_0_0000", "rendered_val_0_0001"]
    pictures = iter(corpus.pictures)
    assert np.isnan(made[1].groundtruth).any()
    for clip, sequence in zip(made, sequences, strict=True):
        np.testing.assert_allclose(sequence.groundtruth, clip.groundtruth, atol=1e-3)
        frames = zip(clip.frames(), sequence.frames(), pictures, strict=False)
        for number, (rendered, stored, picture) in enumerate(frames):
            assert np.abs(rendered.astype(int) - stored).mean() < 4
            np.testing.assert_array_equal(picture.image, stored)
            boxes = [corpus.annotations[i].box for i in picture.annotations]
            truth = clip.groundtruth[number]
            if np.isnan(truth[0]):
                assert boxes == []
            elif min(truth[2:]) >= 2:
                np.testing.assert_allclose(boxes, [truth], atol=1e-3)
            if number == 39:
                break
    pair = PairDataset(corpus, PairConfig(holdout=0.0, video=1.0, cutout=0.0, still=0.0, patch=0.0))[0]
    assert np.ptp(pair["search"]) > 50


def test_labels_say_what_is_absent_covered_and_cut(root: Path) -> None:
    assert render(root)[0] == 0
    clip = expected(root)[1]
    folder = root / "clips" / clip.name
    absent, cover, cut = (np.loadtxt(folder / f"{name}.label") for name in ("absence", "cover", "cut_by_image"))
    np.testing.assert_array_equal(absent, np.isnan(clip.groundtruth[:, 0]))
    np.testing.assert_array_equal(cover == 0, absent == 1)
    present = absent == 0
    np.testing.assert_allclose(cover[present] / 8, clip.visible[present], atol=0.0626)
    x, y, w, h = clip.extents.T
    outside = (x < -0.5) | (y < -0.5) | (x + w > 192.5) | (y + h > 144.5)
    np.testing.assert_array_equal(cut[present], outside[present])
    lines = (folder / "groundtruth.txt").read_text().splitlines()
    assert lines[int(absent.argmax())] == "nan,nan,nan,nan"


def test_nothing_is_overwritten(root: Path) -> None:
    (root / "clips").mkdir()
    (root / "clips" / "mine.txt").write_text("mine")
    code, said = render(root)
    assert code == 2
    assert said == f"error: {root}/clips is no empty folder: name a new one with --out"
    assert [path.name for path in (root / "clips").iterdir()] == ["mine.txt"]


def test_mistakes_are_one_line(root: Path) -> None:
    for more, words in (
        (("--set", "data.root=/nowhere"), "error: data set coco_tracks (/nowhere)"),
        (("--set", "pairs.holdout=0"), "error: the 'val' split is empty"),
        (("--frames", "16", "--leaving", "1", "--width", "512"), "enough --frames to return in"),
    ):
        code, said = render(root, *more)
        assert code == 2, more
        assert words in said
        assert not (root / "clips").exists()


def test_the_other_split_and_another_seed_give_other_clips(root: Path) -> None:
    code, said = render(root, "--split", "train", "--seed", "7", "--leaving", "0")
    assert code == 0, said
    found = read_sequences(root / "clips")
    assert [s.name for s in found] == ["rendered_train_7_0000", "rendered_train_7_0001"]
    assert all(np.isfinite(s.groundtruth).all() for s in found)


def test_targets_return_elsewhere_and_have_look_alikes_on_demand(root: Path) -> None:
    options = {"leaving": 1.0, "elsewhere": True, "look_alikes": 1.0, "frames": 96}
    code, said = render(root, "--leaving", "1", "--elsewhere", "--look-alikes", "1", "--frames", "96")
    assert code == 0, said
    pairs = PairConfig(holdout=0.4, jpeg=0.0, noise=0.0, split="val")
    config = RenderConfig(clips=2, width=192, height=144).model_copy(update=options)
    made = rendered_clips(load_scenes(root / "data"), pairs, config, 0)
    for clip, sequence in zip(made, read_sequences(root / "clips"), strict=True):
        np.testing.assert_allclose(sequence.groundtruth, clip.groundtruth, atol=1e-3)
