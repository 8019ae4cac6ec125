"""From features to scores, and from scores to the loss.

Features are (B, F), or by step (T, B, F): those of the readout `steps`, or of a decoder's U steps. `valid`
(T, B, 1) is true on real steps, None where there is no padding or no time axis.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from benchsuite.schema import Dense, ModelSpec
from benchsuite_jax import ctc
from benchsuite_jax.feed import Feed

REGRESSION = ("squared", "absolute")
"""Losses whose scores are forecasts; under the others they are those of classes."""


def scores(
    model: ModelSpec, p: Mapping[str, jax.Array], features: jax.Array, valid: jax.Array | None
) -> jax.Array:
    """Logits or forecasts (..., O), zero on padding.

    The RBF layer is out_j = sum_i (x_i - W_ij)^2; class scores are -out (LeCun et al. 1998, eq. 7).
    """
    if isinstance(model.head, Dense):
        # one product of matrices: over three axes XLA's CPU products take half as long again, and those of
        # the gradients twice as long (measured on 2048 x 512 x 6000)
        flat = features.reshape(-1, features.shape[-1]) @ p["out.W"] + p["out.b"]
        out = flat.reshape(*features.shape[:-1], -1)
    else:
        out = jnp.sum(jnp.square(features[..., :, None] - p["rbf.W"]), axis=-2)
        if model.loss not in REGRESSION:
            out = -out
    return out if valid is None else jnp.where(valid, out, 0)


def mean_loss(model: ModelSpec, out: jax.Array, feed: Feed, valid: jax.Array | None) -> jax.Array:
    """The sum over valid entries over their count (CTC: the mean over rows); a scalar in the scores' dtype."""
    targets = feed.targets
    assert targets is not None
    if model.loss == "ctc":
        return ctc.mean_loss(out, feed.lengths, targets, feed.target_lengths)
    if model.loss == "cross_entropy":
        whole = jax.nn.logsumexp(out, axis=-1, keepdims=True)
        entries = whole - jnp.take_along_axis(out, targets[..., None], axis=-1)
    elif model.loss == "binary_cross_entropy":
        entries = jax.nn.softplus(out) - out * targets
    elif model.loss == "squared":
        entries = jnp.square(out - targets)
    else:
        entries = jnp.abs(out - targets)
    if valid is None:
        return jnp.mean(entries)
    count = jnp.sum(valid, dtype=jnp.int32) * entries.shape[-1]
    return jnp.sum(jnp.where(valid, entries, 0)) / count.astype(entries.dtype)
