"""Leaky integrators: h' = (1 - a) h + a tanh(x W + h R + b), with a rate a = sig(l) for each unit.

Jaeger, Lukosevicius, Popovici and Siewert, Neural Networks 20, 2007; there W and R are drawn once and kept,
here everything is trained. Rates start between 0.1 and 0.9.
"""

from __future__ import annotations

from benchsuite.contracts import Cell, CellEntry, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, glorot, orthogonal, uniform


class LeakyRnn(Cell):
    """Parameters W (I, H), R (H, H), b (H), l (H)."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "W": CellParameter((inputs, hidden), glorot),
            "R": CellParameter((hidden, hidden), orthogonal),
            "b": CellParameter((hidden,), constant(0.0)),
            "l": CellParameter((hidden,), uniform(-2.2, 2.2)),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["W"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        rate = xp.sigmoid(w["l"])
        return ((1 - rate) * state[0] + rate * xp.tanh(u + h @ w["R"]),)


LEAKY_RNN = CellEntry(
    "leaky_rnn",
    LeakyRnn,
    summary="leaky integrators, a rate for each unit (Jaeger et al. 2007)",
    source="Jaeger et al., Optimization and applications of echo state networks, Neural Networks 20, 2007",
    equations=(r"h' = (1 - a) \odot h + a \odot \tanh(x W + h R + b), \quad a = \sigma(l)",),
)
