"""The convolutional baseline of benchsuite.schema.Convolutional."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from benchsuite.schema import Convolutional
from benchsuite_tensorflow.cells import Tensor


def features(body: Convolutional, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Features (B, hidden) of inputs (B, T, D), read as (B, height, width, 1)."""
    x = tf.reshape(inputs, [-1, body.height, body.width, 1])
    for index in range(len(body.channels)):
        x = tf.nn.conv2d(x, weights[f"cnn.c{index}.W"], strides=1, padding="SAME")
        x = tf.tanh(tf.nn.bias_add(x, weights[f"cnn.c{index}.b"]))
        x = tf.nn.avg_pool2d(x, 2, 2, padding="VALID")
    flat = tf.reshape(x, [-1, body.flattened])
    return tf.tanh(tf.nn.bias_add(flat @ weights["cnn.dense.W"], weights["cnn.dense.b"]))
