"""`ebtrack regression`: what it prints and writes, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ebtrack.cli import app
from ltr_train.regression import cells, problems


@pytest.fixture(autouse=True)
def small_and_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little training data, so that an epoch is short; what is evaluated is whole."""
    monkeypatch.setattr(problems, "PAIRS", 64)
    monkeypatch.setattr(cells, "PICTURES", 64)
    monkeypatch.setattr(cells, "TEST_PICTURES", 32)
    monkeypatch.chdir(tmp_path)


def regression(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["regression", *map(str, arguments)])


def figures(path: str) -> list[dict[str, Any]]:
    settings: list[dict[str, Any]] = json.loads(Path(path).read_text())["settings"]
    return settings


def test_metric_of_problem_1_can_be_recomputed_from_the_dump() -> None:
    options = ("--method", "joint", "mdn", "--seeds", 2, "--epochs", 1, "--json", "a.json", "--dump", "d.npz")
    result = regression(1, "--k", 2, *options)
    assert result.exit_code == 0, result.output
    assert [setting["method"] for setting in figures("a.json")] == ["joint", "mdn"]
    with np.load("d.npz") as dump:
        y, log_truth = dump["grid"].astype(np.float64), dump["log_truth"].astype(np.float64)
        for setting in figures("a.json"):
            log_models = [dump[f"{setting['method']}-k2-seed{seed}"] for seed in range(2)]
            with np.errstate(invalid="ignore"):
                scores = [
                    np.nansum(np.exp(log_truth) * (log_truth - log_model), 1).mean() * (y[-1] - y[0]) / (len(y) - 1)
                    for log_model in log_models
                ]
            assert setting["metric"] == "kl"
            assert setting["mean"] == setting["best5"] == pytest.approx(np.mean(scores), rel=1e-5)
            assert setting["std"] == pytest.approx(np.std(scores, ddof=1), rel=1e-4)
        normalised = np.exp(dump["joint-k2-seed0"]).sum(1) * (y[1] - y[0])
        np.testing.assert_allclose(normalised, 1, atol=1e-3)


def test_metric_of_problem_2_can_be_recomputed_from_the_dump() -> None:
    result = regression(
        2, "--method", "fixed-noise", "--seeds", 1, "--epochs", 1, "--json", "a.json", "--dump", "d.npz"
    )
    assert result.exit_code == 0, result.output
    (setting,) = figures("a.json")
    with np.load("d.npz") as dump:
        log_density = dump["fixed-noise-seed0"]
        assert log_density.shape == (1900, 8192) == (*dump["test_x"].shape[:1], *dump["grid"].shape)
        nll = -log_density[np.arange(1900), dump["label_index"]].mean(dtype=np.float64)
    assert setting == {
        "method": "fixed-noise",
        "k": None,
        "seeds": 1,
        "metric": "nll",
        "mean": pytest.approx(nll, rel=1e-6),
        "std": 0.0,
        "best5": setting["mean"],
        "seconds": setting["seconds"],
    }
    assert setting["seconds"] > 0


def test_cells_are_counted_by_teacher_and_mdn_unless_told_otherwise() -> None:
    result = regression("cells", "--k", 2, "--seeds", 1, "--epochs", 1, "--json", "a.json", "--out", "pictures")
    assert result.exit_code == 0, result.output
    assert json.loads(Path("a.json").read_text())["problem"] == "cells"
    assert [(setting["method"], setting["k"]) for setting in figures("a.json")] == [("teacher", 2), ("mdn", 2)]
    for name in ("teacher-k2", "mdn-k2"):
        assert (Path("pictures") / f"{name}.png").stat().st_size > 1000
        assert f"pictures/{name}.png" in result.stdout


@pytest.mark.parametrize("spelling", [("--k", 3, 1, "--seeds", 1), ("--seeds", 1, "--k", 3, "--k", 1)])
def test_several_values_in_one_option_or_in_several(spelling: tuple[object, ...]) -> None:
    result = regression(1, *spelling, "--method", "mdn", "--epochs", 1, "--json", "a.json")
    assert result.exit_code == 0, result.output
    assert [setting["k"] for setting in figures("a.json")] == [3, 1]
    for word in ("method", "KL", "std", "best 5", "s/model"):
        assert word in result.stdout


def test_nothing_is_overwritten_unless_asked() -> None:
    options = (1, "--k", 1, "--method", "mdn", "--epochs", 1, "--seeds", 1)
    assert regression(*options, "--json", "a.json", "--out", "pictures").exit_code == 0
    Path("d.npz").write_text("mine")
    for taken in (("--json", "a.json"), ("--dump", "d.npz"), ("--out", "pictures")):
        result = regression(*options, *taken)
        assert result.exit_code == 2
        assert "--overwrite" in result.stderr
        assert str(taken[1]) in result.stderr
        assert result.stderr.count("\n") == 1
    assert Path("d.npz").read_text() == "mine"
    before = Path("a.json").read_text()
    assert regression(*options, "--json", "a.json", "--overwrite").exit_code == 0
    assert Path("a.json").read_text() != before  # other seconds
    # A folder that was not asked for is a new one each time.
    assert regression(*options).exit_code == 0
    assert regression(*options).exit_code == 0
    assert sorted(path.name for path in Path("ebtrack-out").iterdir()) == [
        "regression-1",
        "regression-1-2",
        "regression-1-3",
    ]


def test_interrupted_run_keeps_what_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    from ltr_train.regression import experiment

    run_setting, calls = experiment.run_setting, []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run_setting(*arguments)

    monkeypatch.setattr(experiment, "run_setting", interrupted)
    result = regression(
        1, "--k", 1, 2, "--method", "mdn", "--epochs", 1, "--seeds", 1, "--json", "a.json", "--dump", "d"
    )
    assert result.exit_code == 130
    assert "1 of 2 settings" in result.stderr
    assert [setting["k"] for setting in figures("a.json")] == [1]
    assert sorted(path.name for path in Path().iterdir()) == ["a.json", "ebtrack-out"]


def test_diverged_runs_are_told_and_leave_no_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    from ltr_train.regression.methods import Method

    loss = Method.loss
    monkeypatch.setattr(Method, "loss", lambda method, terms: loss(method, terms) * float("nan"))
    result = regression(1, "--k", 1, "--method", "mdn", "--epochs", 1, "--seeds", 2, "--json", "a.json")
    assert result.exit_code == 0, result.output
    assert "note: 2 runs of mdn-k1 diverged" in result.stderr
    (setting,) = figures("a.json")
    assert setting["mean"] is setting["std"] is setting["best5"] is None


@pytest.mark.parametrize("wrong", [("3",), ("1", "--method", "joint", "best"), ("1", "--seeds", "0")])
def test_a_wrong_call_is_told_without_a_traceback(wrong: tuple[str, ...]) -> None:
    result = regression(*wrong)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert ("PROBLEM" if len(wrong) == 1 else f"'{wrong[1]}'") in result.stderr


def test_a_place_that_cannot_be_written_is_told_before_training() -> None:
    Path("file").write_text("")
    result = regression(1, "--json", "file/a.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "file" in result.stderr
    assert not Path("ebtrack-out").exists()
