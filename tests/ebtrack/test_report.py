"""The command ``ebtrack report``, from folders of results to page, figures and tables."""

import base64
import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from ebtrack.report import report
from evaluation import results
from tests.clips import BOX, write_images
from tests.conftest import SHARED

LEVELS = (0.9, 0.5)
LENGTHS = {"kept": 16, "lost": 12}
app = typer.Typer()
app.command()(report)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return " ".join(done.output.split())


def make(folder: Path) -> Path:
    """Sequence ``kept`` is followed to the end by ``ours``, one frame without target; ``lost`` lost in frame 4.

    ``perfect`` has the ground truth, ``static`` the first box, both without presence and times.
    """
    for name, frames in LENGTHS.items():
        path = np.array(BOX) + np.arange(frames)[:, None] * (1.0, 0, 0, 0)
        truth, boxes = path.copy(), path.copy()
        if name == "kept":
            truth[9] = np.nan
        else:
            boxes[4:, 0] = 70
        write_images(folder / "sequences" / name, frames, ".jpg")
        np.savetxt(folder / "sequences" / name / "groundtruth.txt", truth, "%.3f", ",")
        for other, rows in (("perfect", path), ("static", np.broadcast_to(path[0], path.shape))):
            (folder / "out" / other).mkdir(parents=True, exist_ok=True)
            np.savetxt(folder / "out" / other / f"{name}.txt", rows, "%.3f", ",")
        presence = np.concatenate(([np.nan], np.linspace(0.95, 0.05, frames - 1)))
        centre = np.tile(np.concatenate((boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]), 1), (2, 1, 1))
        reach = np.array([2.0, 1.0])[:, None, None]
        seconds = np.concatenate(([0.5], np.full(frames - 1, 0.05)))
        found = results.Result(name, boxes, presence, np.ones(frames), LEVELS, centre - reach, centre + reach, seconds)
        results.write_result(folder / "out" / "ours", found, {})
    results.write_evaluation(folder / "out", "folder", folder / "sequences", list(LENGTHS))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole report, written once."""
    folder = make(tmp_path_factory.mktemp("made"))
    done = run(folder / "out", "--out", folder / "new" / "report", "--first", "ours", "--title", "our <clips>")
    assert done.exit_code == 0, done.output
    assert done.output.strip() == str(folder / "new" / "report" / "index.html")
    return folder / "new" / "report"


def rows_of(made: Path, table: str) -> list[dict[str, str]]:
    with (made / "tables" / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Links(HTMLParser):
    """Collects what a page loads, and the ids it has and refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.targets: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.sources += [found["src"] or ""] if "src" in found else []
        self.targets += [found["href"] or ""] if "href" in found else []
        self.ids += [found["id"] or ""] if "id" in found else []


