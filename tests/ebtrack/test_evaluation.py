"""From a benchmark on disk to tables: the commands one after the other, on a whole LaSOT of small pictures."""

import json
from pathlib import Path

from typer.testing import CliRunner

from ebtrack.cli import app
from evaluation.datasets import read_dataset, readers_of
from evaluation.scoring import score_tracker
from evaluation.stored import find_stored, read_tracker_boxes
from tests.evaluation import layouts

SEQUENCES = 280


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_lasot_from_the_disk_to_a_table(tmp_path: Path) -> None:
    root, out = tmp_path / "LaSOT", tmp_path / "out"
    root.mkdir()
    names = layouts.lasot(root, tuple(readers_of("lasot", root)), listed=False)
    assert len(names) == SEQUENCES
    run("datasets", "check", "lasot", "--root", root)
    evaluate = ("evaluate", "--dataset", "lasot", "--root", root, "--out", out, "--device", "cpu", "--workers", 2)
    said = run(*evaluate, "--batch", 4, "--set", "samples=16", "refine_steps=0")
    assert str(SEQUENCES) in said
    run("score", out, "--json", tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["dataset"], figures["convention"]) == ("lasot", "lasot")
    assert figures["sequences"] == {"ebtrack": SEQUENCES}
    sequences = read_dataset("lasot", root)
    boxes = read_tracker_boxes(find_stored(out)["ebtrack"], names)
    again = score_tracker("ebtrack", boxes, sequences, "lasot")
    assert figures["trackers"]["ebtrack"]["auc"] == again.figures["auc"] > 0
    run("report", out, "--out", tmp_path / "report", "--worst", 1)
    tables = tmp_path / "report" / "tables"
    assert len(json.loads((tables / "sequences.json").read_text())["rows"]) == SEQUENCES
    assert "full occlusion" in (tables / "attributes.tex").read_text()
    assert "280 sequences" in (tmp_path / "report" / "index.html").read_text()
