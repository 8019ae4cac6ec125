"""LSTM with layer normalisation (Ba et al. 2016, arXiv:1607.06450, equations 20 to 22).

    (i, f, g, o) = LN(x Wx) * gx + LN(h Wh) * gh + b
    c' = sig(f) c + sig(i) tanh(g)
    h' = sig(o) tanh(LN(c') * gc + bc)

LN(v) = (v - mean) / sqrt(variance + 1e-5), over all 4 H numbers of a product at once; both products are
normalised on their own, and the cell that is carried is c', not LN(c'). The biases that the paper gives each LN
add up to b. Another formula goes by the same name: `LayerNormBasicLSTMCell` of TensorFlow 1 normalises the
sum of both products gate by gate and carries the normalised cell. That one is not this cell.
Initial values are the authors' (gains 1, biases 0), but the forget gate's bias is 1 as in `lstm`.
"""

from __future__ import annotations

from typing import ClassVar

from benchsuite.contracts import Cell, CellParameter, Operations, StatePart
from benchsuite.schema.cells import Array, States, Weights, constant, gates, glorot, orthogonal


def normalised(xp: Operations, v: Array) -> Array:
    """LN(v), over the last axis."""
    centred = v - xp.mean(v)
    return centred / xp.sqrt(xp.mean(centred * centred) + 1e-5)


class LayerNormLstm(Cell):
    """Parameters Wx (I, 4 H), Wh (H, 4 H), gx, gh, b (4 H): gates i, f, g, o; gc, bc (H)."""

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("h"), StatePart("c"))

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        zero, one = constant(0.0), constant(1.0)
        return {
            "Wx": CellParameter((inputs, 4 * hidden), gates(*[glorot] * 4)),
            "Wh": CellParameter((hidden, 4 * hidden), gates(*[orthogonal] * 4)),
            "gx": CellParameter((4 * hidden,), one),
            "gh": CellParameter((4 * hidden,), one),
            "b": CellParameter((4 * hidden,), gates(zero, one, zero, zero)),
            "gc": CellParameter((hidden,), one),
            "bc": CellParameter((hidden,), zero),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return normalised(xp, x @ w["Wx"]) * w["gx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        i, f, g, o = xp.split(u + normalised(xp, h @ w["Wh"]) * w["gh"], 4)
        c = xp.sigmoid(f) * state[1] + xp.sigmoid(i) * xp.tanh(g)
        return xp.sigmoid(o) * xp.tanh(normalised(xp, c) * w["gc"] + w["bc"]), c
