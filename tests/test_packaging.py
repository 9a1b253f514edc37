"""The wheel: what is inside, and that it works away from the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"ebtrack", "networks", "tracker", "ltr_train", "evaluation", "configs", "server"}
# Copied beside the packages to show that they stay out of the wheel.
OTHERS = {"tests", "benchmarks"}


def run(*command: str | Path, **options: str | Path | dict[str, str]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from a copy, so that the build leaves nothing in the checkout."""
    tree = tmp_path_factory.mktemp("tree")
    for name in PACKAGES | OTHERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", out, tree)
    (built,) = out.glob("ebtrack-*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_module_of_the_packages(names: set[str]) -> None:
    expected = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert expected <= names


def test_wheel_holds_weights_configurations_and_clip(names: set[str]) -> None:
    assert "ebtrack/weights/default.safetensors" in names
    assert {"ebtrack/assets/demo.mp4", "ebtrack/assets/groundtruth.txt"} <= names
    configurations = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").glob("*.yaml")}
    assert configurations
    assert configurations <= names


def test_wheel_holds_the_graph_of_the_default_networks(names: set[str]) -> None:
    graphs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tracker" / "traced").iterdir()}
    assert len(graphs) == 1
    assert graphs <= names


def test_wheel_holds_nothing_else(names: set[str]) -> None:
    top = {name.split("/")[0] for name in names}
    (record,) = (name for name in top if name.endswith(".dist-info"))
    assert top == PACKAGES | {record}
    assert f"{record}/licenses/LICENSE" in names


def test_installed_wheel_tracks_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel)
    script = (
        "import ebtrack, numpy as np\n"
        "tracker = ebtrack.load(device='cpu')\n"
        "frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)\n"
        "tracker.init(frame, (60, 40, 30, 30))\n"
        "print(ebtrack.__file__, tracker.update(frame).box)\n"
    )
    said = run(sys.executable, "-c", script, cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(site)})
    assert str(site) in said
