"""sLSTM (Beck et al. 2024, arXiv:2405.04517, section 2.2 and appendix A): an LSTM with exponential gates.

    (i~, f~, z~, o~) = x W + h R + b       m' = max(i~, log sig(f~) + m)
    i = exp(i~ - m')                       f = exp(log sig(f~) + m - m')
    c' = f c + i tanh(z~)    n' = f n + i  h' = sig(o~) c' / n'

m keeps both exponentials at most 1 and cancels in h'. It starts at -inf, so that a fresh row's first step
has m' = i~, f = 0 and n' = 1, whatever the rows beside it do; a branch on the whole batch (n is 0
everywhere) does something else as soon as one row is carried. n' >= 1 ever after. Gates in the order of the
authors' code; one head: R is dense. R starts at zero and the forget gate's bias at 3 to 6, evenly spaced:
two of that code's choices (`zeros`, `small_init`). Its default bias depends on the layer's place in a
stack, which a cell cannot know.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchsuite.contracts import Cell, CellParameter, Operations, StatePart
from benchsuite.schema.cells import Array, States, Weights, constant, gates, glorot


def spaced(_random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """3 to 6, evenly spaced."""
    return np.linspace(3.0, 6.0, shape[-1])


class ScalarLstm(Cell):
    """Parameters Wx (I, 4 H), Wh (H, 4 H), b (4 H): gates i, f, z, o."""

    state: ClassVar[tuple[StatePart, ...]] = (
        StatePart("h"),
        StatePart("c"),
        StatePart("n"),
        StatePart("m", float("-inf")),
    )

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        zero = constant(0.0)
        return {
            "Wx": CellParameter((inputs, 4 * hidden), gates(*[glorot] * 4)),
            "Wh": CellParameter((hidden, 4 * hidden), zero),
            "b": CellParameter((4 * hidden,), gates(zero, spaced, zero, zero)),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        i, f, z, o = xp.split(u + h @ w["Wh"], 4)
        held = xp.log_sigmoid(f) + state[3]
        m = xp.maximum(i, held)
        new, kept = xp.exp(i - m), xp.exp(held - m)
        c, n = kept * state[1] + new * xp.tanh(z), kept * state[2] + new
        return xp.sigmoid(o) * c / n, c, n, m
