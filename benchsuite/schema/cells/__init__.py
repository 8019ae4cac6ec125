"""Recurrent cells: what a cell says of itself, once, in no framework's words."""

from benchsuite.schema.cells.builtin import BUILTIN_CELLS
from benchsuite.schema.cells.cell import (
    AffineCell,
    Array,
    Cell,
    CellParameter,
    Initial,
    StatePart,
    States,
    Weights,
)
from benchsuite.schema.cells.entry import CellEntry, StepKernel
from benchsuite.schema.cells.faults import naming_cell
from benchsuite.schema.cells.initial import constant, gates, glorot, normal, orthogonal, uniform
from benchsuite.schema.cells.known import (
    cell_named,
    forget_cell,
    known_cells,
    register_cell,
    step_kernel,
    step_source,
)
from benchsuite.schema.cells.operations import OPERATIONS, Operations

__all__ = [
    "BUILTIN_CELLS",
    "OPERATIONS",
    "AffineCell",
    "Array",
    "Cell",
    "CellEntry",
    "CellParameter",
    "Initial",
    "Operations",
    "StatePart",
    "States",
    "StepKernel",
    "Weights",
    "cell_named",
    "constant",
    "forget_cell",
    "gates",
    "glorot",
    "known_cells",
    "naming_cell",
    "normal",
    "orthogonal",
    "register_cell",
    "step_kernel",
    "step_source",
    "uniform",
]
