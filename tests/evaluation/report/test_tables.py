"""Tables: the same numbers as CSV, JSON, LaTeX and text."""

import csv
import json
from pathlib import Path

import pytest

from evaluation.report.tables import Column, Estimate, Table, escape_latex

COLUMNS = [
    Column("tracker", "tracker"),
    Column("auc", "AUC", best="high"),
    Column("failures", "failures", digits=0, best="low"),
    Column("frames", "frames"),
]
TABLE = Table(
    "figures",
    "Success at IoU > 0.5 in 95 %; convention otb.",
    COLUMNS,
    [
        {"tracker": "a_b", "auc": Estimate(0.6124, 0.55, 0.675), "failures": 3.0, "frames": 1200},
        {"tracker": "c", "auc": Estimate(0.7, 0.6, 0.8), "failures": 5.0, "frames": 7},
        {"tracker": "d", "auc": Estimate(0.61239, 0.5, 0.7), "failures": float("nan"), "frames": None},
    ],
)


def test_csv_and_json_have_all_digits_and_the_ends_of_intervals(tmp_path: Path) -> None:
    TABLE.write(tmp_path / "new")
    with (tmp_path / "new" / "figures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "tracker": "a_b",
        "auc": "0.6124",
        "auc_low": "0.55",
        "auc_high": "0.675",
        "failures": "3.0",
        "frames": "1200",
    }
    assert (rows[2]["failures"], rows[2]["frames"]) == ("", "")
    found = json.loads((tmp_path / "new" / "figures.json").read_text(encoding="utf-8"))
    assert found["caption"] == TABLE.caption
    assert found["rows"][1]["auc_high"] == 0.8
    assert found["rows"][2]["failures"] is None


def test_latex_is_a_booktabs_table_with_the_best_in_bold(tmp_path: Path) -> None:
    lines = [line.strip() for line in TABLE.latex().splitlines()]
    assert r"\caption{Success at IoU $>$ 0.5 in 95 \%; convention otb.}" in lines
    assert r"\begin{tabular}{lrrr}" in lines
    assert lines.index(r"\toprule") < lines.index(r"\midrule") < lines.index(r"\bottomrule")
    # Equal as they are printed is equal: 0.6124 and 0.61239 are both second.
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert body == [
        r"a\_b & \underline{0.612} {\scriptsize [0.550, 0.675]} & \textbf{3} & 1,200 \\",
        r"c & \textbf{0.700} {\scriptsize [0.600, 0.800]} & \underline{5} & 7 \\",
        r"d & \underline{0.612} {\scriptsize [0.500, 0.700]} & -- & -- \\",
    ]
    TABLE.write(tmp_path)
    assert (tmp_path / "figures.tex").read_text(encoding="utf-8") == TABLE.latex()


def test_a_table_across_marks_the_best_of_each_row_and_shades_it() -> None:
    columns = [Column("sequence", "sequence"), Column("a", "a", best="high"), Column("b", "b", best="high")]
    table = Table(
        "s", "", columns, [{"sequence": "x", "a": 0.2, "b": 0.1}, {"sequence": "y", "a": 0.3, "b": 0.4}], True
    )
    assert [[table.rank(row, column) for column in columns] for row in (0, 1)] == [[2, 0, 1], [2, 1, 0]]
    assert [table.shade(0, column) for column in columns] == [0, 0.2, 0.1]


def test_a_single_value_is_not_called_the_best() -> None:
    assert Table("one", "", COLUMNS, TABLE.rows[:1]).rank(0, COLUMNS[1]) == 2


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a_b & 5 % #1", r"a\_b \& 5 \% \#1"), ("{~^}\\", r"\{\textasciitilde{}\textasciicircum{}\}\textbackslash{}")],
)
def test_latex_prints_signs_as_they_are(text: str, escaped: str) -> None:
    assert escape_latex(text) == escaped
