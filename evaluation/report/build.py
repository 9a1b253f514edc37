"""Puts the sections together and writes the report."""

from __future__ import annotations

from pathlib import Path

from evaluation.conventions import CONVENTIONS
from evaluation.plots import print_style
from evaluation.report import certainty, failures, sections
from evaluation.report.context import Context
from evaluation.report.material import Material
from evaluation.report.page import Page, write_page


def write_report(material: Material, folder: Path, version: str, worst: int = 5) -> Path:
    """Writes ``index.html``, which needs no other file, and the same figures and tables as files for a paper.

    ``figures/`` has PNG and SVG, ``tables/`` CSV, JSON and LaTeX (booktabs). What a section needs and the material
    lacks leaves the section out: attributes, times, presence, pictures, a second tracker.

    Args:
        material: at least one tracker and one sequence, all scored by the same convention.
        folder: made where it is missing.
        version: of the program, for the foot of the page.
        worst: sequences to show in pictures.

    Returns:
        The page.

    Raises:
        ValueError: a frame of a sequence cannot be read.
        OSError: a file cannot be written.
    """
    context = Context(material)
    with print_style():
        found = [
            sections.overview(context),
            sections.curves(context),
            sections.differences(context) if len(material.contestants) > 1 else None,
            sections.attributes(context) if material.attributes else None,
            sections.sequences(context),
            failures.failures(context, worst),
            certainty.calibration(context),
            sections.speed(context),
        ]
        trackers = f"{len(material.contestants)} tracker{'s' * (len(material.contestants) > 1)}"
        lead = [
            f"{trackers} on {len(material.sequences)} sequences, {material.frames:,} frames, one pass from the first "
            "frame's box.",
            f"Convention {context.convention}: {CONVENTIONS[context.convention].text}.",
        ]
        page = Page(f"Trackers on {material.dataset}", lead, material.first.name, [one for one in found if one])
        return write_page(page, folder, version)
