"""From features to scores, and from scores to the loss.

Features are (B, F), or by step (T, B, F): those of the readout `steps`, or of a decoder's U steps. `valid`
(T, B, 1) is true on real steps, None where there is no padding or no time axis.

Where jax's derivative of a formula is not the canonical one (|x| at 0) or loses digits (the logarithms of
probabilities near 1), the formula is written in a form whose derivative is right.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import LOSSES, Dense, ModelSpec
from benchsuite_jax import ctc
from benchsuite_jax.placement import Feed

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
        matrix = p["embed.E"].T if model.head.tied else p["out.W"]
        flat = features.reshape(-1, features.shape[-1]) @ matrix + p["out.b"]
        out = flat.reshape(*features.shape[:-1], -1)
    else:
        out = jnp.sum(jnp.square(features[..., :, None] - p["rbf.W"]), axis=-2)
        if model.loss not in REGRESSION:
            out = -out
    return out if valid is None else jnp.where(valid, out, 0)


def mean_loss(
    model: ModelSpec, out: jax.Array, feed: Feed, valid: jax.Array | None, smoothing: float = 0.0
) -> jax.Array:
    """The sum over valid entries over their count (CTC: the mean over rows); a scalar in the scores' dtype.

    :param smoothing: under cross-entropy, the share of a target that is spread over all classes.
    """
    targets = feed.targets
    assert targets is not None
    if model.loss == "ctc":
        return ctc.mean_loss(out, feed.lengths, targets, feed.target_lengths)
    entries = _entries(model.loss, out, targets, smoothing)
    if valid is None:
        return jnp.mean(entries)
    count = jnp.sum(valid, dtype=jnp.int32) * entries.shape[-1]
    return jnp.sum(jnp.where(valid, entries, 0)) / count.astype(entries.dtype)


def _entries(loss: str, out: jax.Array, targets: jax.Array, smoothing: float) -> jax.Array:
    """The terms of a loss whose mean it is: (..., 1) of cross-entropy, else (..., O)."""
    if loss == "cross_entropy":
        # less the largest score first: two numbers of its size would differ in few digits
        shifted = out - jax.lax.stop_gradient(jnp.max(out, axis=-1, keepdims=True))
        target = jnp.take_along_axis(shifted, targets[..., None], axis=-1)
        if smoothing:
            mean = jnp.mean(shifted, axis=-1, keepdims=True)
            target = (1 - smoothing) * target + smoothing * mean
        return jnp.log(jnp.sum(jnp.exp(shifted), axis=-1, keepdims=True)) - target
    if loss == "binary_cross_entropy":
        # softplus(s) - s y; with positive s the two terms are of one size, and would cancel
        positive = out >= 0
        linear = jnp.where(positive, out * (1 - targets), -out * targets)
        return linear + jnp.log1p(jnp.exp(jnp.where(positive, -out, out)))
    error = out - targets
    if loss == "squared":
        return jnp.square(error)
    if loss == "absolute":
        # jnp.abs has slope 1 at 0; sign(0) = 0 is the canonical subgradient
        return error * jnp.sign(error)
    raise ContractError(unknown_name("loss", loss, LOSSES))
