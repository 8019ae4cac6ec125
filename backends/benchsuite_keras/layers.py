"""Keras' recurrent layers as its users make them, and their weights in the canonical layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from benchsuite.schema import Execution, Recurrent
from benchsuite_keras.support import on_gpu

LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def recurrent_layer(body: Recurrent, execution: Execution, sequences: bool) -> Any:
    """One layer of the stack, both directions of it where the body is bidirectional. Its weights are zero.

    `unroll` and `use_cudnn` are what the execution's unroll says. On a CPU use_cudnn keeps Keras' default
    "auto", with which Keras' PyTorch and JAX backends multiply all inputs at once where there is no mask.

    :param sequences: whether it returns every step's output, or the last.
    """
    options: dict[str, Any] = {"return_sequences": sequences, "unroll": execution.unroll == "static"}
    options |= {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    if body.cell == "lstm":
        options["unit_forget_bias"] = False
    if body.cell != "rnn":
        options["use_cudnn"] = execution.unroll == "fused" if on_gpu(execution) else "auto"
    layer = LAYERS[body.cell](body.hidden, dtype=execution.dtype, **options)
    return keras.layers.Bidirectional(layer, dtype=execution.dtype) if body.bidirectional else layer


def directions(layer: Any) -> dict[str, Any]:
    """Direction (`fwd`, `bwd`) -> the layer that reads it."""
    if isinstance(layer, keras.layers.Bidirectional):
        return {"fwd": layer.forward_layer, "bwd": layer.backward_layer}
    return {"fwd": layer}


def weights(prefix: str, layer: Any) -> Iterator[tuple[str, Any]]:
    """(name, variable) of one direction of a layer. The bias is one variable in Keras: its name is `.bias`."""
    yield f"{prefix}.Wx", layer.cell.kernel
    yield f"{prefix}.Wh", layer.cell.recurrent_kernel
    yield f"{prefix}.bias", layer.cell.bias


def from_canonical(body: Recurrent, parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays by the names of weights(), in Keras' layout: an lstm's gates are in our order, a gru's z
    before r, and its two biases are the rows of one matrix."""
    found = {}
    for name, array in parameters.items():
        if not name.startswith("rnn.") or name.endswith(".bh"):
            found.update({} if name.endswith(".bh") else {name: array})
        elif name.endswith(".bx"):
            rows = np.stack([array, parameters[f"{name[:-3]}.bh"]])
            found[f"{name[:-3]}.bias"] = _exchanged(body.cell, rows)
        elif name.endswith(".b"):
            found[f"{name[:-2]}.bias"] = array
        else:
            found[name] = _exchanged(body.cell, array)
    return found


def to_canonical(body: Recurrent, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The inverse of from_canonical(): contiguous arrays."""
    found = {}
    for name, array in arrays.items():
        if not name.startswith("rnn."):
            found[name] = array
        elif not name.endswith(".bias"):
            found[name] = _exchanged(body.cell, array)
        elif body.cell == "gru":
            start = name.removesuffix(".bias")
            found[f"{start}.bx"], found[f"{start}.bh"] = (row.copy() for row in _exchanged("gru", array))
        else:
            found[f"{name.removesuffix('.bias')}.b"] = array
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _exchanged(cell: str, array: np.ndarray) -> np.ndarray:
    """A gru's gates r, z, n as z, r, h, or back."""
    if cell != "gru":
        return array
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)
