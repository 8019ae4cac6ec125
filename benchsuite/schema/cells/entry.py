"""CellEntry: what is known of a cell before its code is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchsuite.schema.cells.cell import Cell
from benchsuite.schema.entry_checks import check_function, check_name, check_text, check_tuple


@dataclass(frozen=True)
class CellEntry:
    """A cell that a plugin registers.

    name       what a matrix calls it: lower-case letters, digits, _ and -
    load       gives the Cell
    summary    one line for lists and reports
    source     the paper that its equations are from
    equations  its equations in LaTeX, one per line, for docs and reports
    """

    name: str
    load: Callable[[], Cell]
    summary: str
    source: str
    equations: tuple[str, ...]

    def __post_init__(self) -> None:
        check_name("cell", self.name)
        check_function(self, "load")
        check_text(self, "summary", "source")
        check_tuple(self, "equations", str)
