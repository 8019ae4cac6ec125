"""The operations that a plugin's cell may use, in jax."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from benchsuite.schema.cells import Operations


def _abs(x: jax.Array) -> jax.Array:
    """jnp.abs has slope 1 at 0; sign(0) = 0 is the canonical subgradient."""
    return x * jnp.sign(x)


def _concat(parts: Sequence[jax.Array]) -> jax.Array:
    return jnp.concatenate(parts, axis=-1)


def _mean(x: jax.Array) -> jax.Array:
    return jnp.mean(x, axis=-1, keepdims=True)


def _split(x: jax.Array, count: int) -> list[jax.Array]:
    return list(jnp.split(x, count, axis=-1))


def _sum(x: jax.Array) -> jax.Array:
    return jnp.sum(x, axis=-1, keepdims=True)


JAX_OPERATIONS = Operations(
    "jax",
    {
        "abs": _abs,
        "concat": _concat,
        "cos": jnp.cos,
        "exp": jnp.exp,
        "expm1": jnp.expm1,
        "log": jnp.log,
        "log1p": jnp.log1p,
        "log_sigmoid": jax.nn.log_sigmoid,
        "maximum": jnp.maximum,
        "mean": _mean,
        "minimum": jnp.minimum,
        "ones_like": jnp.ones_like,
        "relu": jax.nn.relu,
        "sigmoid": jax.nn.sigmoid,
        "sin": jnp.sin,
        "softplus": jax.nn.softplus,
        "split": _split,
        "sqrt": jnp.sqrt,
        "sum": _sum,
        "tanh": jnp.tanh,
        "where": jnp.where,
        "zeros_like": jnp.zeros_like,
    },
)
"""What a cell gets as `xp`. Its sigmoid is exact far below zero, where the kernels' cheaper one is 0: cells
divide by gates."""
