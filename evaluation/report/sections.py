"""What a report says of accuracy: figures, curves, differences, attributes, sequences, and speed."""

from __future__ import annotations

import numpy as np

from evaluation.conventions import CONVENTIONS
from evaluation.report.comparison_plots import difference_figure, radar_figure, speed_figure
from evaluation.report.context import SEED, TITLES, Context
from evaluation.report.curve_plots import Line, Panel, curve_figure, curves_figure
from evaluation.report.page import Picture, Section
from evaluation.report.tables import Cell, Column, Estimate, Table
from evaluation.statistics import PairedTest, paired_test

ESTIMATED = ("auc", "ao", "precision", "normalised_precision")
"""Figures whose tables show the bootstrap interval."""
RADAR_SEQUENCES, RADAR_SPOKES, RADAR_TRACKERS = 3, 16, 9
"""On the radar: least sequences of an attribute, most attributes, most trackers."""


def overview(context: Context) -> Section:
    """All figures of all trackers."""
    contestants = sorted(context.material.contestants, key=lambda of: -of.score.figures[context.main])
    known = [key for key in TITLES if any(key in of.score.figures for of in contestants)]
    columns = [Column("tracker", "tracker")]
    columns += [
        Column(key, TITLES[key], 0 if key == "failures" else 3, "low" if key == "failures" else "high") for key in known
    ]
    rows: list[dict[str, Cell]] = []
    for of in contestants:
        row: dict[str, Cell] = {"tracker": of.name, "sequences": len(of.score.sequences)}
        rows.append(
            row | {key: context.estimate(of, key) if key in ESTIMATED else of.score.figures[key] for key in known}
        )
    caption = (
        f"{context.about} In brackets: 95 % bootstrap interval over sequences. Bold: best; underlined: second best."
    )
    if len({row["sequences"] for row in rows}) > 1:
        columns.append(Column("sequences", "sequences"))
        caption += " Some trackers lack sequences: their figures are over those that they have, and do not compare."
    return Section("figures", "Figures", context.material.notes, tables=[Table("figures", caption, columns, rows)])


def curves(context: Context) -> Section:
    """Success, precision and normalised precision, beside one another and each for itself."""
    convention = CONVENTIONS[context.convention]
    kinds = (
        ("success", "Success", "IoU above", context.main, None, ""),
        ("precision", "Precision", "centre error at most [px]", "precision", 20, " px"),
        (
            "normalised_precision",
            "Normalised precision",
            "centre error / size at most",
            "normalised_precision",
            0.2 if convention.normalised == "read at 0.2" else None,
            "",
        ),
    )
    panels = []
    for name, title, across, figure, read_at, unit in kinds:
        lines = [Line(of.name, *of.score.curve(name), of.score.figures[figure]) for of in context.material.contestants]
        legend = TITLES[figure] + (f" at {read_at:g}{unit}" if read_at else "")
        panels.append(Panel(name, title, across, "share of frames", legend, lines, read_at))
    caption = "Share of frames by threshold; the legend has the figures and begins with the best."
    figures = [Picture("curves", f"{caption} {context.about}", curves_figure(panels, context.styles))]
    figures += [
        Picture(panel.name, f"{panel.title}. {context.about}", curve_figure(panel, context.styles), shown=False)
        for panel in panels
    ]
    return Section("curves", "Curves", figures=figures)


def differences(context: Context) -> Section:
    """The first tracker tested against each other one on the same sequences."""
    first, *others = context.material.contestants
    mine = first.score.per_sequence(context.main)
    rows: list[dict[str, Cell]] = []
    tests: list[PairedTest] = []
    for other in others:
        theirs = other.score.per_sequence(context.main)
        common = [name for name in mine if name in theirs]
        ours, beside = np.array([mine[name] for name in common]), np.array([theirs[name] for name in common])
        weights = [first.score.weights[name] for name in common]
        tests.append(test := paired_test(ours, beside, SEED, weights=weights))
        rows.append(
            {
                "other": other.name,
                "difference": Estimate(test.difference, test.low, test.high),
                "p": test.p,
                "better": int((ours > beside).sum()),
                "worse": int((ours < beside).sum()),
            }
        )
    columns = [
        Column("other", "against"),
        Column("difference", f"difference of {context.title}"),
        Column("p", "p", digits=4),
        Column("better", "sequences better"),
        Column("worse", "worse"),
    ]
    caption = (
        f"{context.title} of {first.name} minus that of each other tracker, with the 95 % bootstrap interval over "
        f"sequences, and the p-value of a paired test. {context.about} The p-values are not corrected for their number."
    )
    values = [(test.difference, test.low, test.high) for test in tests]
    marks = [_p_value(test.p) for test in tests]
    title = f"{first.name} against others"
    figure = difference_figure([other.name for other in others], values, marks, title, f"difference of {context.title}")
    return Section(
        "differences",
        "Differences",
        figures=[Picture("differences", caption, figure)],
        tables=[Table("differences", caption, columns, rows)],
    )


