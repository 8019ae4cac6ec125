"""The operations that a cell of a plugin may use, in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from benchsuite.schema.cells import Operations
from benchsuite_tensorflow.cells import Tensor


def _like(*values: Tensor) -> list[Tensor]:
    """All values as tensors of one dtype: TensorFlow by itself makes a Python number single precision."""
    dtype = next((value.dtype for value in values if tf.is_tensor(value)), None)
    return [tf.convert_to_tensor(value, dtype) for value in values]


def _of_pairs(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda x, y: function(*_like(x, y))


def _concat(parts: Sequence[Tensor]) -> Tensor:
    return tf.concat(parts, -1)


def _split(x: Tensor, n: int) -> list[Tensor]:
    parts: list[Tensor] = tf.split(x, n, -1)
    return parts


def _where(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return tf.where(condition, *_like(x, y))


OPERATIONS = Operations(
    "tensorflow",
    {
        "abs": tf.abs,
        "concat": _concat,
        "cos": tf.cos,
        "exp": tf.exp,
        "expm1": tf.math.expm1,
        "log": tf.math.log,
        "log1p": tf.math.log1p,
        "log_sigmoid": tf.math.log_sigmoid,
        "maximum": _of_pairs(tf.maximum),
        "mean": lambda x: tf.reduce_mean(x, -1, keepdims=True),
        "minimum": _of_pairs(tf.minimum),
        "ones_like": tf.ones_like,
        "relu": tf.nn.relu,
        "sigmoid": tf.sigmoid,
        "sin": tf.sin,
        "softplus": tf.math.softplus,
        "split": _split,
        "sqrt": tf.sqrt,
        "sum": lambda x: tf.reduce_sum(x, -1, keepdims=True),
        "tanh": tf.tanh,
        "where": _where,
        "zeros_like": tf.zeros_like,
    },
)
