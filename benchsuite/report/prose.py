"""Long texts of the pages, kept as templates in `pages/prose/<name>.txt`.

A template is read by Jinja and holds paragraphs with blank lines between them. Lines that begin with `- ` are
items of a list; a paragraph that begins with `note: ` or `warning: ` has that tone. No value from a record goes
into a template: what a record holds may begin a line with anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinja2

from benchsuite.contracts.report import Bullets, Paragraph
from benchsuite.report.formatting import format_number

FOLDER = Path(__file__).parent / "pages" / "prose"


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=False, undefined=jinja2.StrictUndefined
    )
    made.filters["number"] = format_number
    return made


def prose(name: str, **values: str | float) -> Iterator[Paragraph | Bullets]:
    """The blocks of a template, with `values` in it. Raises jinja2.UndefinedError for a missing value."""
    text = _templates().get_template(f"{name}.txt").render(values)
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.startswith("- "):
            items = re.split(r"\n(?=- )", part)
            yield Bullets(tuple(_one_line(item.removeprefix("- ")) for item in items))
        elif part.startswith("note: "):
            yield Paragraph(_one_line(part.removeprefix("note: ")), "note")
        elif part.startswith("warning: "):
            yield Paragraph(_one_line(part.removeprefix("warning: ")), "warning")
        else:
            yield Paragraph(_one_line(part))


def _one_line(text: str) -> str:
    return " ".join(text.split())
