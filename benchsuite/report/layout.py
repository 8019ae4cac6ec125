"""A table as it will be read: every value as text, by a scale that its column shares. For all renderers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.contracts import Cell, Column, Table
from benchsuite.contracts.report import Value
from benchsuite.report.words import Scale, scale_for, with_half

NUMERIC = ("number", "integer", "seconds", "bytes", "rate", "share", "scientific", "mixed")


@dataclass(frozen=True)
class Shown:
    """A cell as text; `half` is the text of half its interval, where it has one."""

    text: str
    half: str
    cell: Cell


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
class Laid:
    """Headings and rows."""

    headings: tuple[Heading, ...]
    rows: list[tuple[Shown, ...]]


def cell_of(value: Value | Cell) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def headings(table: Table) -> tuple[Heading, ...]:
    """The columns with their scales."""
    return tuple(
        Heading(column, scale_for(column.form, _numbers([row[place] for row in table.rows])))
        for place, column in enumerate(table.columns)
    )


def lay_out(table: Table, most: int | None = None) -> Laid:
    """The table's texts; of the first `most` rows alone where that is given."""
    heads = headings(table)
    rows = [
        tuple(shown(value, head) for value, head in zip(row, heads, strict=True)) for row in table.rows[:most]
    ]
    return Laid(heads, rows)


def shown(value: Value | Cell, heading: Heading) -> Shown:
    """One cell as text."""
    cell = cell_of(value)
    if cell.text:
        return Shown(cell.text, "", cell)
    if cell.half is not None and isinstance(cell.value, int | float):
        text, half = with_half(cell.value, cell.half, heading.scale.by)
        return Shown(text, half, cell)
    return Shown(heading.scale.write(cell.value), "", cell)


def _numbers(values: Sequence[Value | Cell]) -> list[float]:
    found = (value.value if isinstance(value, Cell) else value for value in values)
    return [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
