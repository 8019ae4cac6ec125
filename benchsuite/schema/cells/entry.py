"""CellEntry: what is known of a cell before its code is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchsuite.errors import PluginError
from benchsuite.schema.cells.cell import Array, Cell, States, Weights
from benchsuite.schema.entry_checks import check_function, check_name, check_text, check_tuple

StepKernel = Callable[[Weights, Array, Array, States], States]
"""Cell.step without `xp`, in one framework's own words: (w, u, h, state) -> the state after the step. The
framework must be able to differentiate it (a custom derivative is one)."""


@dataclass(frozen=True)
class CellEntry:
    """A cell that a plugin registers.

    name       what a matrix calls it: lower-case letters, digits, _ and -
    load       gives the Cell
    summary    one line for lists and reports
    source     the paper that its equations are from
    equations  its equations in LaTeX, one per line, for docs and reports
    kernels    backend -> a function that gives a hand-written step for it, which runs in place of Cell.step in
               loops over time; parity and the kit compare it with the reference, which runs Cell.step. The
               NumPy backend reads none: it records and replays Cell.step
    """

    name: str
    load: Callable[[], Cell]
    summary: str
    source: str
    equations: tuple[str, ...]
    kernels: Mapping[str, Callable[[], StepKernel]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("cell", self.name)
        check_function(self, "load")
        check_text(self, "summary", "source")
        check_tuple(self, "equations", str)
        if not isinstance(self.kernels, Mapping) or not all(map(callable, self.kernels.values())):
            raise PluginError(
                f"cell {self.name!r}: kernels is {self.kernels!r}, must map backends to functions that give "
                f"a step"
            )
        if "numpy" in self.kernels:
            raise PluginError(
                f"cell {self.name!r}: kernels has 'numpy', whose loop records and replays Cell.step; leave "
                f"it out"
            )
