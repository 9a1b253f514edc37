"""Submissions: what got10k's own packer makes, and a message for everything that a server would refuse."""

import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from got10k.experiments import ExperimentGOT10k
from got10k.trackers import Tracker
from PIL import Image
from typer.testing import CliRunner, Result

from ebtrack.submit import submit

app = typer.Typer()
app.command()(submit)

FRAMES = 3
STEP = np.array([1.5, 0.25, 0.125, 0.5])
GOT10K = [f"GOT-10k_Test_{number:06d}" for number in range(1, 181)]
TRACKINGNET = [f"clip-{number:03d}_0" for number in range(511)]
BROKEN = GOT10K[16]


def first_box(number: int) -> list[float]:
    return [5.25 + number / 100, 4.5, 8.0, 6.75]


def native_boxes(number: int, origin: float) -> np.ndarray:
    """A box that moves and grows."""
    boxes = np.tile(first_box(number), (FRAMES, 1)) + np.arange(FRAMES)[:, None] * STEP
    return boxes + np.array([origin, origin, 0, 0])


class Growing(Tracker):
    """`native_boxes`, within got10k's toolkit."""

    def __init__(self) -> None:
        super().__init__("growing", is_deterministic=True)

    def init(self, image: Image.Image, box: np.ndarray) -> None:
        self.box = box

    def update(self, image: Image.Image) -> np.ndarray:
        self.box = self.box + STEP
        return self.box


@pytest.fixture(scope="module")
def got10k(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GOT-10k's test set in miniature: 1-based boxes of the first frames."""
    root = tmp_path_factory.mktemp("GOT-10k")
    picture = root / "picture.jpg"
    Image.new("RGB", (32, 24)).save(picture)
    for number, name in enumerate(GOT10K):
        folder = root / "test" / name
        folder.mkdir(parents=True)
        for frame in range(FRAMES):
            (folder / f"{frame + 1:08d}.jpg").hardlink_to(picture)
        (folder / "groundtruth.txt").write_text(",".join(f"{value:.4f}" for value in native_boxes(number, 1.0)[0]))
    (root / "test" / "list.txt").write_text("\n".join(GOT10K) + "\n")
    return root


@pytest.fixture(scope="module")
def trackingnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TrackingNet's test set in miniature."""
    root = tmp_path_factory.mktemp("TrackingNet")
    (root / "TEST" / "anno").mkdir(parents=True)
    for number, name in enumerate(TRACKINGNET):
        (root / "TEST" / "frames" / name).mkdir(parents=True)
        for frame in range(FRAMES):
            (root / "TEST" / "frames" / name / f"{frame}.jpg").touch()
        (root / "TEST" / "anno" / f"{name}.txt").write_text(",".join(map(str, first_box(number))))
    return root


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results on GOT-10k's test set, as `ebtrack evaluate` lays them out."""
    folder = tmp_path_factory.mktemp("results") / "ours"
    write_results(folder, GOT10K)
    return folder


@pytest.fixture
def results(pristine: Path, tmp_path: Path) -> Path:
    """Results to spoil."""
    shutil.copytree(pristine, tmp_path / "ours")
    return tmp_path / "ours"


def write_results(folder: Path, names: list[str]) -> None:
    (folder / "times").mkdir(parents=True)
    for number, name in enumerate(names):
        rows = [",".join(map(repr, row)) for row in native_boxes(number, 0.0).tolist()]
        (folder / f"{name}.txt").write_text("\n".join(rows) + "\n")
        (folder / "times" / f"{name}.txt").write_text("0.5\n0.25\n0.125\n")


def call(results: Path, dataset: str, root: Path, out: Path) -> Result:
    return CliRunner().invoke(app, [str(results), "--dataset", dataset, "--root", str(root), "--out", str(out)])


def contents(archive: Path) -> dict[str, str]:
    """Files of an archive, without the folders that some packers list."""
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist() if not name.endswith("/")}


