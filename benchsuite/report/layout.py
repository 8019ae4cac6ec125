"""A table as it is read: every value as text, by a scale that its column shares. For all renderers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.contracts.report import Column, Table, TableCell, Value
from benchsuite.report.formatting import Scale, scale_for

NUMERIC = ("number", "integer", "seconds", "bytes", "rate", "share", "scientific", "mixed")
ABSENT = "–"
"""Shown for a value that is absent for a known reason, which is the cell's title."""


@dataclass(frozen=True)
class CellText:
    """A cell as text; `half` is the text of half its interval, "" where it has none."""

    text: str
    half: str
    cell: TableCell


@dataclass(frozen=True)
class Heading:
    """A column's heading with the unit that all its values are in."""

    column: Column
    scale: Scale

    @property
    def text(self) -> str:
        return f"{self.column.name} ({self.scale.unit})" if self.scale.unit else self.column.name

    @property
    def numeric(self) -> bool:
        return self.column.form in NUMERIC


@dataclass(frozen=True)
class TableText:
    """Headings and rows."""

    headings: tuple[Heading, ...]
    rows: list[tuple[CellText, ...]]


def cell_of(value: Value | TableCell) -> TableCell:
    return value if isinstance(value, TableCell) else TableCell(value)


def headings(table: Table) -> tuple[Heading, ...]:
    """The columns with their scales: those that name a `group` share one."""
    values = [_numbers([row[place] for row in table.rows]) for place in range(len(table.columns))]
    groups: dict[str, list[float]] = {}
    for column, own in zip(table.columns, values, strict=True):
        groups.setdefault(column.group, []).extend(own)
    return tuple(
        Heading(column, scale_for(column.form, groups[column.group] if column.group else own))
        for column, own in zip(table.columns, values, strict=True)
    )


def table_text(table: Table, most: int | None = None) -> TableText:
    """The table's texts; of the first `most` rows alone where that is given."""
    heads = headings(table)
    rows = [
        tuple(cell_text(value, head) for value, head in zip(row, heads, strict=True))
        for row in table.rows[:most]
    ]
    return TableText(heads, rows)


def cell_text(value: Value | TableCell, heading: Heading) -> CellText:
    """One cell as text."""
    cell = cell_of(value)
    if cell.text:
        return CellText(cell.text, "", cell)
    if cell.value is None and cell.title and heading.numeric:
        return CellText(ABSENT, "", cell)
    text, half = heading.scale.format_uncertain(cell.value, cell.half)
    return CellText(text, half, cell)


def _numbers(values: Sequence[Value | TableCell]) -> list[float]:
    found = (value.value if isinstance(value, TableCell) else value for value in values)
    return [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
