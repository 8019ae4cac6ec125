"""What of a site goes into a document that is read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchsuite.contracts.report import (
    Block,
    Bullets,
    Cards,
    Chart,
    Command,
    Display,
    Facts,
    Grid,
    LineChart,
    Link,
    Paragraph,
    Table,
    Words,
)
from benchsuite.report.formatting import format_value
from benchsuite.report.layout import cell_of
from benchsuite.report.site import Page, Site

LEFT_OUT = ("trials", "methods")
"""Pages that only the site has: a row for each trial, and what is looked up."""
LONGEST_CELL = 300
"""Characters of a text in a cell of a document; the site's CSV files hold it in full."""

Flowing = Paragraph | Bullets | Table | Facts | Command | Cards
"""Blocks of a document. Charts, exhibits and what is folded in the site are not among them."""


@dataclass(frozen=True)
class Part:
    """A section as a document has it: what flows, and nothing else."""

    title: str
    blocks: tuple[Flowing, ...]


def parts(page: Page) -> Iterator[Part]:
    """The page's sections. One of which nothing is left is left out, and so is one that has nothing but words
    about its charts."""
    for section in page.sections:
        blocks = tuple(_flowing(section.blocks))
        said = all(isinstance(block, Paragraph) for block in blocks)
        if blocks and not (said and _drawn(section.blocks)):
            yield Part(section.title, blocks)


def _drawn(blocks: Iterable[Block]) -> bool:
    """Whether there is something to look at among the blocks."""
    return any(
        isinstance(block, Chart | LineChart | Display) or (isinstance(block, Grid) and _drawn(block.blocks))
        for block in blocks
    )


def document_pages(site: Site) -> list[Page]:
    """The pages of a document, in the order of reading."""
    return [page for page in site.pages if page.key not in LEFT_OUT]


def _flowing(blocks: Iterable[Block]) -> Iterator[Flowing]:
    for block in blocks:
        if isinstance(block, Grid):
            yield from _flowing(block.blocks)
        elif isinstance(block, Paragraph | Bullets | Table | Facts | Command | Cards):
            yield block


def place(page: Page) -> str:
    """The page's key as words of a file name."""
    return page.key.replace(":", " ").replace("-", " ")


def bare(words: Words) -> str:
    """Text without its links."""
    if isinstance(words, str):
        return words
    return "".join(part.text if isinstance(part, Link) else part for part in words)


def cut(text: str, most: int = LONGEST_CELL) -> str:
    """A text on one line, its end left out where it is very long."""
    one = " ".join(text.split())
    return one if len(one) <= most else f"{one[: most - 1]}…"


def facts_words(block: Facts) -> str:
    """`cells: lstm; epochs: 10`; facts without a value are left out."""
    known = []
    for fact in block.facts:
        cell = cell_of(fact.value)
        text = cell.text or format_value(cell.value, form=fact.form)
        if text:
            known.append(f"{cut(fact.name)}: {cut(text)}")
    said = "; ".join(known)
    return f"{cut(block.title)}: {said}" if block.title and said else said
