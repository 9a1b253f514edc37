"""The figures of a run: a line of JSON a logged step, and TensorBoard's events where that is installed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

LOG = "log.jsonl"
_Item = TypeVar("_Item")


class Clock:
    """How fast a run has gone since it was last looked at, and how much of the time it waited for data.

    Args:
        step: the step that it goes on from.
    """

    def __init__(self, step: int) -> None:
        self.restart(step)

    def restart(self, step: int) -> None:
        """Begins anew with a step: what came before, a validation for example, does not count."""
        self._first, self._began, self._waited = step, time.perf_counter(), 0.0

    def timed(self, supply: Iterable[_Item]) -> Iterator[_Item]:
        """The supply's items; the time that each is waited for counts as waiting."""
        items = iter(supply)
        while True:
            asked = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            self._waited += time.perf_counter() - asked
            yield item

    def rate(self, step: int) -> float:
        """Steps a second since it began."""
        return (step - self._first) / (time.perf_counter() - self._began)

    def waiting(self) -> float:
        """Share of the time since it began, in [0, 1], that was spent waiting for data."""
        return self._waited / (time.perf_counter() - self._began)


class RunLog:
    """Writes figures into the folder of a run.

    Args:
        out: the folder.
        step: the step that the run goes on from; what an interrupted run logged beyond it is dropped, as those steps
            are taken again.
    """

    def __init__(self, out: Path, step: int) -> None:
        self.path = out / LOG
        self.rows: list[dict[str, float]] = []
        """All that is logged."""
        if self.path.is_file():
            read = [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]
            self.rows = [row for row in read if row["step"] <= step]
            partial = self.path.with_name(LOG + ".partial")
            partial.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
            os.replace(partial, self.path)
        self._events = _summary_writer(out, step)

    def write(self, figures: dict[str, float]) -> None:
        """Adds the figures of a step; ``step`` is one of them."""
        # Six digits that count: a learning rate of 3e-6 is not 0.
        row = {name: value if name == "step" else float(f"{value:.6g}") for name, value in figures.items()}
        self.rows.append(row)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        if self._events is not None:
            for name, value in row.items():
                if name != "step":
                    kind, _, rest = name.partition("_")
                    tag = f"{kind}/{rest}" if kind in ("val", "track") else f"train/{name}"
                    self._events.add_scalar(tag, value, int(row["step"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events is not None:
            self._events.close()


def _summary_writer(out: Path, step: int) -> Any:
    """TensorBoard's writer, or None without the train extra."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)
