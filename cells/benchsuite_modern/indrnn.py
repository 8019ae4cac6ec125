"""IndRNN, the independently recurrent network (Li et al. 2018, arXiv:1803.04831).

    h' = relu(x W + u * h + b),  |u| <= 1

Each unit sees itself alone; layers mix them. The paper holds |u| <= 2^(1/T) for sequences of T steps by
cutting u after each update. A cell does not know T, and what it may bound is its function: u is cut to [-1,
1] where it is used, which is inside the paper's bound for every T, and the limit of it (its authors advise
[-1, 1] for long sequences). A u beyond the bound has no gradient. u starts uniformly in 0 to 1, W as Glorot
says, b at 0. The figures that were published for this cell are disputed: they come with batch normalisation
and many layers.
"""

from __future__ import annotations

from benchsuite.contracts import Cell, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, glorot, uniform


class IndRnn(Cell):
    """Parameters W (I, H), u (H), b (H)."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "W": CellParameter((inputs, hidden), glorot),
            "u": CellParameter((hidden,), uniform(0.0, 1.0)),
            "b": CellParameter((hidden,), constant(0.0)),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["W"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        return (xp.relu(u + xp.maximum(xp.minimum(w["u"], 1.0), -1.0) * h),)
