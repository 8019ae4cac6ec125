"""Recurrent cells of 2000 to 2024, written once and run by every backend: one file each.

What a list or a report shows of a cell is here; its code is imported when the cell is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from benchsuite import hookimpl
from benchsuite.contracts import Cell, CellEntry


def _from(module: str, name: str) -> Callable[[], Cell]:
    """A function that imports the cell's class and makes the cell."""

    def load() -> Cell:
        cell: Cell = getattr(import_module(f"{__name__}.{module}"), name)()
        return cell

    return load


CELLS = (
    CellEntry(
        "mingru",
        _from("mingru", "MinGru"),
        summary="minimal GRU: gate and candidate read the input alone; affine (Feng et al. 2024)",
        source="Feng et al., Were RNNs all we needed?, arXiv:2410.01201, 2024",
        equations=(
            r"z = \sigma(x W_z + b_z), \quad c = g(x W_c + b_c)",
            r"g(v) = v + \tfrac{1}{2} \text{ if } v \ge 0, \text{ else } \sigma(v)",
            r"h' = (1 - z) \odot h + z \odot c",
        ),
    ),
)


@hookimpl
def benchsuite_register_cells() -> Iterable[CellEntry]:
    return CELLS