def test_boxes_are_those_that_got10k_packs(
    got10k: Path, pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the toolkit waits after its warning
    experiment = ExperimentGOT10k(str(got10k), "test", str(tmp_path / "results"), str(tmp_path))
    experiment.run(Growing())
    experiment.report(["growing"])
    theirs = contents(tmp_path / "results" / "GOT-10k" / "growing.zip")
    done = call(pristine, "got10k_test", got10k, tmp_path / "ours.zip")
    assert done.exit_code == 0, done.output
    assert "180 sequences, 540 boxes" in done.output
    ours = contents(tmp_path / "ours.zip")
    assert ours.keys() == theirs.keys()
    assert len(ours) == 360
    for name, text in theirs.items():
        if name.endswith("_001.txt"):
            assert ours[name] == text, name
        else:
            assert ours[name] == "0.50000000\n0.25000000\n0.12500000\n"
            assert len(text.splitlines()) == FRAMES


def test_trackingnet_is_a_file_a_sequence_in_its_own_pixels(trackingnet: Path, tmp_path: Path) -> None:
    write_results(tmp_path / "ours", TRACKINGNET)
    shutil.rmtree(tmp_path / "ours" / "times")
    done = call(tmp_path / "ours", "trackingnet", trackingnet, tmp_path / "ours.zip")
    assert done.exit_code == 0, done.output
    packed = contents(tmp_path / "ours.zip")
    assert packed.keys() == {f"{name}.txt" for name in TRACKINGNET}
    for number, name in enumerate(TRACKINGNET):
        table = np.array([line.split(",") for line in packed[f"{name}.txt"].splitlines()], float)
        np.testing.assert_allclose(table, native_boxes(number, 0.0), atol=5.01e-4)


def test_same_results_make_the_same_file(got10k: Path, pristine: Path, tmp_path: Path) -> None:
    for out in ("a.zip", "b.zip"):
        assert call(pristine, "got10k_test", got10k, tmp_path / out).exit_code == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def second_line(file: Path, line: str) -> None:
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")


def cut(file: Path) -> None:
    file.write_text("\n".join(file.read_text().splitlines()[:-1]) + "\n")


def shorten(results: Path) -> None:
    cut(results / f"{BROKEN}.txt")
    cut(results / "times" / f"{BROKEN}.txt")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda of: (of / f"{BROKEN}.txt").unlink(), [f"{BROKEN}.txt"]),
        (lambda of: second_line(of / f"{BROKEN}.txt", "1,2,nan,4"), [f"{BROKEN}.txt", "line 2"]),
        (lambda of: second_line(of / f"{BROKEN}.txt", "1,2,3"), [f"{BROKEN}.txt", "line 2"]),
        (lambda of: second_line(of / f"{BROKEN}.txt", "1,2,0.0001,4"), [f"{BROKEN}.txt", "line 2", "w and h"]),
        (shorten, [f"{BROKEN}.txt", "2 lines", "3 frames"]),
        (lambda of: (of / "times" / f"{BROKEN}.txt").unlink(), [f"times/{BROKEN}.txt", "missing"]),
        (lambda of: second_line(of / "times" / f"{BROKEN}.txt", "-1"), [f"times/{BROKEN}.txt", "line 2", "seconds"]),
    ],
    ids=["missing", "nan", "columns", "no width", "short", "no times", "negative time"],
)
def test_what_the_server_would_refuse_is_named(
    spoil: Callable[[Path], None], said: list[str], got10k: Path, results: Path, tmp_path: Path
) -> None:
    spoil(results)
    done = call(results, "got10k_test", got10k, tmp_path / "out.zip")
    assert done.exit_code == 2
    assert all(part in done.output for part in said), done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "out.zip").exists()


def test_a_root_that_lacks_sequences_is_refused(got10k: Path, pristine: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "test").mkdir(parents=True)
    (root / "test" / "list.txt").write_text("\n".join(GOT10K[:41] + GOT10K[43:]) + "\n")
    for folder in (got10k / "test").iterdir():
        if folder.is_dir():
            (root / "test" / folder.name).symlink_to(folder)
    done = call(pristine, "got10k_test", root, tmp_path / "out.zip")
    assert done.exit_code == 2
    assert "GOT-10k_Test_000042" in done.output
    assert "2 are missing" in done.output


def test_too_few_sequences_of_trackingnet_are_refused(trackingnet: Path, tmp_path: Path) -> None:
    root = tmp_path / "root" / "TEST"
    (root / "anno").mkdir(parents=True)
    (root / "frames").symlink_to(trackingnet / "TEST" / "frames")
    shutil.copy(trackingnet / "TEST" / "anno" / f"{TRACKINGNET[0]}.txt", root / "anno")
    done = call(tmp_path, "trackingnet", root.parent, tmp_path / "out.zip")
    assert done.exit_code == 2
    assert "511 sequences" in done.output
    assert "has 1" in done.output


def test_nothing_is_overwritten(got10k: Path, pristine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    out.write_text("a user's")
    done = call(pristine, "got10k_test", got10k, out)
    assert done.exit_code == 2
    assert "exists" in done.output
    assert out.read_text() == "a user's"


@pytest.mark.parametrize("out", ["out.tar", "no-such-folder/out.zip"])
def test_out_is_a_zip_in_a_folder(out: str, got10k: Path, pristine: Path, tmp_path: Path) -> None:
    done = call(pristine, "got10k_test", got10k, tmp_path / out)
    assert done.exit_code == 2
    assert "must be a .zip in a folder that exists" in done.output
