"""The command ``ebtrack datasets``."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ebtrack.datasets import datasets
from evaluation.datasets import DATASETS
from tests.evaluation import layouts

DOCS = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(datasets, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_every_benchmark_is_listed_with_its_layout() -> None:
    code, output = call()
    assert code == 0
    for name, kind in DATASETS.items():
        assert f"{name}  {kind.title}" in output
        assert all(line in output for line in kind.layout.splitlines())


def test_the_documentation_has_every_layout() -> None:
    documentation = DOCS.read_text(encoding="utf-8")
    for name, kind in DATASETS.items():
        assert f"`{name}`" in documentation
        assert kind.layout in documentation


def test_a_whole_root_passes_the_check(tmp_path: Path) -> None:
    layouts.vot(tmp_path)
    code, output = call("check", "vot", "--root", tmp_path, "--every-frame")
    assert code == 0, output
    assert "3 sequences can be read: 18 frames, the target absent in 3, no box known in 0" in output


def test_the_check_tells_all_that_is_wrong(tmp_path: Path) -> None:
    names = layouts.lasot(tmp_path, [f"cat-{number}" for number in range(1, 6)])
    (tmp_path / "cat/cat-1/img/00000001.jpg").write_bytes(b"no picture")
    (tmp_path / "cat/cat-2/groundtruth.txt").write_text("100,100,5,5\n" * 6)
    (tmp_path / "cat/cat-3/out_of_view.txt").unlink()
    (tmp_path / "cat/cat-4/img/00000004.jpg").write_bytes(b"no picture")
    code, output = call("check", "lasot", "--root", tmp_path)
    assert code == 2
    assert "2 sequences can be read: 12 frames, the target absent in 4" in output
    problems = [line for line in output.splitlines() if line.startswith("problem: ")]
    expected = (
        "00000001.jpg",
        "first box 99,99,5,5 lies outside",
        "out_of_view.txt",
        "5 sequences, LaSOT, test set has 280",
    )
    assert len(problems) == len(expected)
    assert all(text in problem for text, problem in zip(expected, problems, strict=True))
    code, output = call("check", "lasot", "--root", tmp_path, "--sequences", names[3], "--sequences", names[4])
    assert (code, "problem" in output) == (0, False)
    code, output = call("check", "lasot", "--root", tmp_path, "--sequences", names[3], "--every-frame")
    assert code == 2
    assert "frame 3 of cat-4" in output


def test_mistakes_in_the_call_are_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        (("check", "lasso", "--root", tmp_path), "error: no data set is called 'lasso' (did you mean 'lasot'?)"),
        (("check", "dtb70", "--root", tmp_path / "none"), "error: no folder"),
        (("check", "dtb70", "--root", tmp_path), "error: no sequences in"),
    ):
        code, output = call(*arguments)
        assert code == 2
        assert output.startswith(message)
        assert output.count("\n") == 1


def test_a_folder_that_may_not_be_read_is_a_mistake_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "bag"))

    monkeypatch.setattr("evaluation.datasets.checking.check_dataset", refuse)
    done = CliRunner().invoke(datasets, ["check", "folder", "--root", str(tmp_path)])
    assert done.exit_code == 2
    assert done.output.startswith("error:")
    assert str(tmp_path / "bag") in done.output
