"""Blocks as HTML. Every text is escaped, by a template or by escape()."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from benchsuite.contracts.report import (
    Block,
    Bullets,
    Cards,
    Chart,
    Command,
    Details,
    Display,
    Equations,
    Facts,
    Grid,
    LineChart,
    Link,
    Paragraph,
    Table,
    Words,
)
from benchsuite.report.formatting import format_value
from benchsuite.report.html.drawing import draw
from benchsuite.report.html.embedding import embedded, rounded
from benchsuite.report.html.equations import mathml
from benchsuite.report.html.exhibits import exhibit_html
from benchsuite.report.html.legend import chart_legend, lines_legend
from benchsuite.report.layout import CellText, Heading, cell_of, cell_text, headings, table_text
from benchsuite.report.slugs import UniqueSlugs
from benchsuite.report.text import presentable

LONG_TABLE = 120
"""Rows above which a table is made by the page's script, a part at a time."""
FILTERED = 10
"""Rows above which a table with columns to filter by is made by the script as well."""
FIRST = 50
"""Rows of a long table that are in the page itself, for browsers without scripts."""


@cache
def templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def macros() -> Any:
    return templates().get_template("blocks.html").module


class Blocks:
    """Renders the blocks of one page.

    :param resolve: key of a page -> its address as seen from this one, or "".
    :param keep_table: takes a table and the name it should have, gives the address of its CSV file.
    :param pictures: gives addresses of a chart's pictures by kind.
    """

    def __init__(
        self,
        resolve: Callable[[str], str],
        keep_table: Callable[[Table, str], str],
        pictures: Callable[[Chart], Mapping[str, str]],
    ) -> None:
        self._resolve, self._keep_table, self._pictures = resolve, keep_table, pictures
        self.ids = UniqueSlugs()
        self._makers: dict[type, Callable[[Any], Markup]] = {
            Paragraph: self._paragraph,
            Bullets: self._bullets,
            Table: self._table,
            Chart: self._chart,
            LineChart: self._curves,
            Facts: self._facts,
            Command: self._command,
            Equations: self._equations,
            Display: self._display,
            Cards: self._cards,
            Grid: self._grid,
            Details: self._details,
        }

    def render(self, block: Block) -> Markup:
        return self._makers[type(block)](block)

    def words(self, text: Words) -> Markup:
        """Text with its links."""
        if isinstance(text, str):
            return escape(text)
        return Markup().join(self._part(part) for part in text)

    def _part(self, part: str | Link) -> Markup:
        if isinstance(part, str):
            return escape(part)
        address = self._resolve(part.page)
        return Markup('<a href="{}">{}</a>').format(address, part.text) if address else escape(part.text)

    def _paragraph(self, block: Paragraph) -> Markup:
        return Markup(macros().paragraph(self.words(block.text), block.tone))

    def _equations(self, block: Equations) -> Markup:
        lines = Markup("").join(mathml(line) for line in block.lines)
        return Markup('<div class="equations">{}</div>').format(lines)

    def _bullets(self, block: Bullets) -> Markup:
        return Markup(macros().bullets([self.words(item) for item in block.items]))

    def _table(self, block: Table) -> Markup:
        name = self.ids.take(block.title or "table")
        cut = len(block.rows) > LONG_TABLE
        filters = len(block.rows) > FILTERED and any(column.filter for column in block.columns)
        long = cut or filters
        laid = table_text(block, FIRST if cut else None)
        rows = [
            [
                (one, self._address(one), _sort_value(one, head), head.numeric)
                for one, head in zip(row, laid.headings, strict=True)
            ]
            for row in laid.rows
        ]
        view = {
            "id": name,
            "title": block.title,
            "headings": laid.headings,
            "rows": rows,
            "note": block.note,
            "head": _head(laid.headings),
            "count": len(block.rows),
            "csv": self._keep_table(block, name),
            "helps": [(head.column.name, head.column.help) for head in laid.headings if head.column.help],
            "source": f"{name}-rows" if long else "",
            "json": self._long_table(block) if long else "",
        }
        return Markup(macros().table(view))

    def _address(self, one: CellText) -> str:
        return self._resolve(one.cell.page) if one.cell.page else ""

    def _long_table(self, table: Table) -> Markup:
        heads = headings(table)
        columns = [
            {
                "name": head.text,
                "key": head.column.name,
                "numeric": head.numeric,
                "filter": head.column.filter,
            }
            for head in heads
        ]
        rows = [
            [self._datum(value, head) for value, head in zip(row, heads, strict=True)] for row in table.rows
        ]
        return embedded({"columns": columns, "rows": rows})

    def _datum(self, value: Any, heading: Heading) -> Any:
        """A value that reads as it is, else [value, text], or [value, text, address, mark, title] where more is
        known of it. Texts are made here, so that numbers are formatted in one place."""
        cell = cell_of(value)
        plain = rounded(cell.value) if isinstance(cell.value, float) else cell.value
        one = cell_text(cell, heading)
        text = f"{one.text} ± {one.half}" if one.half else one.text
        if cell.page or cell.mark or cell.title:
            return [plain, text, self._address(one), cell.mark, cell.title]
        return plain if text == ("" if plain is None else str(plain)) else [plain, text]

    def _chart(self, block: Chart) -> Markup:
        name = self.ids.take(block.title or "chart")
        pictures = dict(self._pictures(block))
        if block.table is not None:
            pictures["CSV"] = self._keep_table(block.table, name)
        view = {
            "id": name,
            "title": block.title,
            "alt": block.alt,
            "note": block.note,
            "json": embedded(presentable(block.spec)),
            "svg": pictures.get("SVG", ""),
            "files": list(pictures.items()),
            "legend": chart_legend(block.legend),
        }
        return Markup(macros().chart(view))

    def _curves(self, block: LineChart) -> Markup:
        svg, legend = draw(block)
        return Markup(macros().curves({"title": block.title, "svg": svg, "legend": lines_legend(legend)}))

    def _facts(self, block: Facts) -> Markup:
        cells = [cell_of(fact.value) for fact in block.facts]
        if any(cell.page for cell in cells):
            return _facts_html(block, self._resolve)
        return _known_facts(block, tuple(type(cell.value) for cell in cells))

    def _command(self, block: Command) -> Markup:
        return Markup(macros().command(block.text))

    def _display(self, block: Display) -> Markup:
        return exhibit_html(block.exhibit)

    def _cards(self, block: Cards) -> Markup:
        views = [
            {
                "title": card.title,
                "href": self._resolve(card.page),
                "answer": self.words(card.answer),
                "figure": card.figure,
                "lines": [(self.words(line.text), line.tone) for line in card.lines],
            }
            for card in block.cards
        ]
        return Markup(macros().cards(views))

    def _grid(self, block: Grid) -> Markup:
        packed = all(isinstance(one, Facts) for one in block.blocks)
        kind = "pack" if packed else "grid wide" if block.wide else "grid"
        return Markup(macros().grid(self.all(block.blocks), kind))

    def _details(self, block: Details) -> Markup:
        return Markup(macros().details(block.summary, self.all(block.blocks)))

    def all(self, blocks: Sequence[Block]) -> list[Markup]:
        return [self.render(block) for block in blocks]


