"""CellEntry: what is known of a cell before its code is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchsuite.errors import PluginError
from benchsuite.schema.cells.cell import Cell

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class CellEntry:
    """A cell that a plugin registers.

    name       what a matrix calls it: lower-case letters, digits and underscores
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
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name) or self.name == "none":
            raise PluginError(
                f"cell name {self.name!r}: must be lower-case letters, digits and underscores, and not 'none'"
            )
        for field in ("summary", "source"):
            value = getattr(self, field)
            if not isinstance(value, str) or not value.strip():
                raise PluginError(
                    f"cell {self.name!r}: {field} is {value!r}, must be a text that is not empty"
                )
        if isinstance(self.equations, str) or not all(isinstance(line, str) for line in self.equations):
            raise PluginError(f"cell {self.name!r}: equations must be a tuple of LaTeX lines")
        if not callable(self.load):
            raise PluginError(f"cell {self.name!r}: load must be a function that gives the Cell")