def test_the_page_needs_no_other_file_and_names_its_convention(made: Path) -> None:
    page = (made / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.sources
    assert all(source.startswith(("data:image/svg+xml;base64,", "data:image/png;base64,")) for source in links.sources)
    assert {target[1:] for target in links.targets} == set(links.ids)
    assert {"figures", "curves", "differences", "sequences", "failures", "calibration", "speed"} == set(links.ids)
    assert "our &lt;clips&gt;" in page
    for caption in re.findall(r'<(?:figcaption|p class="caption")>(.*?)</', page, re.DOTALL):
        assert "convention otb" in caption or "frames pooled" in caption, caption
    assert b"<svg" in base64.b64decode(links.sources[0].partition(",")[2])


def test_tables_have_the_figures_and_a_test_of_the_first_against_the_others(made: Path) -> None:
    rows = {row["tracker"]: row for row in rows_of(made, "figures")}
    assert list(rows) == ["perfect", "ours", "static"]
    # Perfect boxes pass all thresholds but 1. Ours: all of one sequence, and 4 frames of 12 of the other.
    assert float(rows["perfect"]["auc"]) == pytest.approx(20 / 21)
    auc = [20 / 21, 20 / 21 * 4 / 12]
    assert float(rows["ours"]["auc"]) == pytest.approx(np.mean(auc))
    assert (float(rows["ours"]["auc_low"]), float(rows["ours"]["auc_high"])) == pytest.approx((auc[1], auc[0]))
    against = {row["other"]: row for row in rows_of(made, "differences")}
    assert float(against["perfect"]["difference"]) == pytest.approx(np.mean(auc) - 20 / 21)
    assert (against["perfect"]["better"], against["perfect"]["worse"]) == ("0", "1")
    assert [row["sequence"] for row in rows_of(made, "sequences")] == ["lost", "kept"]
    told = json.loads((made / "tables" / "figures.json").read_text(encoding="utf-8"))
    assert "convention otb" in told["caption"]
    assert r"\toprule" in (made / "tables" / "figures.tex").read_text(encoding="utf-8")


def test_certainty_and_speed_are_told_of_the_tracker_that_gives_them(made: Path) -> None:
    [presence] = rows_of(made, "presence")
    assert presence["tracker"] == "ours"
    # 14 and 11 frames after the first show the target, one does not.
    assert (presence["present_frames"], presence["absent_frames"]) == ("25", "1")
    by_level = {row["level"]: row for row in rows_of(made, "intervals")}
    # The truth is the box itself but in the lost frames, which do not overlap.
    assert float(by_level["0.5"]["all"]) == 1
    assert float(by_level["0.9"]["all_annotated"]) == pytest.approx((17 + 8 * 3 / 4) / 25)
    assert float(by_level["0.9"]["sharpness"]) == pytest.approx(4 / 24)
    [speed] = rows_of(made, "speed")
    assert float(speed["frames_a_second"]) == pytest.approx(20)
    assert speed["frames"] == "26"
    assert float(speed["start"]) == pytest.approx(500)


def test_every_figure_is_a_png_and_an_svg(made: Path) -> None:
    names = {path.stem for path in (made / "figures").iterdir()}
    curves = {"curves", "success", "precision", "normalised_precision"}
    assert names == curves | {"differences", "failures", "calibration", "risk_coverage", "speed"}
    for name in names:
        picture = cv2.imread(str(made / "figures" / f"{name}.png"))
        assert picture is not None
        # White paper, not all of it empty.
        assert (picture[:3] > 250).mean() > 0.5
        assert picture.min() < 100
        assert "<svg" in (made / "figures" / f"{name}.svg").read_text(encoding="utf-8")[:2000]


def test_a_report_is_replaced_only_when_asked_and_nothing_else_ever(folder: Path) -> None:
    out = folder / "report"
    annotations = folder / "annotations"
    annotations.mkdir()
    for name in LENGTHS:
        (annotations / f"{name}.txt").write_bytes((folder / "sequences" / name / "groundtruth.txt").read_bytes())
    # Without pictures, and of one tracker without presence and times.
    command = (folder / "out" / "static", "--annotations", annotations, "--out", out)
    assert run(*command).exit_code == 0
    page = (out / "index.html").read_bytes()
    assert {path.stem for path in (out / "tables").iterdir()} == {"figures", "sequences"}
    assert "--overwrite" in refused(*command)
    assert run(*command, "--overwrite").exit_code == 0
    assert (out / "index.html").read_bytes() == page
    (out / "index.html").unlink()
    assert "something else than a report" in refused(*command, "--overwrite")


def test_what_cannot_be_compared_is_named(folder: Path) -> None:
    out = ("--out", folder / "report")
    assert "no tracker theirs: there are ours, perfect, static" in refused(folder / "out", *out, "--first", "theirs")
    assert "no convention 'best'" in refused(folder / "out", *out, "--convention", "best")
    (folder / "out" / "static" / "lost.txt").write_text("1,2,3,4\n1,2,nan,4\n")
    assert re.search(r"lost\.txt, line 2: '1,2,nan,4'", refused(folder / "out", *out))
    (folder / "out" / "static" / "lost.txt").unlink()
    assert "static has no boxes for lost (1 of 2 sequences are missing)" in refused(folder / "out", *out, "--strict")
    (folder / "out" / "ours" / "posterior" / "kept.csv").write_text("presence\n")
    (folder / "out" / "static").rename(folder / "static")
    assert "kept.csv, line 1" in refused(folder / "out", *out)
    other = folder / "other"
    results.write_evaluation(other, "folder", folder / "elsewhere", ["kept"])
    assert "report on each" in refused(folder / "out", other, *out)
    assert not (folder / "report").exists()


def test_a_picture_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "sequences" / "lost" / "3.jpg").write_bytes(b"no picture")
    said = refused(folder / "out", "--out", folder / "report", "--first", "ours")
    assert "frame 3 of lost" in said


