"""The tables of a site as CSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchsuite.contracts.report import Table, TableCell, Value
from benchsuite.report.layout import cell_of
from benchsuite.report.text import clean

_FORMULA = re.compile(r"\s*[=+\-@\t\r\0|%]")
"""What a spreadsheet may read as a formula."""


def plain_rows(table: Table) -> tuple[list[str], list[list[Value]]]:
    """Names of the columns and rows of bare values. A column whose cells have intervals is followed by one of
    their half widths."""
    rows = [[cell_of(value) for value in row] for row in table.rows]
    halves = [any(row[at].half is not None for row in rows) for at in range(len(table.columns))]
    names = []
    for column, half in zip(table.columns, halves, strict=True):
        names += [column.name, *([f"{column.name} ± (95 %)"] if half else [])]
    return names, [list(_values(row, halves)) for row in rows]


def _values(row: Sequence[TableCell], halves: Sequence[bool]) -> Iterator[Value]:
    for cell, half in zip(row, halves, strict=True):
        yield cell.value if cell.value is not None else (cell.text or None)
        if half:
            yield cell.half


def inert(value: Value) -> str:
    """A value as the text of a CSV cell that no spreadsheet takes for a formula: numbers as they are, other
    texts that begin like one behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = clean(value)
    return f"'{text}" if _FORMULA.match(text) else text


def write_csv(table: Table, path: Path) -> Path:
    """Write the table as UTF-8 with commas, one line per row, in full precision; returns `path`."""
    names, rows = plain_rows(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([inert(name) for name in names])
        writer.writerows([inert(value) for value in row] for row in rows)
    return path
