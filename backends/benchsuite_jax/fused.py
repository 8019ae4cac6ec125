"""The whole LSTM stack as one cuDNN call (`jax.experimental.rnn`).

cuDNN keeps the gates in the canonical order i, f, g, o, but its matrices act on column vectors and every
gate has two biases: the canonical one is the first, the second is zero and not a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
from jax.experimental.rnn import lstm

from benchsuite.schema import Recurrent
from benchsuite_jax.cells import State, States


def packed_weights(prefixes: Sequence[str], p: Mapping[str, jax.Array]) -> jax.Array:
    """One flat array: Wx^T and Wh^T of every layer and direction, then both biases of each."""
    matrices, biases = [], []
    for prefix in prefixes:
        matrices += [p[f"{prefix}.Wx"].T.ravel(), p[f"{prefix}.Wh"].T.ravel()]
        biases += [p[f"{prefix}.b"], jnp.zeros_like(p[f"{prefix}.b"])]
    return jnp.concatenate(matrices + biases)


def run_stack(
    body: Recurrent,
    prefixes: Sequence[str],
    p: Mapping[str, jax.Array],
    x: jax.Array,
    initial: Mapping[str, State],
    lengths: jax.Array | None,
    precision: jax.lax.Precision,
) -> tuple[jax.Array, States]:
    """Run all layers over x (T, B, I): top outputs (T, B, F), zero on padding, and final states by prefix."""
    time, rows, width = x.shape
    h, c = (jnp.stack([initial[prefix][part] for prefix in prefixes]) for part in (0, 1))
    if lengths is None:
        lengths = jnp.full(rows, time, jnp.int32)
    outputs, h, c = lstm(
        x.swapaxes(0, 1),
        h,
        c,
        packed_weights(prefixes, p),
        lengths,
        width,
        body.hidden,
        body.layers,
        0.0,
        body.bidirectional,
        precision,
    )
    final = {prefix: (h[index], c[index]) for index, prefix in enumerate(prefixes)}
    return outputs.swapaxes(0, 1), final
