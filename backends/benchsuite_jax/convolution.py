"""The convolutional baseline: convolution, tanh, mean pooling, one dense layer (after LeCun et al. 1998)."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from benchsuite.schema import Convolutional


def features(body: Convolutional, p: Mapping[str, jax.Array], x: jax.Array) -> jax.Array:
    """Features (B, hidden) of pictures x (B, T, D), T * D = height * width, row-major."""
    x = x.reshape(x.shape[0], body.height, body.width, 1)
    for index in range(len(body.channels)):
        W, b = p[f"cnn.c{index}.W"], p[f"cnn.c{index}.b"]
        x = jax.lax.conv_general_dilated(x, W, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = _mean_pool(jnp.tanh(x + b))
    flat = x.reshape(x.shape[0], -1)
    return jnp.tanh(flat @ p["cnn.dense.W"] + p["cnn.dense.b"])


def _mean_pool(x: jax.Array) -> jax.Array:
    """Mean over 2 x 2 windows of x (B, h, w, C); an odd last row or column is dropped."""
    rows, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(rows, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
