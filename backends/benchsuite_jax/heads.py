"""From features to scores, and from scores to the loss.

Features are (B, F), or (T, B, F) for the readout `steps`. `valid` (T, B, 1) is true on real steps, None where
there is no padding or no time axis.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from benchsuite.spec import Dense, ModelSpec


def scores(
    model: ModelSpec, p: Mapping[str, jax.Array], features: jax.Array, valid: jax.Array | None
) -> jax.Array:
    """Logits or forecasts (..., O), zero on padding.

    The RBF layer is out_j = sum_i (x_i - W_ij)^2; under cross-entropy its scores are -out
    (LeCun et al. 1998, eq. 7).
    """
    if isinstance(model.head, Dense):
        out = features @ p["out.W"] + p["out.b"]
    else:
        out = jnp.sum(jnp.square(features[..., :, None] - p["rbf.W"]), axis=-2)
        if model.loss == "cross_entropy":
            out = -out
    return out if valid is None else jnp.where(valid, out, 0)


def mean_loss(model: ModelSpec, out: jax.Array, targets: jax.Array, valid: jax.Array | None) -> jax.Array:
    """The sum over valid entries over their count; a scalar in the scores' dtype."""
    if model.loss == "cross_entropy":
        entries = -jnp.take_along_axis(jax.nn.log_softmax(out), targets[..., None], axis=-1)
    elif model.loss == "squared":
        entries = jnp.square(out - targets)
    else:
        entries = jnp.abs(out - targets)
    if valid is None:
        return jnp.mean(entries)
    count = jnp.sum(valid, dtype=jnp.int32) * entries.shape[-1]
    return jnp.sum(jnp.where(valid, entries, 0)) / count.astype(entries.dtype)
