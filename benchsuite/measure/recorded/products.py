"""The matrix products of one step of a cell, found by running it once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchsuite.measure.recorded.array import RecordedProduct
from benchsuite.measure.recorded.cell import RecordedCell
from benchsuite.schema.cells import Cell, cell_named

ROWS = 2


@dataclass(frozen=True)
class CellProducts:
    """The products of one step of a layer, inputs() and output() included.

    by_row    products of (rows, k) @ (k, n), as (k, n); those of equal n are one, whose k is their sum
    fixed     products of parameters with parameters, as (m, k, n)
    unneeded  products of `by_row` whose left operand is computed from the layer's input alone, as (k, n): a
              layer whose input needs no gradient needs none by that operand
    """

    by_row: tuple[tuple[int, int], ...]
    fixed: tuple[tuple[int, int, int], ...]
    unneeded: tuple[tuple[int, int], ...]


def cell_products(cell: str, inputs: int, hidden: int) -> CellProducts:
    """The products of a layer of `cell` with I inputs and H hidden units.

    Raises ContractError that names the cell where its code fails or uses what not every backend has.
    """
    return _products(cell, cell_named(cell), inputs, hidden)


@lru_cache(maxsize=256)
def _products(name: str, cell: Cell, inputs: int, hidden: int) -> CellProducts:
    """Shapes alone matter, so every number is 0.5: no step divides by zero or takes a root of less."""
    weights = {
        key: np.full(parameter.shape, 0.5, np.float32)
        for key, parameter in cell.parameters(inputs, hidden).items()
    }
    recorded = RecordedCell(name, cell, weights, hidden)
    with np.errstate(all="ignore"):
        u = recorded.inputs(np.full((ROWS, inputs), 0.5, np.float32), np.ones((ROWS, 1), np.float32))
        recorded.output(u, recorded.step(u, recorded.start(ROWS)))
    return summed(recorded.recorder.products)


def summed(products: list[RecordedProduct]) -> CellProducts:
    """The products of a step, those with equally many columns as one."""
    columns: dict[int, int] = {}
    for product in products:
        if product.by_row:
            columns[product.n] = columns.get(product.n, 0) + product.k
    return CellProducts(
        by_row=tuple((k, n) for n, k in columns.items()),
        fixed=tuple((each.m, each.k, each.n) for each in products if not each.by_row),
        unneeded=tuple((each.k, each.n) for each in products if each.of_inputs),
    )
