"""RecordedCell: the parts of a cell's layer, run on recorded arrays, every answer checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchsuite.errors import ContractError
from benchsuite.measure.recorded.array import RecordedArray, Recorder
from benchsuite.measure.recorded.operations import recorded_operations
from benchsuite.schema.cells import AffineCell, Cell
from benchsuite.schema.cells.faults import naming_cell

Parts = tuple[np.ndarray, ...]


class RecordedCell:
    """One layer of a cell with given parameters, in NumPy. Each part takes and gives NumPy's arrays.

    A call raises ContractError that names the cell and the part where its code fails, uses what not every
    backend has, or gives something of another shape or dtype than it should.
    """

    def __init__(self, name: str, cell: Cell, weights: dict[str, np.ndarray], hidden: int) -> None:
        self.name, self.cell, self.hidden = name, cell, hidden
        self.recorder = Recorder()
        self._xp = recorded_operations()
        self._weights = {key: self.recorder.parameter(values) for key, values in weights.items()}
        self._dtype = next(iter(weights.values())).dtype

    def inputs(self, x: np.ndarray, begins: np.ndarray) -> RecordedArray:
        """u (N, U) of x (N, I) and begins (N, 1)."""
        arrays = self.recorder.inputs(x), self.recorder.inputs(begins)
        with naming_cell(self.name, "inputs()"):
            u = self.cell.inputs(self._xp, self._weights, *arrays)
            return self._checked("u", u, (len(x), None))

    def step(self, u: RecordedArray, state: Parts, h: np.ndarray | None = None) -> Parts:
        """The state after a step, of u and the state before; h: state[0] unless given."""
        parts = self._states(state)
        hidden = parts[0] if h is None else self.recorder.state(h)
        with naming_cell(self.name, "step()"):
            return self._parts("state", self.cell.step(self._xp, self._weights, u, hidden, parts), u)

    def output(self, u: RecordedArray, state: Parts) -> np.ndarray:
        """y (N, H) of u and the state after the step."""
        with naming_cell(self.name, "output()"):
            y = self.cell.output(self._xp, self._weights, u, self._states(state))
            return self._checked("y", y, (len(u.values), self.hidden)).values

    def elements(self, u: RecordedArray) -> tuple[Parts, Parts]:
        """a and b of an affine cell."""
        assert isinstance(self.cell, AffineCell)
        with naming_cell(self.name, "elements()"):
            found = self.cell.elements(self._xp, self._weights, u)
            if not isinstance(found, tuple) or len(found) != 2:
                raise ContractError("must give (a, b), each a tuple with the parts of the state")
            return self._parts("a", found[0], u), self._parts("b", found[1], u)

    def start(self, rows: int) -> Parts:
        """The state before the first step."""
        return tuple(np.full((rows, self.hidden), part.initial, self._dtype) for part in self.cell.state)

    def _states(self, state: Parts) -> tuple[RecordedArray, ...]:
        return tuple(self.recorder.state(part) for part in state)

    def _parts(self, what: str, given: Any, u: RecordedArray) -> Parts:
        names = [part.name for part in self.cell.state]
        if not isinstance(given, tuple) or len(given) != len(names):
            shown = f"{len(given)} parts" if isinstance(given, tuple) else type(given).__name__
            raise ContractError(
                f"{what}: must be a tuple of {len(names)} parts ({', '.join(names)}), is {shown}"
            )
        shape = (len(u.values), self.hidden)
        return tuple(
            self._checked(f"{what}, part {name!r}", part, shape).values
            for name, part in zip(names, given, strict=True)
        )

    def _checked(self, what: str, given: Any, shape: tuple[int, int | None]) -> RecordedArray:
        if not isinstance(given, RecordedArray):
            raise ContractError(f"{what}: must be an array, is {type(given).__name__}")
        found = given.values.shape
        if len(found) != 2 or found[0] != shape[0] or shape[1] not in (None, found[1]):
            wanted = f"({shape[0]}, {'any' if shape[1] is None else shape[1]})"
            raise ContractError(f"{what}: has the shape {found}, must have {wanted}")
        if given.values.dtype != self._dtype:
            raise ContractError(f"{what}: is {given.values.dtype} where the parameters are {self._dtype}")
        return given
