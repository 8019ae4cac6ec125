"""A cell that gives what it should not is refused by name, with what it gave and what it should give."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from benchsuite.errors import ContractError
from benchsuite.measure.recorded.cell import RecordedCell
from benchsuite.schema.cells import AffineCell, Cell, CellParameter, StatePart, constant


class Base(Cell):
    state: ClassVar[tuple[StatePart, ...]] = (StatePart("h"), StatePart("c"))

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {"W": CellParameter((inputs, hidden), constant(0.1))}

    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return x @ w["W"]

    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return u, state[1]


def run(cell: Cell, dtype: str = "float32") -> None:
    """One step with 3 inputs, 5 hidden units and 2 rows."""
    weights = {key: np.full(each.shape, 0.5, dtype) for key, each in cell.parameters(3, 5).items()}
    recorded = RecordedCell("odd", cell, weights, 5)
    u = recorded.inputs(np.ones((2, 3), dtype), np.ones((2, 1), dtype))
    if isinstance(cell, AffineCell):
        recorded.elements(u)
    recorded.output(u, recorded.step(u, recorded.start(2)))


def changed(**methods: Any) -> Cell:
    cell: Cell = type("Changed", (Base,), methods)()
    return cell


class BadAffine(AffineCell):
    parameters = Base.parameters
    inputs = Base.inputs

    def elements(self, xp: Any, w: Any, u: Any) -> Any:
        return u


FAULTS: dict[str, tuple[Cell, str]] = {
    "no tuple": (
        changed(step=lambda *a: a[3]),
        "step(): state: must be a tuple of 2 parts (h, c), is RecordedArray",
    ),
    "too few parts": (changed(step=lambda *a: (a[3],)), "must be a tuple of 2 parts (h, c), is 1 parts"),
    "columns": (
        changed(step=lambda self, xp, w, u, h, s: (xp.concat([u, u]), u)),
        "state, part 'h': has the shape (2, 10), must have (2, 5)",
    ),
    "rows": (
        changed(step=lambda self, xp, w, u, h, s: (u, w["W"])),
        "state, part 'c': has the shape (3, 5), must have (2, 5)",
    ),
    "number": (changed(step=lambda *a: (a[3], 0.0)), "state, part 'c': must be an array, is float"),
    "output": (
        changed(output=lambda self, xp, w, u, s: xp.sum(u)),
        "output(): y: has the shape (2, 1), must have (2, 5)",
    ),
    "comparison": (changed(output=lambda self, xp, w, u, s: u > 0), "output(): y: is bool where"),
    "inputs": (
        changed(inputs=lambda self, xp, w, x, b: w["W"]),
        "inputs(): u: has the shape (3, 5), must have (2, any)",
    ),
    "operation": (changed(step=lambda self, xp, *a: xp.erf(a[1])), "step(): a cell uses the operation 'erf'"),
    "method": (changed(step=lambda self, xp, w, u, *a: u.exp()), "step(): uses .exp of an array"),
    "error": (changed(step=lambda self, xp, w, *a: w["V"]), "step(): KeyError: 'V'"),
    "elements": (BadAffine(), "elements(): must give (a, b), each a tuple"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_cell_and_part(fault: str) -> None:
    cell, said = FAULTS[fault]
    with pytest.raises(ContractError) as refused:
        run(cell)
    assert str(refused.value).startswith("cell 'odd': ")
    assert said in str(refused.value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_cell_that_keeps_its_contract_runs(dtype: str) -> None:
    run(Base(), dtype)
