"""The report's page: sections of text, figures and tables, written with the files that a paper takes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from evaluation.plots import save_figure
from evaluation.report.tables import Table

PAGE, TEMPLATE = "index.html", "page.html"
FIGURES, TABLES = "figures", "tables"
_CSS_DPI = 136
"""Pixels of the page for an inch of a figure: a figure as wide as a paper's page fills most of the text's width."""


@dataclass(frozen=True)
class Picture:
    """A figure and what it shows."""

    name: str
    """File name without suffix."""
    caption: str
    """Names the convention of every number."""
    figure: Figure
    shown: bool = True
    """On the page; the others are files only."""
    photographs: bool = False
    """Whether it holds pictures; the page then shows the PNG, which is smaller than the SVG."""

    @property
    def width(self) -> int:
        """In pixels of the page."""
        return round(self.figure.get_figwidth() * _CSS_DPI)


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    id: str
    title: str
    texts: Sequence[str] = ()
    figures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Page:
    """All of a report."""

    title: str
    lead: Sequence[str]
    """What was compared, and by which convention."""
    first: str
    """The tracker that stands out."""
    sections: Sequence[Section]


def write_page(page: Page, folder: Path, version: str) -> Path:
    """Writes ``index.html``, which needs no other file, ``figures/`` and ``tables/``.

    Args:
        page: figures and tables have names of their own.
        folder: made where it is missing.
        version: of the program, for the foot of the page.

    Returns:
        The page.

    Raises:
        OSError: a file cannot be written.
    """
    images = {}
    for section in page.sections:
        for picture in section.figures:
            save_figure(picture.figure, folder / FIGURES, picture.name)
            if picture.shown:
                images[picture.name] = _inlined(folder / FIGURES, picture)
        for table in section.tables:
            table.write(folder / TABLES)
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((files("evaluation.report") / TEMPLATE).read_text(encoding="utf-8"))
    path = folder / PAGE
    path.write_text(template.render(page=page, images=images, version=version) + "\n", encoding="utf-8")
    return path


def _inlined(folder: Path, picture: Picture) -> str:
    """The figure as a data address. An SVG stands so in a document of its own, and its names meet no other's."""
    suffix, kind = ("png", "image/png") if picture.photographs else ("svg", "image/svg+xml")
    content = (folder / f"{picture.name}.{suffix}").read_bytes()
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
