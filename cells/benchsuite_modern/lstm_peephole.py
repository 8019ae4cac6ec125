"""LSTM with peepholes (Gers and Schmidhuber 2000): the gates see the cell.

    i = sig(x Wi + h Ri + p_i c + b_i)    f = sig(x Wf + h Rf + p_f c + b_f)    g = tanh(x Wg + h Rg + b_g)
    c' = f c + i g                        o = sig(x Wo + h Ro + p_o c' + b_o)   h' = o tanh(c')

i and f see the cell before the step, o the new one: the operator LSTM of ONNX with its input P, of which it
holds (p_i, p_o, p_f), and gates in the order i, o, f, g where this cell has i, f, g, o. Initial values are
those of `lstm`; peepholes start uniformly in +-0.1, so that a fresh cell is nearly an `lstm`.
"""

from __future__ import annotations

from typing import ClassVar

from benchsuite.contracts import Cell, CellParameter, Operations, StatePart
from benchsuite.schema.cells import (
    Array,
    States,
    Weights,
    constant,
    gates,
    glorot,
    orthogonal,
    uniform,
)


class PeepholeLstm(Cell):
    """Parameters Wx (I, 4 H), Wh (H, 4 H), b (4 H): gates i, f, g, o; p (3 H): peepholes of i, f, o."""

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("h"), StatePart("c"))

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        zero = constant(0.0)
        return {
            "Wx": CellParameter((inputs, 4 * hidden), gates(*[glorot] * 4)),
            "Wh": CellParameter((hidden, 4 * hidden), gates(*[orthogonal] * 4)),
            "b": CellParameter((4 * hidden,), gates(zero, constant(1.0), zero, zero)),
            "p": CellParameter((3 * hidden,), uniform(-0.1, 0.1)),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        i, f, g, o = xp.split(u + h @ w["Wh"], 4)
        p_i, p_f, p_o = xp.split(w["p"], 3)
        before = state[1]
        c = xp.sigmoid(f + p_f * before) * before + xp.sigmoid(i + p_i * before) * xp.tanh(g)
        return xp.sigmoid(o + p_o * c) * xp.tanh(c), c
