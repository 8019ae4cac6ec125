"""rnn, lstm and gru. Every backend has a kernel of its own for them; these forms say what it must compute."""

from __future__ import annotations

from typing import ClassVar

from benchsuite.schema.cells.cell import Array, Cell, CellParameter, StatePart, States, Weights
from benchsuite.schema.cells.entry import CellEntry
from benchsuite.schema.cells.initial import constant, gates, glorot, orthogonal
from benchsuite.schema.cells.operations import Operations


def _matrices(inputs: int, hidden: int, count: int) -> dict[str, CellParameter]:
    """Wx (I, count * H) and Wh (H, count * H), drawn gate by gate."""
    return {
        "Wx": CellParameter((inputs, count * hidden), gates(*[glorot] * count)),
        "Wh": CellParameter((hidden, count * hidden), gates(*[orthogonal] * count)),
    }


class ElmanCell(Cell):
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return _matrices(inputs, hidden, 1) | {"b": CellParameter((hidden,), constant(0.0))}

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:  # noqa: ARG002
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:  # noqa: ARG002
        return (xp.tanh(u + h @ w["Wh"]),)


class LstmCell(Cell):
    """c' = sig(f) c + sig(i) tanh(g), h' = sig(o) tanh(c') (Gers et al. 2000); gates i, f, g, o.

    The forget gate's bias starts at 1 (Jozefowicz et al. 2015).
    """

    state: ClassVar[tuple[StatePart, ...]] = (StatePart("h"), StatePart("c"))

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        zero, one = constant(0.0), constant(1.0)
        return _matrices(inputs, hidden, 4) | {
            "b": CellParameter((4 * hidden,), gates(zero, one, zero, zero))
        }

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:  # noqa: ARG002
        return x @ w["Wx"] + w["b"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        i, f, g, o = xp.split(u + h @ w["Wh"], 4)
        c = xp.sigmoid(f) * state[1] + xp.sigmoid(i) * xp.tanh(g)
        return xp.sigmoid(o) * xp.tanh(c), c


class GruCell(Cell):
    """h' = (1 - z) n + z h (Cho et al. 2014), reset after the product; gates r, z, n."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        biases = {name: CellParameter((3 * hidden,), constant(0.0)) for name in ("bx", "bh")}
        return _matrices(inputs, hidden, 3) | biases

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:  # noqa: ARG002
        return x @ w["Wx"] + w["bx"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:
        xr, xz, xn = xp.split(u, 3)
        hr, hz, hn = xp.split(h @ w["Wh"] + w["bh"], 3)
        r, z = xp.sigmoid(xr + hr), xp.sigmoid(xz + hz)
        n = xp.tanh(xn + r * hn)
        return ((1 - z) * n + z * state[0],)


BUILTIN_CELLS: dict[str, CellEntry] = {
    entry.name: entry
    for entry in (
        CellEntry(
            "rnn",
            ElmanCell,
            summary="plain recurrent cell with tanh (Elman 1990)",
            source="Elman, Finding structure in time, Cognitive Science 14, 1990",
            equations=(r"h' = \tanh(x W_x + h W_h + b)",),
        ),
        CellEntry(
            "lstm",
            LstmCell,
            summary="long short-term memory, with forget gate (Gers et al. 2000)",
            source="Gers, Schmidhuber and Cummins, Learning to forget, Neural Computation 12, 2000",
            equations=(
                r"i, f, o = \sigma(x W_x + h W_h + b), \quad g = \tanh(x W_x + h W_h + b)",
                r"c' = f \odot c + i \odot g",
                r"h' = o \odot \tanh(c')",
            ),
        ),
        CellEntry(
            "gru",
            GruCell,
            summary="gated recurrent unit, reset after the product, as cuDNN runs it (Cho et al. 2014)",
            source="Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014",
            equations=(
                r"r, z = \sigma(x W_x + b_x + h W_h + b_h)",
                r"n = \tanh(x W_x + b_x + r \odot (h W_h + b_h))",
                r"h' = (1 - z) \odot n + z \odot h",
            ),
        ),
    )
}
"""The cells that need no plugin."""
