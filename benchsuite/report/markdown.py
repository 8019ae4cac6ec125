"""The report as one Markdown file, to be put into a README: answers and tables, no charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from benchsuite.contracts.report import Bullets, Cards, Command, Facts, Link, Paragraph, Table, Words
from benchsuite.report.flow import cut, document_pages, facts_words, parts
from benchsuite.report.layout import CellText, table_text
from benchsuite.report.site import Page, Site

Address = Callable[[str], str]
"""Key of a page, as links name it -> where it is; "" where the document leads to no such page."""

MOST_MARKDOWN_ROWS = 50
"""Rows of a table; the CSV files have all of them."""
LONGEST_PARAGRAPH = 4000
"""Characters of a paragraph."""

_IN_ADDRESS = {ord(sign): f"%{ord(sign):02X}" for sign in "()<>[]\\ \n\r\t|`"}
"""Signs that would end an address or the cell that it stands in."""

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


def nowhere(key: str) -> str:
    """The addresses of a document that stands alone: there are none."""
    del key
    return ""


def document(site: Site) -> str:
    """The whole file."""
    lines = [f"# {escape(cut(site.title))}", ""]
    for page in document_pages(site):
        lines += [f"## {escape(cut(page.title))}", "", *page_lines(page, 3)]
    lines += [f"Made by benchsuite {escape(version('benchsuite'))} from {escape(cut(site.source))}.", ""]
    return "\n".join(lines)


def page_lines(page: Page, level: int, address: Address = nowhere) -> Iterator[str]:
    """A page without its title, line by line.

    :param level: of the headings of its sections. :param address: where its links lead.
    """
    if page.lead:
        yield from (_words(page.lead, address), "")
    for part in parts(page):
        if part.title:
            yield from (f"{'#' * level} {escape(cut(part.title))}", "")
        for block in part.blocks:
            yield from (*_MAKERS[type(block)](block, address), "")


def _words(words: Words, address: Address) -> str:
    return "".join(_linked(escape(text), place) for text, place in _pieces(words, address)).strip()


def _pieces(words: Words, address: Address) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with where it leads, "" for nowhere; cut where they are very long together.
    What leads nowhere is one piece with its neighbours: escaping looks at what stands side by side."""
    parts = (words,) if isinstance(words, str) else words
    placed = [(one.text, address(one.page)) if isinstance(one, Link) else (one, "") for one in parts]
    left = LONGEST_PARAGRAPH
    for place, group in groupby(placed, key=lambda one: one[1]):
        text = re.sub(r"\s+", " ", "".join(text for text, _ in group))
        yield (text if len(text) <= left else f"{text[: max(left - 1, 0)]}…"), place
        left -= len(text)
        if left < 0:
            return


def _linked(text: str, address: str) -> str:
    """:param text: escaped. :param address: "" for none."""
    return f"[{text}]({address.translate(_IN_ADDRESS)})" if text and address else text


def _paragraph(block: Paragraph, address: Address) -> Iterator[str]:
    text = _words(block.text, address)
    yield f"> **Caution:** {text}" if block.tone == "warning" else text


def _bullets(block: Bullets, address: Address) -> Iterator[str]:
    yield from (f"- {_words(item, address)}" for item in block.items)


def _command(block: Command, address: Address) -> Iterator[str]:
    del address
    longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}text"
    yield from block.text.encode("utf-8", "replace").decode().splitlines()
    yield fence


def _facts(block: Facts, address: Address) -> Iterator[str]:
    del address
    yield escape(facts_words(block))


def _cards(block: Cards, address: Address) -> Iterator[str]:
    for card in block.cards:
        told = f" ({escape(cut(card.figure))})" if card.figure else ""
        lines = " ".join(_sentence(_words(line.text, address)) for line in card.lines)
        yield f"- **{escape(cut(card.title))}**: {_words(card.answer, address)}{told}. {lines}".rstrip()


def _sentence(text: str) -> str:
    """The lines of a card stand one after the other here: each needs an end."""
    return text if text.endswith((".", ":", "!", "?")) else f"{text}."


def _table(block: Table, address: Address) -> Iterator[str]:
    if block.title:
        yield f"**{escape(cut(block.title))}**"
        yield ""
    laid = table_text(block, MOST_MARKDOWN_ROWS)
    yield _row([escape(cut(head.text)) for head in laid.headings])
    yield _row(["---:" if head.numeric else ":---" for head in laid.headings])
    for row in laid.rows:
        yield _row([_cell(one, address) for one in row])
    left = len(block.rows) - len(laid.rows)
    notes = [block.note] if block.note else []
    if left > 0:
        notes.append(f"The first {len(laid.rows)} of {len(block.rows):,} rows.")
    if notes:
        yield ""
        yield escape(cut(" ".join(notes), LONGEST_PARAGRAPH))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: CellText, address: Address) -> str:
    text = escape(cut(one.text))
    if text and one.cell.mark == "best":
        text = f"**{text}**"
    if one.cell.page:
        text = _linked(text, address(one.cell.page))
    if one.cell.mark == "unsure" and text:
        text = f"\\~ {text}"
    if one.cell.mark == "tied" and text:
        text = f"≈ {text}"
    return f"{text} ± {one.half}" if one.half else text


_MAKERS: Mapping[type, Callable[[Any, Address], Iterator[str]]] = {
    Paragraph: _paragraph,
    Bullets: _bullets,
    Command: _command,
    Facts: _facts,
    Cards: _cards,
    Table: _table,
}