@pytest.mark.skipif(not (SHARED / "metric_check").is_dir(), reason="needs ../shared/metric_check")
def test_published_scores_come_out_to_three_decimals(tmp_path: Path) -> None:
    benchmark = SHARED / "metric_check" / "dtb70"
    done = run(benchmark / "results", "--annotations", benchmark / "anno", "--out", tmp_path / "report")
    assert done.exit_code == 0, done.output
    found = {row["tracker"]: row for row in rows_of(tmp_path / "report", "figures")}
    with (benchmark / "published.csv").open(newline="") as file:
        published = list(csv.DictReader(file))
    assert len(published) == 10
    for row in published:
        ours = found[row["tracker"]]
        assert f"{float(ours['auc']):.3f}" == row["success_auc"]
        assert f"{float(ours['precision']):.3f}" == row["precision20"]


def test_runs_of_one_tracker_in_several_folders_are_compared_on_all_their_sequences(folder: Path) -> None:
    """The first folder has one of the two sequences of the second."""
    first = folder / "first"
    shutil.copytree(folder / "out" / "ours", first / "ours")
    (first / "ours" / "lost.txt").unlink()
    results.write_evaluation(first, "folder", folder / "sequences", ["kept"])
    done = run(first, folder / "out", "--out", folder / "report", "--first", "ours")
    assert done.exit_code == 0, done.output
    assert "note: ours: 1 of 2 sequences have no boxes: lost" in done.output
    assert "1 of 2 sequences have no boxes: lost" in (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in (folder / "report" / "figures").glob("calibration*.png")} == {
        "calibration_ours.png",
        "calibration_out-ours.png",
    }
    rows = {row["sequence"]: row for row in rows_of(folder / "report", "sequences")}
    assert rows.keys() == {"kept", "lost"}
    assert rows["lost"]["ours"] == ""
    assert float(rows["lost"]["out/ours"]) == pytest.approx(20 / 21 * 4 / 12)


def test_where_results_are_longer_than_the_annotation_the_common_frames_are_judged(folder: Path) -> None:
    annotations = folder / "annotations"
    annotations.mkdir()
    for name in LENGTHS:
        lines = (folder / "sequences" / name / "groundtruth.txt").read_text().splitlines(keepends=True)
        (annotations / f"{name}.txt").write_text("".join(lines[:8]))
    done = run(folder / "out", "--annotations", annotations, "--out", folder / "report")
    assert done.exit_code == 0, done.output
    assert "note: ours: lengths differ, scored on the frames that both have" in done.output
    [presence] = rows_of(folder / "report", "presence")
    assert (presence["present_frames"], presence["absent_frames"]) == ("14", "0")


def test_times_of_other_toolkits_are_read_as_score_reads_them(folder: Path) -> None:
    times = folder / "out" / "static" / "times"
    times.mkdir()
    for name, frames in LENGTHS.items():
        (times / f"{name}_time.txt").write_text("1\n" + "0.125\n" * (frames - 1))
        tabs = (folder / "out" / "static" / f"{name}.txt").read_text().replace(",", "\t")
        (folder / "out" / "static" / f"{name}.txt").write_text(tabs)
    done = run(folder / "out", "--out", folder / "report", "--worst", 0)
    assert done.exit_code == 0, done.output
    speeds = {row["tracker"]: float(row["frames_a_second"]) for row in rows_of(folder / "report", "speed")}
    assert speeds == pytest.approx({"ours": 20, "static": 8})
