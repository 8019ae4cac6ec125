"""Looks into the pages of a report before they are rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from benchsuite.contracts import Bullets, Chart, Command, Details, Grid, Paragraph, Table
from benchsuite.contracts.report import Block
from benchsuite.report.flow import bare
from benchsuite.report.layout import cell_of
from benchsuite.report.site import Page


def every(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks, and those within them."""
    for block in blocks:
        yield block
        if isinstance(block, Grid | Details):
            yield from every(block.blocks)


def section(page: Page, title: str) -> list[Block]:
    found = [one for one in page.sections if one.title == title]
    assert len(found) == 1, [one.title for one in page.sections]
    return list(every(found[0].blocks))


def everything(page: Page) -> list[Block]:
    return [block for part in page.sections for block in every(part.blocks)]


def tables(blocks: Iterable[Block]) -> dict[str, list[dict[str, Any]]]:
    """Title -> rows, each by column name, as bare values."""
    return {
        block.title: [
            {column.name: cell_of(value).value for column, value in zip(block.columns, row, strict=True)}
            for row in block.rows
        ]
        for block in blocks
        if isinstance(block, Table)
    }


def charts(blocks: Iterable[Block]) -> dict[str, Chart]:
    return {block.title: block for block in blocks if isinstance(block, Chart)}


def text(blocks: Iterable[Block]) -> str:
    """All that is said in sentences, and every command."""
    said: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            said.append(bare(block.text))
        elif isinstance(block, Bullets):
            said += [bare(item) for item in block.items]
        elif isinstance(block, Command):
            said.append(block.text)
    return "\n".join(said)


def values(chart: Chart) -> list[dict[str, Any]]:
    """All data of a chart, of its layers as well."""
    found: list[dict[str, Any]] = [row for rows in chart.spec.get("datasets", {}).values() for row in rows]

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if (
                isinstance(node.get("values"), list)
                and node["values"]
                and isinstance(node["values"][0], dict)
            ):
                found.extend(node["values"])
            for part in node.values():
                look(part)
        elif isinstance(node, list):
            for part in node:
                look(part)

    look(dict(chart.spec))
    return found
