"""The cell `new_cell`: h' = (1 - z) h + z tanh(x Wx + h Wh + b), with a gate z = sig(x Wz + bz) of the input.

Its code is written once, over `xp`, and runs in every backend. Of all steps at once: inputs(); one step after
the other: step().
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Cell, CellEntry, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, gates, glorot, orthogonal


class NewCell(Cell):
    """Parameters Wx (I, 2 H) and b (2 H), of the candidate and the gate; Wh (H, H)."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "Wx": CellParameter((inputs, 2 * hidden), gates(glorot, glorot)),
            "b": CellParameter((2 * hidden,), constant(0.0)),
            "Wh": CellParameter((hidden, hidden), orthogonal),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        candidate, gate = xp.split(u, 2)
        z = xp.sigmoid(gate)
        return ((1 - z) * state[0] + z * xp.tanh(candidate + h @ w["Wh"]),)


NEW_CELL = CellEntry(
    "new_cell",
    NewCell,
    summary="a plain recurrent cell whose input says how much of the state is replaced",
    source="the paper that the equations are from",
    equations=(
        r"z = \sigma(x W_z + b_z)",
        r"h' = (1 - z) \odot h + z \odot \tanh(x W_x + h W_h + b)",
    ),
)


@hookimpl
def benchsuite_register_cells() -> Iterable[CellEntry]:
    return [NEW_CELL]
