"""The report as one Markdown file, to be put into a README: answers and tables, no charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchsuite.contracts.report import Bullets, Cards, Command, Facts, Paragraph, Table, Words
from benchsuite.report.flow import Part, bare, cut, document_pages, facts_words, parts
from benchsuite.report.layout import CellText, table_text
from benchsuite.report.site import Site

MOST_MARKDOWN_ROWS = 50
"""Rows of a table; the CSV files have all of them."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$!@])")
_START = re.compile(r"^(\s*)([-+=:]|\d+(?=[.)](?:\s|$)))")
_ADDRESS = re.compile(r"(?i)\b(?:(?<=https)|(?<=http)|(?<=ftp)):(?=//)|\b(?<=www)\.")
"""The sign by which GitHub knows an address in plain text."""


def escape(text: str) -> str:
    """A text that Markdown (CommonMark, GitHub's as well) shows as it is: no link, no HTML, no mathematics."""
    clean = "".join(sign if sign >= " " and not "\x7f" <= sign < "\xa0" else " " for sign in text)
    clean = clean.encode("utf-8", "replace").decode()
    made = _SPECIAL.sub(r"\\\1", clean)
    made = _ADDRESS.sub(r"\\\g<0>", made)
    return _START.sub(_guarded, made)


def _guarded(found: re.Match[str]) -> str:
    """What would begin a list, a heading or a rule does not."""
    start, sign = found.groups()
    return f"{start}{sign}\\" if sign.isdigit() else f"{start}\\{sign}"


def write_markdown(site: Site, output: Path) -> list[Path]:
    """Write `report.md` into `output`."""
    path = output / "report.md"
    path.write_text(document(site), encoding="utf-8")
    return [path]


def document(site: Site) -> str:
    """The whole file."""
    lines = [f"# {escape(cut(site.title))}", ""]
    for page in document_pages(site):
        lines += [f"## {escape(cut(page.title))}", ""]
        if page.lead:
            lines += [_words(page.lead), ""]
        for part in parts(page):
            lines += _part(part)
    lines += [f"Made by benchsuite {escape(version('benchsuite'))} from {escape(cut(site.source))}.", ""]
    return "\n".join(lines)


def _words(words: Words) -> str:
    return escape(cut(bare(words), 4000))


def _part(part: Part) -> Iterator[str]:
    if part.title:
        yield f"### {escape(cut(part.title))}"
        yield ""
    for block in part.blocks:
        yield from _MAKERS[type(block)](block)
        yield ""


def _paragraph(block: Paragraph) -> Iterator[str]:
    text = _words(block.text)
    yield f"> **Caution:** {text}" if block.tone == "warning" else text


def _bullets(block: Bullets) -> Iterator[str]:
    yield from (f"- {_words(item)}" for item in block.items)


def _command(block: Command) -> Iterator[str]:
    longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}text"
    yield from block.text.encode("utf-8", "replace").decode().splitlines()
    yield fence


def _facts(block: Facts) -> Iterator[str]:
    yield escape(facts_words(block))


def _cards(block: Cards) -> Iterator[str]:
    for card in block.cards:
        told = f" ({escape(cut(card.figure))})" if card.figure else ""
        lines = " ".join(_words(line.text) for line in card.lines)
        yield f"- **{escape(cut(card.title))}**: {_words(card.answer)}{told}. {lines}".rstrip()


def _table(block: Table) -> Iterator[str]:
    if block.title:
        yield f"**{escape(cut(block.title))}**"
        yield ""
    laid = table_text(block, MOST_MARKDOWN_ROWS)
    yield _row([escape(cut(head.text)) for head in laid.headings])
    yield _row(["---:" if head.numeric else ":---" for head in laid.headings])
    for row in laid.rows:
        yield _row([_cell(one) for one in row])
    left = len(block.rows) - len(laid.rows)
    notes = [block.note] if block.note else []
    if left > 0:
        notes.append(f"The first {len(laid.rows)} of {len(block.rows):,} rows.")
    if notes:
        yield ""
        yield escape(cut(" ".join(notes), 4000))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: CellText) -> str:
    text = escape(cut(one.text))
    if text and one.cell.mark == "best":
        text = f"**{text}**"
    if one.cell.mark == "unsure" and text:
        text = f"\\~ {text}"
    if one.cell.mark == "tied" and text:
        text = f"≈ {text}"
    return f"{text} ± {one.half}" if one.half else text


_MAKERS: Mapping[type, Callable[[Any], Iterator[str]]] = {
    Paragraph: _paragraph,
    Bullets: _bullets,
    Command: _command,
    Facts: _facts,
    Cards: _cards,
    Table: _table,
}
