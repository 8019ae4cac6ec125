"""A cell that is written over `schema.cells.Operations`, one step at a time: its derivative is autograd's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from autograd import make_vjp
from autograd.builtins import tuple as boxed_tuple

from benchsuite.errors import ContractError
from benchsuite.schema.cells import cell_named, naming_cell
from benchsuite_numpy.reference.cells import CELLS, Cell, CellState, Residuals, StepGradients, Weights
from benchsuite_numpy.reference.operations import REFERENCE_OPERATIONS as XP

Pullback = Callable[[Any], Any]
"""From dL/d(what a function gave) to dL/d(its arguments)."""


def reference_cell(name: str, masked: bool = False) -> Cell:
    """The formulas of rnn, lstm and gru that are written out; the generic form of any other cell, and of theirs
    where recurrent dropout masks h."""
    return GenericCell(name) if masked or name not in CELLS else CELLS[name]


class GenericCell(Cell):
    """Any registered cell. Its three parts (inputs, step, output) are differentiated one by one."""

    def __init__(self, name: str) -> None:
        """Raises ContractError for a name that is not known."""
        self._name, self._cell = name, cell_named(name)
        self.initial = tuple(part.initial for part in self._cell.state)

    def forward(
        self, w: Weights, x: np.ndarray, state: CellState, begins: np.ndarray, mask: np.ndarray | None
    ) -> tuple[CellState, np.ndarray, Residuals]:
        cell, w = self._cell, dict(w)
        masked = state[0] if mask is None else state[0] * mask
        with naming_cell(self._name, "inputs()"):
            inputs_back, u = self._differentiated(lambda w, x: cell.inputs(XP, w, x, begins), w, x)
        with naming_cell(self._name, "step()"):
            step_back, new = self._differentiated(
                lambda w, u, h, state: boxed_tuple(cell.step(XP, w, u, h, state)), w, u, masked, state
            )
            self._check(new, state)
        with naming_cell(self._name, "output()"):
            output_back, y = self._differentiated(
                lambda w, u, state: cell.output(XP, w, u, state), w, u, tuple(new)
            )
            self._check((y,), state[:1])
        return tuple(new), y, (inputs_back, step_back, output_back, mask)

    def backward(
        self, w: Weights, kept: Residuals, d_state: CellState, d_output: np.ndarray
    ) -> StepGradients:
        inputs_back, step_back, output_back, mask = kept
        by_output, du_output, ds_output = output_back(d_output)
        after = tuple(a + b for a, b in zip(d_state, ds_output, strict=True))
        by_step, du_step, d_masked, before = step_back(boxed_tuple(after))
        by_inputs, dx = inputs_back(du_output + du_step)
        dh = before[0] + (d_masked if mask is None else d_masked * mask)
        weights = {name: by_output[name] + by_step[name] + by_inputs[name] for name in w}
        return StepGradients(dx, (dh, *before[1:]), weights, after[0])

    @staticmethod
    def _differentiated(function: Callable[..., Any], *arguments: Any) -> tuple[Pullback, Any]:
        """The derivative by all arguments, and the value."""
        back, value = make_vjp(lambda packed: function(*packed))(boxed_tuple(arguments))
        return back, value

    @staticmethod
    def _check(found: CellState, wanted: CellState) -> None:
        """Raises ContractError unless the parts have the shapes of `wanted`."""
        shapes, expected = ([np.shape(part) for part in parts] for parts in (found, wanted))
        if shapes != expected:
            raise ContractError(f"gave arrays of the shapes {shapes}, must be {expected}")
