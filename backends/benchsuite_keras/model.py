"""Network: a ModelSpec as a keras.Model, and its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from benchsuite.schema import Dense, Execution, ModelSpec, Recipe, Recurrent, Tokens
from benchsuite_keras import layers
from benchsuite_keras.runtime import Tensor, host


class Network(keras.Model):  # type: ignore[misc]
    """Embedding, recurrent layers, readout and a dense layer, as users of Keras write them.

    Weights begin at zero: they are loaded, and JAX would compile a dozen functions for those that Keras draws.

    Called with a dict: `sequences` (B, T, D), or ids (B, T); `mask` (B, T) bool where rows differ in length.

    calls  how often call() ran; where Keras compiles it, that is how often it was traced
    """

    def __init__(self, spec: ModelSpec, execution: Execution) -> None:
        super().__init__(dtype=execution.dtype)
        assert isinstance(spec.body, Recurrent), "declined by supports()"
        assert isinstance(spec.head, Dense), "declined by supports()"
        dtype, last = execution.dtype, spec.body.layers - 1
        self.readout, self.calls = spec.readout, 0
        self.embedding = None
        if isinstance(spec.input, Tokens):
            self.embedding = keras.layers.Embedding(
                spec.input.vocabulary, spec.input.embedding, "zeros", dtype=dtype
            )
        self.recurrent = [
            layers.recurrent_layer(spec.body, execution, index < last or spec.readout != "last")
            for index in range(spec.body.layers)
        ]
        self.pooling = keras.layers.GlobalAveragePooling1D(dtype=dtype)
        self.head = keras.layers.Dense(spec.head.outputs, kernel_initializer="zeros", dtype=dtype)

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> Tensor:  # noqa: ARG002 - alike in both
        self.calls += 1
        x, mask = inputs["sequences"], inputs.get("mask")
        if self.embedding is not None:
            x = self.embedding(x)
        for layer in self.recurrent:
            x = layer(x, mask=mask)
        if self.readout == "mean":
            x = self.pooling(x, mask=mask)
        return self.head(x)


def built(spec: ModelSpec, execution: Execution) -> Network:
    """A network whose variables are made, on the current device, without running it."""
    network = Network(spec, execution)
    if isinstance(spec.input, Tokens):
        example = keras.KerasTensor((1, 2), "int32")
    else:
        example = keras.KerasTensor((1, 2, spec.input.size), execution.dtype)
    network({"sequences": example})
    return network


def variables(network: Network) -> dict[str, Any]:
    """Every variable by its name in layers.from_canonical()."""
    found = {} if network.embedding is None else {"embed.E": network.embedding.embeddings}
    for index, layer in enumerate(network.recurrent):
        for direction, one in layers.directions(layer).items():
            found.update(layers.weights(f"rnn.l{index}.{direction}", one))
    return found | {"out.W": network.head.kernel, "out.b": network.head.bias}


def read(network: Network) -> dict[str, np.ndarray]:
    """Copies of all variables, by the same names."""
    return {name: host(variable) for name, variable in variables(network).items()}


def loss(spec: ModelSpec, recipe: Recipe, dtype: str) -> Any:
    """Keras' loss: the mean over valid entries, which are those of a sample weight other than zero."""
    options: dict[str, Any] = {"reduction": "mean_with_sample_weight", "dtype": dtype}
    if spec.loss == "squared":
        return keras.losses.MeanSquaredError(**options)
    if spec.loss == "absolute":
        return keras.losses.MeanAbsoluteError(**options)
    if spec.loss == "binary_cross_entropy":
        return keras.losses.BinaryCrossentropy(from_logits=True, **options)
    if recipe.label_smoothing:
        return keras.losses.CategoricalCrossentropy(True, recipe.label_smoothing, **options)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, **options)
