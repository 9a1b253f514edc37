"""What the experiments leave: a table, a JSON file, pictures, and the densities themselves."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.table import Table

from ltr_train.regression.experiment import Result
from ltr_train.regression.methods import Setting
from ltr_train.regression.problems import Problem

POINTS = 512  # of a picture's side, about
SHOWN_PICTURES = 8


def table(results: Sequence[Result]) -> Table:
    """The figures of all settings, a row each."""
    metric = results[0].metric.upper()
    shown = Table(
        "method", *(("K", metric, "std", "best 5", "s/model")), caption=f"{metric}: mean over seeds, lower is better"
    )
    for column in shown.columns[1:]:
        column.justify = "right"
    for result in results:
        figures = ("-" if value is None else f"{value:.4f}" for value in (result.mean, result.std, result.best5))
        k = "-" if result.setting.k is None else str(result.setting.k)
        shown.add_row(str(result.setting.method), k, *figures, f"{result.seconds:.1f}")
    return shown


def write_json(path: Path, problem: Problem, results: Sequence[Result]) -> None:
    """The figures of all settings so far."""
    name = int(problem.name) if problem.name.isdigit() else problem.name
    document = {"problem": name, "settings": [result.record() for result in results]}
    path.write_text(json.dumps(document, indent=2) + "\n")


class Dump:
    """A file of numpy's npz layout that takes the densities one at a time, so that memory never holds them all.

    Arrays: ``test_x`` ``[X, ...]`` and ``grid`` ``[Y]``; ``log_truth`` ``[X, Y]`` in problem 1, else ``label_index``
    ``[X]``, the place in the grid nearest to each test label; and for each setting and seed the log density ``[X, Y]``,
    named for example ``joint-k4-seed0``. float32, as evaluated: the metric computed from them is the one reported.

    The file appears under its name when it is complete.
    """

    def __init__(self, path: Path, problem: Problem) -> None:
        self.path, self.partial = path, path.with_name(path.name + ".partial")
        self.archive = zipfile.ZipFile(self.partial, "w", zipfile.ZIP_STORED)
        self._add("test_x", problem.test_x.numpy())
        self._add("grid", problem.grid.numpy())
        if problem.log_truth is not None:
            self._add("log_truth", problem.log_truth.astype(np.float32))
        if problem.label_index is not None:
            self._add("label_index", problem.label_index)

    def add(self, setting: Setting, seed: int, log_density: NDArray[np.float32]) -> None:
        """Write the log density ``[X, Y]`` of one model."""
        self._add(f"{setting.name}-seed{seed}", log_density)

    def _add(self, name: str, array: NDArray[np.float32] | NDArray[np.int64]) -> None:
        with self.archive.open(name + ".npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.archive.close()
        if kind is None:
            os.replace(self.partial, self.path)
        else:
            self.partial.unlink()


def draw(problem: Problem, title: str, log_density: NDArray[np.float32], path: Path) -> None:
    """A picture of one model's density beside the truth, or the test labels where the truth has no closed form."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{title}, seed 0")
    if problem.test_x.ndim == 2:
        _draw_map(problem, log_density, figure)
    else:
        _draw_pictures(problem, log_density, figure)
    figure.savefig(path, dpi=110)


def _draw_map(problem: Problem, log_density: NDArray[np.float32], figure: Figure) -> None:
    """Density over x and y as an image."""
    x, y = problem.test_x[:, 0].numpy(), problem.grid.numpy()
    order = np.argsort(x)
    rows, columns = order[:: max(1, len(x) // POINTS)], slice(None, None, max(1, len(y) // POINTS))
    low, high = y[[0, -1]]
    truth = None
    if problem.log_truth is not None:
        truth = np.exp(problem.log_truth[rows][:, columns])
    model = np.exp(log_density[rows][:, columns])
    brightest = float(model.max() if truth is None else truth.max())
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, name, density in ((left, "truth", truth), (right, "model", model)):
        if density is not None:
            axes.imshow(
                density.T,
                extent=(x.min(), x.max(), low, high),
                origin="lower",
                aspect="auto",
                norm=PowerNorm(0.5, 0, brightest),
                cmap="magma",
            )
        axes.set(title=name, xlabel="x", ylabel="y")
    if truth is None:
        left.plot(x, y[problem.label_index], ".", ms=2)
        left.set_title("test labels")


def _draw_pictures(problem: Problem, log_density: NDArray[np.float32], figure: Figure) -> None:
    """Some test pictures, each with the density over y below it and the label as a line."""
    assert problem.label_index is not None
    y = problem.grid.numpy()
    labels = y[problem.label_index]
    axes = figure.subplots(2, SHOWN_PICTURES, sharey="row")
    for picture, density, x, log, label in zip(*axes, problem.test_x, log_density, labels, strict=False):
        picture.imshow(x[0].numpy(), cmap="gray")
        picture.set_axis_off()
        density.plot(y, np.exp(log))
        density.axvline(label, color="tab:orange")
        density.set(xlabel="y", yticks=[], xlim=(labels.min() - 0.5, labels.max() + 0.5))