def _p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def attributes(context: Context) -> Section:
    """The figure that ranks, by attribute of the sequences."""
    material = context.material
    rows: list[dict[str, Cell]] = []
    for attribute, names in material.attributes.items():
        row: dict[str, Cell] = {"attribute": attribute, "sequences": len(names)}
        for of in material.contestants:
            row[of.name] = context.mean(of, names)
        rows.append(row)
    columns = [Column("attribute", "attribute"), Column("sequences", "sequences"), *_columns(material.trackers)]
    caption = f"{context.title} by attribute, over the sequences that have it. {context.about}"
    table = Table("attributes", caption, columns, rows, across=True)
    spokes = [row for row in rows if len(material.attributes[str(row["attribute"])]) >= RADAR_SEQUENCES][:RADAR_SPOKES]
    shown = material.trackers[:RADAR_TRACKERS]
    figures = []
    if len(spokes) >= 3:
        labels = [f"{row['attribute']} ({row['sequences']})" for row in spokes]
        values = {name: [float(row[name] or np.nan) for row in spokes] for name in shown}  # type: ignore[arg-type]
        note = f"Attributes of at least {RADAR_SEQUENCES} sequences, their number in brackets"
        note += f"; the first {len(shown)} of {len(material.trackers)} trackers" * (len(shown) < len(material.trackers))
        figures = [
            Picture("attributes", f"{caption} {note}.", radar_figure(labels, values, context.styles, context.title))
        ]
    return Section("attributes", "Attributes", figures=figures, tables=[table])


def sequences(context: Context) -> Section:
    """The figure that ranks, by sequence, the first tracker's worst on top."""
    material = context.material
    scored = {of.name: context.scored(of) for of in material.contestants}
    lengths = {sequence.name: len(sequence.groundtruth) for sequence in material.sequences}
    mine = scored[material.first.name]
    order = sorted(lengths, key=lambda name: (mine.get(name, np.inf), name))
    rows: list[dict[str, Cell]] = [
        {"sequence": name, "frames": lengths[name], **{of: values.get(name) for of, values in scored.items()}}
        for name in order
    ]
    columns = [Column("sequence", "sequence"), Column("frames", "frames"), *_columns(material.trackers)]
    caption = f"{context.title} by sequence, the worst of {material.first.name} on top. {context.about}"
    return Section("sequences", "Sequences", tables=[Table("sequences", caption, columns, rows, across=True)])


def speed(context: Context) -> Section | None:
    """Frames a second, where times were kept; None where no tracker has them."""
    timed = {of.name: of.speed for of in context.material.contestants if of.speed}
    if not timed:
        return None
    values = {of.name: of.score.figures[context.main] for of in context.material.contestants if of.speed}
    rows: list[dict[str, Cell]] = [
        {
            "tracker": name,
            "frames_a_second": of.frames_a_second,
            "frames": of.frames,
            "seconds": of.seconds,
            "start": 1000 * of.start_seconds,
        }
        for name, of in timed.items()
    ]
    columns = [
        Column("tracker", "tracker"),
        Column("frames_a_second", "frames a second", 1, "high"),
        Column("frames", "frames"),
        Column("seconds", "seconds", 1),
        Column("start", "start [ms]", 1),
    ]
    caption = (
        f"Frames a second after the first frame, {CONVENTIONS[context.convention].speed} (convention "
        f"{context.convention}). The clock holds the tracker alone, from a decoded frame "
        "to its box; reading and decoding are left out, and a step of several targets is shared among them equally. "
        "The start is the mean time of a sequence's first frame. Times of one machine compare with each other only."
    )
    drawn = speed_figure(
        {name: of.frames_a_second for name, of in timed.items()}, values, context.styles, context.title
    )
    about = f"{context.title} against speed. {context.about}"
    return Section(
        "speed", "Speed", figures=[Picture("speed", about, drawn)], tables=[Table("speed", caption, columns, rows)]
    )


def _columns(trackers: list[str]) -> list[Column]:
    return [Column(name, name, best="high") for name in trackers]
