"""What a report says of probabilities: presence, intervals, risk against coverage, tracking with absence."""

from __future__ import annotations

import numpy as np

from evaluation.calibration import FOLLOWED
from evaluation.metrics import Reliability, long_term, risk_coverage
from evaluation.report.calibration_plots import calibration_figure
from evaluation.report.context import Context
from evaluation.report.curve_plots import Line, Panel, curve_figure
from evaluation.report.material import Certainty
from evaluation.report.page import Picture, Section
from evaluation.report.tables import Cell, Column, Table


def calibration(context: Context) -> Section | None:
    """Of all trackers that say how likely the target is there; None where none does."""
    known = {
        of.name: of.certainty
        for of in context.material.contestants
        if of.certainty and of.certainty.calibration.annotated.frames
    }
    if not known:
        return None
    panel = Panel(
        "risk_coverage",
        "Risk and coverage",
        "coverage: share of frames kept",
        "risk: mean of 1 − IoU",
        "area",
        [_risk_line(name, of) for name, of in known.items()],
        lowest_first=True,
    )
    texts = [
        "All is pooled over the frames of all sequences, first frames left out. Presence is judged against the "
        f"target's being there, and as the score of an IoU of at least {FOLLOWED}, where frames without the target are "
        "negative. The expected calibration error (ECE) is over ten bins of equal width, plain, and with the frames "
        "with and without the target weighing the same. Intervals should hold the truth as often as their level says; "
        "sharpness is their median width over the box's sides, the smaller the better at equal coverage."
    ]
    figures = [
        Picture(
            f"calibration_{name.replace('/', '-')}" if len(known) > 1 else "calibration",
            f"How true the probabilities of {name} are. {_of(context)}",
            calibration_figure(of.calibration, of.levels, name),
        )
        for name, of in known.items()
    ]
    risk = (
        "Risk (mean of 1 − IoU, of which absent frames have 1) among the frames of the highest P(present), by the "
        f"share of frames kept; the legend has the area below. {_of(context)}"
    )
    figures.append(Picture("risk_coverage", risk, curve_figure(panel, context.styles)))
    tables = [_presence_table(context, known), *_interval_tables(context, known)]
    return Section("calibration", "Calibration", texts, figures, tables)


def _of(context: Context) -> str:
    return f"On {context.material.dataset}, {len(context.material.sequences)} sequences, frames pooled."


def _risk_line(name: str, of: Certainty) -> Line:
    curve = risk_coverage(np.concatenate(of.overlap), np.concatenate(of.presence))
    return Line(name, curve.coverage, curve.risk, curve.area)


def _presence_table(context: Context, known: dict[str, Certainty]) -> Table:
    rows: list[dict[str, Cell]] = []
    for name, of in known.items():
        figures = long_term(of.overlap, of.presence)
        rows.append(
            {
                "tracker": name,
                "auroc_present": of.calibration.auroc_present,
                "auroc_followed": of.calibration.auroc_followed,
                "ece": _ece(of.calibration.reliability),
                "ece_balanced": _ece(of.calibration.balanced),
                "long_term_precision": figures.precision,
                "long_term_recall": figures.recall,
                "long_term_f": figures.f,
                "present_frames": of.calibration.annotated.frames,
                "absent_frames": len(of.calibration.presence["absent"]),
            }
        )
    columns = [
        Column("tracker", "tracker"),
        Column("auroc_present", "AUROC", best="high"),
        Column("auroc_followed", f"AUROC, IoU ≥ {FOLLOWED}", best="high"),
        Column("ece", "ECE", best="low"),
        Column("ece_balanced", "ECE, balanced", best="low"),
        Column("long_term_precision", "Pr"),
        Column("long_term_recall", "Re"),
        Column("long_term_f", "F", best="high"),
        Column("present_frames", "frames with target"),
        Column("absent_frames", "without"),
    ]
    caption = (
        "Presence, and long-term precision, recall and F at the threshold of the highest F (Lukežič et al., 2020), "
        f"with P(present) as the score. {_of(context)}"
    )
    return Table("presence", caption, columns, rows)


def _ece(reliability: Reliability | None) -> float | None:
    return reliability.expected_calibration_error if reliability else None


def _interval_tables(context: Context, known: dict[str, Certainty]) -> list[Table]:
    rows: list[dict[str, Cell]] = []
    for name, of in known.items():
        over, annotated = of.calibration.overlapping, of.calibration.annotated
        for i in np.argsort(of.levels):
            by_coordinate = dict(zip(("cx", "cy", "w", "h"), map(float, over.coverage[i]), strict=True))
            rows.append(
                {
                    "tracker": name,
                    "level": f"{of.levels[i]:g}",
                    **by_coordinate,
                    "all": float(over.overall[i]),
                    "sharpness": float(over.sharpness[i]),
                    "all_annotated": float(annotated.overall[i]),
                    "sharpness_annotated": float(annotated.sharpness[i]),
                }
            )
    titles = {"tracker": "tracker", "level": "level", "cx": "cx", "cy": "cy", "w": "w", "h": "h", "all": "all"}
    titles |= {
        "sharpness": "sharpness",
        "all_annotated": "all, annotated",
        "sharpness_annotated": "sharpness, annotated",
    }
    caption = (
        "Share of intervals that hold the truth and their sharpness, by level and coordinate in the frames of an IoU "
        f"above 0, and over all coordinates in all annotated frames. {_of(context)}"
    )
    return [Table("intervals", caption, [Column(*entry) for entry in titles.items()], rows)] if rows else []
