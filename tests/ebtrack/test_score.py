"""``ebtrack score`` on a small benchmark whose figures are known, and on published results."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from ebtrack.score import score
from evaluation.results import write_evaluation
from tests.conftest import SHARED

app = typer.Typer()
app.command()(score)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def write(path: Path, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def excerpt(tmp_path: Path) -> Path:
    """Two sequences with the habits of OTB's published files: names in other forms, separators, a file of scores, a
    result that ends early, an annotation without size, and one out of the picture."""
    write(tmp_path / "anno" / "Ball.2.txt", ["10,10,40,20"] * 4)
    write(tmp_path / "anno" / "Dog.txt", ["10,10,40,20", "10,10,0,0", "0,10,40,20", "10,10,40,20"])
    # A third of overlap and 20 px away; then lost.
    write(tmp_path / "results" / "Half" / "ball-2.txt", ["10 10 40 20", "30 10 40 20", "10 10 40 20", "200 10 40 20"])
    write(tmp_path / "results" / "Half" / "DOG.txt", ["10,10,40,20", "300,9,40,20", "300,9,40,20", "10,10,40,20"])
    write(tmp_path / "results" / "Full" / "Ball.2.txt", ["10\t10\t40\t20"] * 4)
    write(tmp_path / "results" / "Full" / "Dog.txt", ["10.0000,10.0000,40.0000,20.0000"] * 4)
    write(tmp_path / "results" / "Full" / "times" / "Ball.2.txt", ["1", "0.1", "0.1", "0.1"])
    write(tmp_path / "results" / "Full" / "times" / "Dog.txt", ["1", "0.1", "0.3", "0.3"])
    write(tmp_path / "results" / "Full_scores.json", ["{}"])
    return tmp_path


# Half on Ball.2: above 0 to 0.3 three of four frames, to 0.95 two. On Dog: two of four, the odd annotations being -1.
HALF_AUC = ((7 * 3 + 13 * 2) / 4 + 20 * 2 / 4) / 21 / 2


def test_the_figures_of_an_excerpt_come_out(excerpt: Path) -> None:
    file = excerpt / "figures.json"
    done = run(excerpt / "results", "--annotations", excerpt / "anno", "--json", file)
    assert done.exit_code == 0, done.output
    assert "Convention otb: success over 21 thresholds, strictly above; precision at 20 px" in " ".join(
        done.output.split()
    )
    assert "not taken for boxes: Full_scores.json" in done.output
    found = json.loads(file.read_text())
    assert (found["dataset"], found["convention"]) == (str(excerpt / "anno"), "otb")
    assert list(found["trackers"]) == ["Full", "Half"]
    half, full = found["trackers"]["Half"], found["trackers"]["Full"]
    # Precision: three of four, and all, the odd annotations being hits.
    assert (half["auc"], half["precision"]) == pytest.approx((HALF_AUC, (3 / 4 + 4 / 4) / 2))
    assert (full["auc"], full["precision"]) == pytest.approx(((20 + 20 * 2 / 4) / 21 / 2, 1))
    assert full["failures"] == 0
    # Six updates in a second.
    assert found["frames_per_second"] == {"Full": pytest.approx(6 / 1.0)}
    low, high = found["intervals"]["Half"]["auc"]
    assert low <= half["auc"] <= high
    assert found["paired"]["Half"]["difference"] == pytest.approx(half["auc"] - full["auc"])


def test_the_convention_can_be_chosen(excerpt: Path) -> None:
    file = excerpt / "figures.json"
    done = run(excerpt / "results", "--annotations", excerpt / "anno", "--convention", "lasot", "--json", file)
    assert done.exit_code == 0, done.output
    found = json.loads(file.read_text())
    assert found["convention"] == "lasot"
    # Dog's second frame has no target, and its third is one like any other.
    assert found["trackers"]["Half"]["precision"] == pytest.approx((3 / 4 + 2 / 3) / 2)


def test_results_that_do_not_fit_are_told_with_file_and_line_and_the_others_scored(excerpt: Path) -> None:
    short = write(excerpt / "results" / "Short" / "Dog.txt", ["10,10,40,20"] * 2)
    write(excerpt / "results" / "Short" / "Ball.2.txt", ["10,10,40,20"] * 4)
    write(excerpt / "results" / "Broken" / "Ball.2.txt", ["10,10,40,20", "nan,nan,nan,nan", "1,1,1,1", "1,1,1,1"])
    write(excerpt / "results" / "One" / "Ball.2.txt", ["10,10,40,20"] * 4)
    file = excerpt / "figures.json"
    call = [excerpt / "results", "--annotations", excerpt / "anno", "--json", file]
    strict = run(*call, "--strict")
    assert strict.exit_code == 3
    assert f"Short on Dog ({short}): ends after 2 lines, 4 frames are annotated" in strict.output
    assert "Broken/Ball.2.txt, line 2: 'nan,nan,nan,nan' is no box" in strict.output
    assert "One has no boxes for Dog (1 of 2" in strict.output
    assert list(json.loads(file.read_text())["trackers"]) == ["Full", "Half"]

    lenient = run(*call, "--overwrite")
    assert lenient.exit_code == 3
    assert (
        f"Short: lengths differ, scored on the frames that both have: {short} has 2 lines for 4 frames"
        in lenient.output
    )
    assert "One: 1 of 2 sequences have no boxes: Dog" in lenient.output
    found = json.loads(file.read_text())
    assert set(found["trackers"]) == {"Full", "Half", "Short", "One"}
    assert found["sequences"]["One"] == 1
    # Of two frames, the given one is a success, the other -1.
    assert found["trackers"]["Short"]["op50"] == pytest.approx((1 + 1 / 2) / 2)


def test_a_users_mistake_is_one_line(excerpt: Path) -> None:
    results, annotations = excerpt / "results", excerpt / "anno"
    mistakes: dict[str, list[object]] = {
        "no folder": [excerpt / "nowhere", "--annotations", annotations],
        "no annotations in": [results, "--annotations", excerpt],
        "no convention 'vot'": [results, "--annotations", annotations, "--convention", "vot"],
        "--annotations goes alone": [results, "--annotations", annotations, "--dataset", "otb100"],
        "--dataset and --root go together": [results, "--dataset", "otb100"],
        "no data set is called 'otb99'": [results, "--dataset", "otb99", "--root", excerpt],
        "evaluation.json is missing or damaged": [results],
        "exists: name another file": [results, "--annotations", annotations, "--json", annotations / "Dog.txt"],
        "does not exist": [results, "--annotations", annotations, "--json", excerpt / "nowhere" / "f.json"],
    }
    for message, call in mistakes.items():
        done = run(*call)
        assert done.exit_code == 2, (message, done.output)
        assert message in done.output
        assert done.output.count("\n") == 1, done.output
    assert (annotations / "Dog.txt").read_text().startswith("10,10,40,20")


def test_what_was_evaluated_is_known_without_further_options(tmp_path: Path) -> None:
    write(tmp_path / "videos" / "Ball" / "groundtruth.txt", ["0,0,40,20", "0,0,40,20", "nan,nan,nan,nan"])
    for number in range(3):
        write(tmp_path / "videos" / "Ball" / "img" / f"{number}.jpg", ["never opened"])
    write_evaluation(tmp_path / "out", "folder", tmp_path / "videos", ["Ball"])
    write(tmp_path / "out" / "Mine" / "Ball.txt", ["0.0,0.0,40.0,20.0"] * 3)
    done = run(tmp_path / "out", "--json", tmp_path / "figures.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "figures.json").read_text())
    assert found["dataset"] == "folder"
    # An x of 0 is within the picture where pixels count from 0.
    assert found["trackers"]["Mine"]["ao"] == 1
    (tmp_path / "videos").rename(tmp_path / "moved")
    gone = run(tmp_path / "out")
    assert gone.exit_code == 2
    assert "where no folder is: say where it is with --dataset folder --root DIR" in gone.output
    assert run(tmp_path / "out", "--dataset", "folder", "--root", tmp_path / "moved").exit_code == 0


def test_what_is_not_defined_is_left_out_and_differences_are_those_of_the_figures(tmp_path: Path) -> None:
    for name, frames in (("Long", 9), ("Short", 3), ("Single", 1)):
        write(tmp_path / "anno" / f"{name}.txt", ["10,10,40,20"] * frames)
        write(tmp_path / "results" / "Kept" / f"{name}.txt", ["10,10,40,20"] * frames)
        write(tmp_path / "results" / "Kept" / "times" / f"{name}.txt", ["0.1"] * frames)
    write(tmp_path / "results" / "Lost" / "Long.txt", ["10,10,40,20", *["90,10,40,20"] * 8])
    write(tmp_path / "results" / "Lost" / "Short.txt", ["10,10,40,20"] * 3)
    write(tmp_path / "results" / "Once" / "Single.txt", ["10,10,40,20"])
    write(tmp_path / "results" / "Once" / "times" / "Single.txt", ["0.1"])

    def scored(convention: str) -> dict[str, Any]:
        file = tmp_path / f"{convention}.json"
        done = run(tmp_path / "results", "--annotations", tmp_path / "anno", "--convention", convention, "--json", file)
        assert "nan" not in done.output
        found: dict[str, Any] = json.loads(file.read_text(), parse_constant=pytest.fail)
        return found

    # One frame: a success, but neither an AO nor a speed.
    found = scored("otb")
    assert found["trackers"]["Once"]["auc"] == pytest.approx(20 / 21)
    assert "ao" not in found["trackers"]["Once"]
    assert found["frames_per_second"].keys() == {"Kept"}
    # Eight frames of ten are lost.
    found = scored("got10k")
    difference = found["trackers"]["Lost"]["ao"] - found["trackers"]["Kept"]["ao"]
    assert found["paired"]["Lost"]["difference"] == pytest.approx(difference) == pytest.approx(-0.8)
    assert found["paired"].keys() == {"Lost"}


CHECK = SHARED / "metric_check"


@pytest.mark.skipif(not CHECK.is_dir(), reason=f"no published results in {SHARED}")
@pytest.mark.parametrize(("benchmark", "trackers"), [("dtb70", 10), ("otb100", 1)])
def test_published_figures_come_out_to_three_decimals(benchmark: str, trackers: int, tmp_path: Path) -> None:
    whole = {("STRUCK", "scores_tb100")}
    file = tmp_path / "figures.json"
    done = run(CHECK / benchmark / "results", "--annotations", CHECK / benchmark / "anno", "--json", file)
    assert done.exit_code == 0, done.output
    found = json.loads(file.read_text())
    with (CHECK / benchmark / "published.csv").open() as rows:
        # MEEM and MUSTer are published for all of OTB-100, and stored for 73 of its sequences.
        published = [r for r in csv.DictReader(rows) if (r["tracker"], r.get("set")) in whole or benchmark == "dtb70"]
    assert len(published) == trackers
    for row in published:
        figures = found["trackers"][row["tracker"]]
        assert found["sequences"][row["tracker"]] == {"dtb70": 70, "otb100": 100}[benchmark]
        assert figures["auc"] == pytest.approx(float(row["success_auc"]), abs=5.1e-4)
        assert figures["precision"] == pytest.approx(float(row["precision20"]), abs=5.1e-4)
