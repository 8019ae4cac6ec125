"""Flax's recurrent layer and dense head."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen

from benchmarks.shapes import CLASSES, Shape

CELLS: dict[str, Any] = {
    "rnn": linen.SimpleCell,
    "lstm": linen.OptimizedLSTMCell,
    "gru": linen.GRUCell,
}
GATES = {"rnn": ("",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}


class Classifier(linen.Module):  # type: ignore[misc]
    """Inputs (T, B, D), lengths (B,) or None -> class scores (B, 10)."""

    cell: str
    hidden: int

    @linen.compact  # type: ignore[untyped-decorator]
    def __call__(self, inputs: jax.Array, lengths: jax.Array | None) -> jax.Array:
        layer = linen.RNN(CELLS[self.cell](self.hidden, name="cell"), time_major=True, return_carry=True)
        carry, _ = layer(inputs, seq_lengths=lengths)
        return linen.Dense(CLASSES, name="out")(carry[1] if self.cell == "lstm" else carry)


def flax_model(shape: Shape) -> tuple[Any, Any]:
    """Parameters, and the function from them and a batch to scores.

    Flax's GRU has a recurrent bias in its candidate gate alone. In the others it would be added to the inputs'
    bias, so it is the same function with fewer parameters; from biases of zero it is the same start.
    """
    model = Classifier(shape.cell, shape.hidden)

    def apply(parameters: Any, inputs: jax.Array, lengths: jax.Array) -> jax.Array:
        return model.apply({"params": parameters}, inputs, lengths if shape.ragged else None)

    return _parameters(shape), apply


def _parameters(shape: Shape) -> dict[str, Any]:
    given = {name.removeprefix("rnn.l0.fwd."): array for name, array in shape.parameters().items()}
    gates = GATES[shape.cell]
    cell: dict[str, dict[str, np.ndarray]] = {}
    for side, kernel in (("i", "Wx"), ("h", "Wh")):
        for gate, columns in zip(gates, np.split(given[kernel], len(gates), axis=1), strict=True):
            cell[side + gate] = {"kernel": columns}
    biased = {"rnn": ("i", "b"), "lstm": ("h", "b"), "gru": ("i", "bx")}
    side, bias = biased[shape.cell]
    for gate, part in zip(gates, np.split(given[bias], len(gates)), strict=True):
        cell[side + gate]["bias"] = part
    if shape.cell == "gru":
        cell["hn"]["bias"] = np.split(given["bh"], 3)[2]
    out = {"kernel": given["out.W"], "bias": given["out.b"]}
    parameters: dict[str, Any] = jax.tree.map(jnp.array, {"cell": cell, "out": out})
    return parameters
