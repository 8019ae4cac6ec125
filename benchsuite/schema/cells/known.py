"""The cells that this process knows: the built-in ones, and those that plugins registered.

A model names its cell, and its parameters' shapes depend on the cell. So this table is one for the process, and
plugins.registry() fills it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from benchsuite.errors import ContractError, PluginError, unknown_name
from benchsuite.schema.cells.builtin import BUILTIN_CELLS
from benchsuite.schema.cells.cell import AffineCell, Cell, CellParameter, StatePart
from benchsuite.schema.cells.entry import CellEntry, StepKernel

_REGISTERED: dict[str, CellEntry] = {}
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def known_cells() -> Mapping[str, CellEntry]:
    """Every cell by name, the built-in ones first."""
    return BUILTIN_CELLS | _REGISTERED


def register_cell(entry: CellEntry) -> None:
    """Make a cell known. Raises PluginError where its name is taken by another one."""
    if known_cells().get(entry.name, entry) != entry:
        raise PluginError(f"cell {entry.name!r} is known already; give yours another name")
    if entry.name not in BUILTIN_CELLS:
        _REGISTERED[entry.name] = entry


def forget_cell(name: str) -> None:
    """Take back a registration; nothing happens for a name that is not registered."""
    _REGISTERED.pop(name, None)
    cell_named.cache_clear()
    step_kernel.cache_clear()


@cache
def cell_named(name: str) -> Cell:
    """The cell called `name`.

    Raises ContractError for a name that is not known, and for a cell whose declarations are not right.
    """
    cells = known_cells()
    if name not in cells:
        raise ContractError(unknown_name("cell", name, cells))
    try:
        cell = cells[name].load()
    except Exception as error:  # a plugin may fail in any way
        raise ContractError(f"cell {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    _check(name, cell)
    return cell


@cache
def step_kernel(name: str, backend: str) -> StepKernel | None:
    """The hand-written step that the cell's plugin has for `backend`, or None.

    Raises ContractError where it cannot be loaded.
    """
    load = known_cells()[name].kernels.get(backend)
    if load is None:
        return None
    try:
        return load()
    except Exception as error:  # a plugin may fail in any way
        raise ContractError(
            f"cell {name!r}: its kernel for {backend} cannot be loaded: {type(error).__name__}: {error}"
        ) from error


def step_source(name: str, backend: str) -> str:
    """Whose step a loop of the backend's runs, for Program.notes(): `generic`, or the plugin's kernel."""
    return "generic" if step_kernel(name, backend) is None else f"the plugin's kernel for {backend}"


def _check(name: str, cell: object) -> None:
    """Raises ContractError naming what a cell declares that cannot be."""
    if not isinstance(cell, Cell):
        raise ContractError(f"cell {name!r}: load() gave {type(cell).__name__}, must be a Cell")
    parts = cell.state
    if not parts or not all(isinstance(part, StatePart) for part in parts):
        raise ContractError(f"cell {name!r}: state is {parts!r}, must be a tuple of one or more StatePart")
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise ContractError(f"cell {name!r}: two parts of its state have one name: {', '.join(names)}")
    if isinstance(cell, AffineCell) and len(parts) > 2:
        raise ContractError(
            f"cell {name!r}: an affine cell has one part in its state, or two (real, imaginary), not "
            f"{len(parts)}"
        )
    parameters = cell.parameters(2, 3)
    if not parameters:
        raise ContractError(f"cell {name!r}: parameters() gave none")
    for key, parameter in parameters.items():
        if not isinstance(key, str) or not _PARAMETER.fullmatch(key):
            raise ContractError(
                f"cell {name!r}: parameter name {key!r} must be letters, digits and underscores, a letter first"
            )
        shape = parameter.shape if isinstance(parameter, CellParameter) else None
        if not isinstance(shape, tuple) or not shape or not all(isinstance(n, int) and n > 0 for n in shape):
            raise ContractError(
                f"cell {name!r}: parameter {key!r} is {parameter!r}, must be a CellParameter whose shape is a "
                f"tuple of whole numbers from 1"
            )
