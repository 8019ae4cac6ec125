"""The CTC loss: scores of every step against labels that are not aligned with them (Graves et al. 2006).

The probability of a row's labels is summed over all paths through `extended`, the labels with a blank before,
between and after them: S = 2U + 1 places. At each step a path stays at its place, goes to the next, or skips a
blank between two labels that differ. Everything is in logarithms.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchsuite.schema import BLANK

LOG_ZERO = -1e30
"""ln 0. It is finite, because the derivative of ln(e^a + e^b) at two infinities is not a number;
added to it every real log-probability vanishes, in single precision too."""


def mean_loss(
    scores: jax.Array, lengths: jax.Array | None, labels: jax.Array, label_lengths: jax.Array | None
) -> jax.Array:
    """The mean over rows of -ln p(labels | scores), in nats.

    scores (T, B, C) before the softmax, lengths (B,), labels (U, B) ids from 1, label_lengths (B,); None where
    nothing is padded. Labels that no path of the row's length gives make the loss infinite.
    """
    extended = _extended(labels.T)
    log_p, scale = _forward(_emitted(jax.nn.log_softmax(scores), extended), extended, lengths)
    rows = jnp.arange(len(log_p))
    counts = labels.shape[0] if label_lengths is None else label_lengths
    ends = _log_sum(log_p[rows, 2 * counts], log_p[rows, 2 * counts - 1])
    # a factor, not a value: where there is no path the gradient is no number either
    possible = jnp.where(ends > LOG_ZERO / 2, jnp.ones_like(ends), jnp.inf)
    return -jnp.mean((ends + scale) * possible)


def _extended(labels: jax.Array) -> jax.Array:
    """(B, S) of labels (B, U): a blank before, between and after them."""
    blanks = jnp.full_like(labels, BLANK)
    pairs = jnp.stack([blanks, labels], axis=2).reshape(len(labels), -1)
    return jnp.concatenate([pairs, blanks[:, :1]], axis=1)


def _emitted(log_y: jax.Array, extended: jax.Array) -> jax.Array:
    """ln y at every place, (T, B, S), of log_y (T, B, C)."""
    return jnp.take_along_axis(log_y, extended[None], axis=2)


def _forward(
    emitted: jax.Array, extended: jax.Array, lengths: jax.Array | None
) -> tuple[jax.Array, jax.Array]:
    """ln alpha (B, S) at each row's last step (eq. 5 to 8), all paths that end at a place there, less a scale
    (B,). The scale takes the likeliest place's logarithm out at every step: a long row's would be so large that
    single precision would leave four digits of their differences. It is a constant to the derivative.
    """
    before = jnp.pad(extended, ((0, 0), (2, 0)))[:, :-2]
    may_skip = (extended != BLANK) & (extended != before)

    def step(
        carry: tuple[jax.Array, jax.Array], at: tuple[jax.Array, jax.Array]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        (alpha, scale), (t, log_y) = carry, at
        skipping = jnp.where(may_skip, _shifted(alpha, 2), LOG_ZERO)
        new = _log_sum(alpha, _shifted(alpha, 1), skipping) + log_y
        highest = jax.lax.stop_gradient(new.max(axis=1))
        highest = jnp.where(highest > LOG_ZERO / 2, highest, 0)
        new, total = new - highest[:, None], scale + highest
        if lengths is None:
            return (new, total), None
        live = t < lengths
        return (jnp.where(live[:, None], new, alpha), jnp.where(live, total, scale)), None

    # before its first step a path is at the first blank: it stays there, or goes on to the first label
    start = jnp.full(extended.shape, LOG_ZERO, emitted.dtype).at[:, 0].set(0)
    none = jnp.zeros(len(extended), emitted.dtype)
    (alpha, scale), _ = jax.lax.scan(step, (start, none), (jnp.arange(emitted.shape[0]), emitted))
    return alpha, scale


def _shifted(alpha: jax.Array, by: int) -> jax.Array:
    """alpha[:, s - by] at s, ln 0 where there is none."""
    return jnp.pad(alpha, ((0, 0), (by, 0)), constant_values=LOG_ZERO)[:, :-by]


def _log_sum(*terms: jax.Array) -> jax.Array:
    """ln of the sum of e^term."""
    highest = jax.lax.stop_gradient(jnp.maximum(terms[0], jnp.maximum(terms[1], terms[-1])))
    return highest + jnp.log(sum(jnp.exp(term - highest) for term in terms))