def _facts_html(block: Facts, resolve: Callable[[str], str]) -> Markup:
    """Made here and not by a template: a trial's page has a hundred facts, and there are thousands of pages.
    Every text goes through html.escape()."""
    parts = ['<div class="facts">', f"<h3>{html.escape(block.title)}</h3><dl>" if block.title else "<dl>"]
    for fact in block.facts:
        cell = cell_of(fact.value)
        text = html.escape(cell.text or format_value(cell.value, form=fact.form))
        address = resolve(cell.page) if cell.page else ""
        if address:
            text = f'<a href="{html.escape(address)}">{text}</a>'
        kind = f' class="{html.escape(cell.mark)}"' if cell.mark else ""
        own = f' title="{html.escape(cell.title)}"' if cell.title else ""
        parts.append(f"<div>{_term(fact.name, fact.help)}<dd{kind}{own}>{text}</dd></div>")
    parts.append("</dl></div>")
    return Markup("".join(parts))


@lru_cache(512)
def _known_facts(block: Facts, kinds: tuple[type, ...]) -> Markup:
    """Facts without links: recipes and environments are the same on the pages of many trials.

    :param kinds: of the values: True, 1 and 1.0 are equal, and written in three ways.
    """
    del kinds
    return _facts_html(block, lambda _: "")


@lru_cache(4096)
def _term(name: str, meaning: str) -> str:
    """A fact's name: the same on the pages of all trials."""
    hint = f' title="{html.escape(meaning)}"' if meaning else ""
    return f"<dt{hint}>{html.escape(name)}</dt>"


def _head(headings: Sequence[Heading]) -> int:
    """Index of the column that names a table's rows: the first one of texts."""
    return next((place for place, head in enumerate(headings) if not head.numeric), 0)


def _sort_value(one: CellText, heading: Heading) -> str | None:
    """What the cell sorts by, where that is not its text."""
    value = one.cell.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) and one.cell.text else None
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return f"{value:.12g}" if heading.numeric or one.cell.text else None
