"""As TensorFlow's users write it: Keras layers and Adam, a training step in a tf.function."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.contestants import Contestant, Peers
from benchmarks.shapes import CLASSES, Shape
from benchmarks.unsupported import Unsupported

LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
LONGEST_UNROLLED = 100
"""Steps that `unroll=True` is used for: building and optimising longer graphs takes minutes."""

tf.config.threading.set_intra_op_parallelism_threads(int(os.environ.get("TF_NUM_INTRAOP_THREADS", "0")))
tf.config.threading.set_inter_op_parallelism_threads(int(os.environ.get("TF_NUM_INTEROP_THREADS", "0")))


def classifier(shape: Shape, unroll: bool) -> keras.Model:
    """Inputs (B, T, D), mask (B, T) where ragged -> class scores (B, 10), with the shape's initial weights."""
    inputs = keras.Input((shape.time, shape.inputs), batch_size=shape.batch)
    mask = keras.Input((shape.time,), batch_size=shape.batch, dtype="bool")
    layer, head = LAYERS[shape.cell](shape.hidden, unroll=unroll), keras.layers.Dense(CLASSES)
    if shape.ragged:
        model = keras.Model([inputs, mask], head(layer(inputs, mask=mask)))
    else:
        model = keras.Model([inputs], head(layer(inputs)))
    given = {name.removeprefix("rnn.l0.fwd."): array for name, array in shape.parameters().items()}
    kernels = [given["Wx"], given["Wh"]]
    if shape.cell == "gru":
        layer.set_weights([_gru_order(array) for array in [*kernels, np.stack([given["bx"], given["bh"]])]])
    else:
        layer.set_weights([*kernels, given["b"]])
    head.set_weights([given["out.W"], given["out.b"]])
    return model


def _gru_order(array: np.ndarray) -> np.ndarray:
    """Columns r, z, n -> Keras' z, r, h."""
    r, z, n = np.split(array, 3, axis=-1)
    return np.concatenate([z, r, n], axis=-1)


class TensorFlow(Contestant):
    """Forward, tape and Adam in one graph."""

    def __init__(self, shape: Shape, unroll: bool = False, jit: bool = False) -> None:
        if unroll and shape.time > LONGEST_UNROLLED:
            raise Unsupported(f"Keras takes minutes to unroll {shape.time} steps")
        batch = shape.data()
        mask = np.arange(shape.time) < batch.lengths[:, None]
        inputs = [batch.inputs, mask] if shape.ragged else [batch.inputs]
        self._inputs = [tf.constant(array) for array in inputs]
        self._labels = tf.constant(batch.targets)
        self._loss = tf.constant(float("nan"))
        model = classifier(shape, unroll)
        optimiser = keras.optimizers.Adam(1e-3)
        optimiser.build(model.trainable_variables)
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        @tf.function(jit_compile=jit)  # type: ignore[untyped-decorator]
        def train(inputs: list[tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = loss_of(labels, model(inputs, training=True))
            variables = model.trainable_variables
            optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

        @tf.function(jit_compile=jit)  # type: ignore[untyped-decorator]
        def predict(inputs: list[tf.Tensor]) -> Any:
            return model(inputs, training=False)

        self._train, self._predict = train, predict

    def step(self) -> None:
        self._loss = self._train(self._inputs, self._labels)

    def loss(self) -> float:
        return float(self._loss)

    def predict(self) -> None:
        self._predict(self._inputs).numpy()


PEERS: Peers = {
    "keras": TensorFlow,
    "keras-unrolled": partial(TensorFlow, unroll=True),
    "keras-jit": partial(TensorFlow, jit=True),
}
