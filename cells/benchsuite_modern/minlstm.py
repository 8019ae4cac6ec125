"""minLSTM (Feng et al. 2024, arXiv:2410.01201, appendix B.2.2): an LSTM whose gates read the input alone.

    f = sig(x Wf + bf)    i = sig(x Wi + bi)    c = g(x Wc + bc)    g as in minGRU
    f' = f / (f + i)      i' = i / (f + i)      h' = f' h + i' c

The two gates are normalised, so that h' lies between h and c at every length. f / (f + i) is computed as
sig(log f - log i): both gates may underflow to 0, and 0 / 0 is no number. Without the normalisation states may
grow with the length. Initial values: Glorot's by gate, biases of zero.
"""

from __future__ import annotations

from benchsuite.contracts import AffineCell, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, gates, glorot
from benchsuite_modern.mingru import positive


class MinLstm(AffineCell):
    """Parameters Wx (I, 3 H) and b (3 H): gates f and i, then candidate c."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "Wx": CellParameter((inputs, 3 * hidden), gates(glorot, glorot, glorot)),
            "b": CellParameter((3 * hidden,), constant(0.0)),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def elements(self, xp: Operations, w: Weights, u: Array) -> tuple[States, States]:
        forget, gate, candidate = xp.split(u, 3)
        odds = xp.log_sigmoid(forget) - xp.log_sigmoid(gate)
        return (xp.sigmoid(odds),), (xp.sigmoid(-odds) * positive(xp, candidate),)
