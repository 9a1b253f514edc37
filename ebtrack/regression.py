"""The command ``ebtrack regression``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress
from typer.core import TyperCommand

from ltr_train.regression.methods import Method, Setting, settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ltr_train.regression.ensemble import Recipe
    from ltr_train.regression.experiment import Result
    from ltr_train.regression.problems import Problem

OUT = Path("ebtrack-out")


class ProblemName(StrEnum):
    """What can be learned."""

    ONE = "1"
    TWO = "2"
    CELLS = "cells"


class ManyValues(TyperCommand):
    """A command whose repeatable options take several values in a row too: ``--k 1 4`` is ``--k 1 --k 4``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        repeatable = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        return super().parse_args(ctx, list(_spelled_out(args, repeatable)))


def _spelled_out(arguments: Sequence[str], repeatable: set[str]) -> Iterator[str]:
    option = None
    values = 0
    for argument in arguments:
        if argument.startswith("-"):
            option, values = argument if argument in repeatable else None, 0
        elif option:
            values += 1
            if values > 1:
                yield option
        yield argument


def regression(
    problem: Annotated[ProblemName, typer.Argument(metavar="PROBLEM", help="1, 2, or cells.")],
    k: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Components of the mixture, one or several: --k 1 4 16. Default: 1 4 16; cells: 4 8."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Runs of each setting. Default: 20; cells: 5.")] = None,
    method: Annotated[
        list[Method] | None,
        typer.Option(help="How to train, one or several. Default: joint; cells: teacher mdn."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of training. Default: 75 as in the paper; cells: 30.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    dump: Annotated[
        Path | None,
        typer.Option(help="File (.npz) for the densities; a seed takes 17 MB in problem 1, 62 MB in 2, 8 MB in cells."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures; a new one in ebtrack-out when left out.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results of an earlier run.")] = False,
) -> None:
    """Reproduce the regression experiments of the paper (docs/regression.md)."""
    import torch

    from ltr_train.regression.ensemble import Recipe
    from ltr_train.regression.report import table

    stdout = Console(highlight=False, soft_wrap=True)
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    cells = problem is ProblemName.CELLS
    methods = method or ([Method.TEACHER, Method.MDN] if cells else [Method.JOINT])
    plan = settings(methods, k or ([4, 8] if cells else [1, 4, 16]))
    files = Files(out or _free(OUT / f"regression-{problem}"), json, dump)
    taken = [path for path in files.all(plan) if path.exists()]
    if taken and not overwrite:
        stderr.print(f"error: {taken[0]} is there already: give another name, or --overwrite", markup=False)
        raise typer.Exit(2)
    if threads:
        torch.set_num_threads(threads)

    results: list[Result] = []
    try:
        for path in files.all(plan):
            path.parent.mkdir(parents=True, exist_ok=True)
        task = _problem(problem)
        for result in _run(task, plan, seeds or (5 if cells else 20), Recipe(epochs or task.epochs), files, stderr):
            results.append(result)
            if result.diverged:
                stderr.print(f"note: {result.diverged} runs of {result.setting.name} diverged", markup=False)
    except OSError as error:
        stderr.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        stderr.print(f"interrupted after {len(results)} of {len(plan)} settings")
        raise typer.Exit(130) from None
    stdout.print(table(results))
    for path in files.all(plan):
        stdout.print(str(path), markup=False)


class Files(NamedTuple):
    """Where results go: the pictures' folder, and files for the figures and the densities."""

    folder: Path
    json: Path | None
    dump: Path | None

    def picture(self, setting: Setting) -> Path:
        """The picture of a setting."""
        return self.folder / f"{setting.name}.png"

    def all(self, plan: Sequence[Setting]) -> list[Path]:
        """Every file that the settings give."""
        return [path for path in (self.json, self.dump, *map(self.picture, plan)) if path]


def _run(
    problem: Problem, plan: Sequence[Setting], seeds: int, recipe: Recipe, files: Files, console: Console
) -> Iterator[Result]:
    """The settings' results in turn; the files are written as they come."""
    from ltr_train.regression.experiment import run_setting
    from ltr_train.regression.report import Dump, draw, write_json

    results = []
    with ExitStack() as stack:
        dump = stack.enter_context(Dump(files.dump, problem)) if files.dump else None
        progress = stack.enter_context(Progress(console=console, transient=True))
        for setting in plan:

            def keep(seed: int, log_density: NDArray[np.float32], setting: Setting = setting) -> None:
                if seed == 0:
                    draw(problem, setting.name, log_density, files.picture(setting))
                if dump:
                    dump.add(setting, seed, log_density)

            step = partial(progress.advance, progress.add_task(setting.name, total=recipe.epochs))
            results.append(run_setting(problem, setting, seeds, recipe, step, keep))
            if files.json:
                write_json(files.json, problem, results)
            yield results[-1]


def _problem(name: ProblemName) -> Problem:
    from ltr_train.regression.cells import cells_problem
    from ltr_train.regression.problems import problem_1, problem_2

    match name:
        case ProblemName.ONE:
            return problem_1()
        case ProblemName.TWO:
            return problem_2()
        case ProblemName.CELLS:
            return cells_problem()


def _free(folder: Path) -> Path:
    """The folder, or the first of its name with -2, -3, ... that is not there."""
    number = 1
    tried = folder
    while tried.exists():
        number += 1
        tried = folder.with_name(f"{folder.name}-{number}")
    return tried
