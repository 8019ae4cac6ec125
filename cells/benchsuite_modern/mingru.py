"""minGRU (Feng et al. 2024, arXiv:2410.01201, appendix B.2.1): a GRU whose gate reads the input alone.

    z = sig(x Wz + bz)    c = g(x Wc + bc)    g(v) = v + 1/2 where v >= 0, else sig(v)
    h' = (1 - z) h + z c

g is positive and continuous, so that states that start at 0 are never negative: the paper scans logarithms, and
a logarithm needs a positive candidate. Here a = 1 - z and b = z c are scanned as they are. With tanh or the
identity instead of g it is another cell. The paper names no initial values: Glorot's by gate, biases of zero.
"""

from __future__ import annotations

from benchsuite.contracts import AffineCell, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, gates, glorot


def positive(xp: Operations, v: Array) -> Array:
    """g(v) = v + 1/2 where v >= 0, else sigmoid(v)."""
    return xp.where(v >= 0, v + 0.5, xp.sigmoid(v))


class MinGru(AffineCell):
    """Parameters Wx (I, 2 H) and b (2 H): gate z, then candidate c."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "Wx": CellParameter((inputs, 2 * hidden), gates(glorot, glorot)),
            "b": CellParameter((2 * hidden,), constant(0.0)),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def elements(self, xp: Operations, w: Weights, u: Array) -> tuple[States, States]:
        gate, candidate = xp.split(u, 2)
        # 1 - sigmoid(v) is sigmoid(-v), without cancellation where the gate is nearly open
        return (xp.sigmoid(-gate),), (xp.sigmoid(gate) * positive(xp, candidate),)
