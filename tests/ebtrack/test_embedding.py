"""docs/embedding.md and examples/: what they show works."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from ebtrack.adapters import read_initial_boxes
from ebtrack.clip import CLIP_PATH, read_truth
from evaluation.metrics import box_iou
from tests.clips import write_video

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOK = ROOT / "examples" / "posterior.ipynb"
MOST_BYTES = 400_000


def snippets(language: str) -> list[str]:
    text = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_page_has_snippets() -> None:
    assert len(snippets("python")) >= 5
    assert len(snippets("json")) == 3


@pytest.mark.parametrize("code", snippets("python"), ids=lambda code: re.findall(r"\w+", code)[-1])
def test_snippet_of_the_page_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "import supervision" in code and find_spec("supervision") is None:
        pytest.skip('supervision is not installed: pip install -e ".[supervision]"')
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "video.mp4", 4)
    (tmp_path / "boxes.json").write_text(snippets("json")[0])
    exec(compile(code, "docs/embedding.md", "exec"), {"__name__": "snippet"})
    for path in tmp_path.glob("*.json"):
        assert json.loads(path.read_text())


@pytest.mark.parametrize("content", snippets("json"))
def test_boxes_of_the_page_are_read(content: str, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(content)
    assert read_initial_boxes(path)[0].box == (16, 20, 24, 24)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("detect_and_track", ROOT / "examples" / "detect_and_track.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_example_detects_and_tracks_the_bundled_clip(example: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    example.main(["--out", str(out), "--max-frames", "20"])
    truth = read_truth()
    (start,) = read_initial_boxes(out / "boxes.json")
    assert box_iou(np.array([start.box]), truth[:1])[0] >= 0.8
    tracked = np.loadtxt(out / "boxes.txt", delimiter=",")
    assert len(tracked) == 20
    assert box_iou(tracked, truth[:20]).mean() >= 0.7

    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(SystemExit, match="overwrite"):
        example.main(["--out", str(out)])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--gap", "100"], "too short"), (["--gap", "0"], "at least 1"), (["missing.mp4"], "missing.mp4")],
)
def test_example_says_what_is_wrong(example: ModuleType, tmp_path: Path, arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        example.main([*arguments, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_example_keeps_boxes_of_others_and_finds_nothing_in_a_still(example: ModuleType, tmp_path: Path) -> None:
    mine = tmp_path / "boxes.json"
    mine.write_text("mine")
    with pytest.raises(SystemExit, match="is there already"):
        example.main(["--out", str(tmp_path), str(CLIP_PATH)])
    assert mine.read_text() == "mine"
    still = np.random.default_rng(0).integers(0, 255, (80, 120, 3), np.uint8)
    assert example.moving_objects(still, [still, still]) == []


def cells() -> list[dict[str, Any]]:
    return [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_notebook_was_run_and_is_small() -> None:
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    assert [cell["execution_count"] for cell in cells()] == list(range(1, len(cells()) + 1))
    outputs = [output for cell in cells() for output in cell["outputs"]]
    assert not any(output["output_type"] == "error" for output in outputs)
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 4
    assert all(base64.b64decode(png).startswith(b"\x89PNG") for png in pictures)


def test_notebook_runs_and_shows_what_it_says() -> None:
    names: dict[str, Any] = {"__name__": "notebook"}
    with mpl.rc_context():
        mpl.use("agg")
        for cell in cells():
            exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), names)
        names["plt"].close("all")
    presence, seen = names["presence"], names["seen"][1:]
    assert presence[seen].mean() > 0.7
    assert presence[~seen].mean() < 0.3
    assert all(0.5 < share <= 1 for share in names["coverage"].values())
    really, probability = names["really"], np.array(names["probability"])
    assert probability[really].mean() > 0.5 > probability[~really].mean()
