"""Tables that are written alike as CSV, JSON, LaTeX (booktabs) and HTML."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A value and the interval about it."""

    value: float
    low: float
    high: float


Cell = str | int | float | Estimate | None
"""nan and None alike are "not defined"."""


@dataclass(frozen=True)
class Column:
    """What one column holds."""

    key: str
    """In CSV and JSON."""
    title: str
    digits: int = 3
    best: Literal["high", "low"] | None = None
    """Which value is the best, of the column or, in a table `Table.across`, of the row: it is printed bold, the second
    best underlined."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under their columns."""

    name: str
    """File name without suffix."""
    caption: str
    """One or more sentences; names the convention of every number."""
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    """By the columns' keys."""
    across: bool = False
    """Whether a row compares its cells, trackers having a column each. The page then shades them by their value."""

    def rank(self, row: int, column: Column) -> int:
        """0 for the best value of a column or row, 1 for the second best as they are printed; 2 for all others."""
        ranked = self._ranked.get((row if self.across else column.key) if column.best else "", [])
        shown = _text(self.rows[row].get(column.key), column.digits)[0]
        return ranked.index(shown) if shown in ranked else 2

    @cached_property
    def _ranked(self) -> dict[str | int, list[str]]:
        """The best and the second best text by the columns' keys, or by the rows' numbers."""
        judged = [column for column in self.columns if column.best]
        groups: dict[str | int, list[tuple[Cell, Column]]]
        if self.across:
            groups = {i: [(row.get(column.key), column) for column in judged] for i, row in enumerate(self.rows)}
        else:
            groups = {column.key: [(row.get(column.key), column) for row in self.rows] for column in judged}
        return {key: ranked for key, cells in groups.items() if (ranked := _best_two(cells))}

    def shade(self, row: int, column: Column) -> float:
        """How dark the page shows a cell, from 0 to 1."""
        value = _value(self.rows[row].get(column.key)) if self.across and column.best else 0.0
        return 0.0 if np.isnan(value) else min(max(value, 0.0), 1.0)

    def text(self, row: int, column: Column) -> tuple[str, str]:
        """A cell as it is printed, and its interval, which is empty where there is none."""
        return _text(self.rows[row].get(column.key), column.digits)

    def is_text(self, column: Column) -> bool:
        """Whether no cell of the column is a number; such a column keeps to the left."""
        return all(isinstance(row.get(column.key), str | None) for row in self.rows)

    def records(self) -> list[dict[str, str | int | float | None]]:
        """The rows as JSON has them: an interval's ends follow as ``<key>_low`` and ``<key>_high``."""
        return [
            {key: value for column in self.columns for key, value in _plain(column.key, row.get(column.key)).items()}
            for row in self.rows
        ]

    def latex(self) -> str:
        """A ``table`` environment for the package booktabs."""
        sides = "".join("l" if self.is_text(column) else "r" for column in self.columns)
        lines = [
            r"% \usepackage{booktabs}",
            r"\begin{table}[t]",
            r"  \centering",
            rf"  \caption{{{escape_latex(self.caption)}}}",
            rf"  \label{{tab:{self.name}}}",
            rf"  \begin{{tabular}}{{{sides}}}",
            r"    \toprule",
            "    " + " & ".join(escape_latex(column.title) for column in self.columns) + r" \\",
            r"    \midrule",
            *(f"    {self._latex_row(index)}" for index in range(len(self.rows))),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def _latex_row(self, index: int) -> str:
        cells = []
        for column in self.columns:
            text, interval = self.text(index, column)
            marked = (r"\textbf{%s}", r"\underline{%s}", "%s")[self.rank(index, column)] % escape_latex(text)
            cells.append(marked + (rf" {{\scriptsize {escape_latex(interval)}}}" if interval else ""))
        return " & ".join(cells) + r" \\"

    def write(self, folder: Path) -> None:
        """Writes ``name.csv``, ``name.json`` and ``name.tex`` in a folder, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        records = self.records()
        with (folder / f"{self.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for record in records for key in record)))
            writer.writeheader()
            writer.writerows(records)
        content = json.dumps({"caption": self.caption, "rows": records}, indent=2, ensure_ascii=False)
        (folder / f"{self.name}.json").write_text(content + "\n", encoding="utf-8")
        (folder / f"{self.name}.tex").write_text(self.latex(), encoding="utf-8")


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"}
_LATEX |= {
    "<": "$<$",
    ">": "$>$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "−": "$-$",
    "±": r"$\pm$",
    "–": "--",
    "×": r"$\times$",
}


def escape_latex(text: str) -> str:
    """Text as LaTeX prints it."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _value(cell: Cell) -> float:
    """The cell's number; nan where it has none."""
    if isinstance(cell, Estimate):
        return float(cell.value)
    return float("nan") if cell is None or isinstance(cell, str) else float(cell)


def _best_two(cells: Sequence[tuple[Cell, Column]]) -> list[str]:
    """The best and the second best as they are printed; of a single value there is no best."""
    known = [(value, column) for cell, column in cells if not np.isnan(value := _value(cell))]
    ordered = sorted(known, key=lambda entry: -entry[0] if entry[1].best == "high" else entry[0])
    texts = (_text(value, column.digits)[0] for value, column in ordered)
    return list(dict.fromkeys(texts))[:2] if len(known) > 1 else []


def _text(cell: Cell, digits: int) -> tuple[str, str]:
    if isinstance(cell, str):
        return cell, ""
    if cell is None or np.isnan(_value(cell)):
        return "–", ""
    if isinstance(cell, int):
        return f"{cell:,}", ""
    interval = f"[{cell.low:.{digits}f}, {cell.high:.{digits}f}]" if isinstance(cell, Estimate) else ""
    return f"{_value(cell):.{digits}f}".replace("-", "−"), interval.replace("-", "−")


def _plain(key: str, cell: Cell) -> dict[str, Any]:
    if isinstance(cell, Estimate):
        ends = zip(("", "_low", "_high"), cell, strict=True)
        return {key + end: None if np.isnan(value) else float(value) for end, value in ends}
    if isinstance(cell, float):
        return {key: None if np.isnan(cell) else float(cell)}
    return {key: cell}
