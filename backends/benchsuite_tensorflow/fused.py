"""Keras' recurrent layers on their cuDNN path, called with the canonical weights.

The layers hold no weights of the program: each call gets the canonical tensors in Keras' own gate order, so
that gradients arrive in the canonical layout by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from benchsuite_tensorflow.cells import State, Tensor


def keras_weights(cell: str, weights: Sequence[Tensor]) -> list[Tensor]:
    """[kernel, recurrent kernel, bias] as Keras orders them: lstm i,f,c,o as here; gru z,r,h for r,z,n, with
    the two biases as rows."""
    if cell == "lstm":
        return list(weights)

    def swap(weight: Tensor) -> Tensor:
        r, z, n = tf.split(weight, 3, -1)
        return tf.concat([z, r, n], -1)

    wx, wh, bx, bh = (swap(weight) for weight in weights)
    return [wx, wh, tf.stack([bx, bh])]


class FusedLayer:
    """One direction of one layer. `use_cudnn` False runs the same layer without a GPU, as Keras' own loop."""

    def __init__(self, cell: str, inputs: int, hidden: int, dtype: str, use_cudnn: bool = True) -> None:
        kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
        options = {"reset_after": True} if cell == "gru" else {}
        self._cell = cell
        self._layer = kind(hidden, return_sequences=True, use_cudnn=use_cudnn, dtype=dtype, **options)
        self._layer.build((None, None, inputs))

    def __call__(self, x: Tensor, weights: Sequence[Tensor], initial: State | None = None) -> Tensor:
        """Outputs h (T, B, H) of x (T, B, I), from a zero state or `initial`, running on past the ends of short
        rows."""
        outputs, _ = self._layer.stateless_call(
            keras_weights(self._cell, weights),
            self._layer.non_trainable_variables,
            tf.transpose(x, [1, 0, 2]),
            initial_state=None if initial is None else list(initial),
        )
        return tf.transpose(outputs, [1, 0, 2])
