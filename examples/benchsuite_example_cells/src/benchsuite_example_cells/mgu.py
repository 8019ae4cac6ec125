"""The minimal gated unit (Zhou, Wu, Zhang and Zhou 2016, arXiv:1603.09420): a GRU whose two gates are one.

    f = sig(x Wf + h Rf + bf)    c = tanh(x Wc + (f h) Rc + bc)    h' = (1 - f) h + f c

The gate acts on the state before the product, so there are two products in each step.
"""

from __future__ import annotations

from benchsuite.contracts import Cell, CellEntry, CellParameter, Operations
from benchsuite.schema.cells import Array, States, Weights, constant, gates, glorot, orthogonal


class Mgu(Cell):
    """Parameters Wx (I, 2 H), b (2 H): gate f, then candidate c; Rf (H, H), Rc (H, H)."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "Wx": CellParameter((inputs, 2 * hidden), gates(glorot, glorot)),
            "b": CellParameter((2 * hidden,), constant(0.0)),
            "Rf": CellParameter((hidden, hidden), orthogonal),
            "Rc": CellParameter((hidden, hidden), orthogonal),
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        gate, candidate = xp.split(u, 2)
        f = xp.sigmoid(gate + h @ w["Rf"])
        c = xp.tanh(candidate + (f * h) @ w["Rc"])
        return ((1 - f) * state[0] + f * c,)


MGU = CellEntry(
    "mgu",
    Mgu,
    summary="minimal gated unit: a GRU whose two gates are one (Zhou et al. 2016)",
    source="Zhou et al., Minimal gated unit for recurrent neural networks, arXiv:1603.09420, 2016",
    equations=(
        r"f = \sigma(x W_f + h R_f + b_f)",
        r"c = \tanh(x W_c + (f \odot h) R_c + b_c)",
        r"h' = (1 - f) \odot h + f \odot c",
    ),
)
