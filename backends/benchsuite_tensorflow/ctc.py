"""Connectionist temporal classification (Graves et al. 2006), by the forward-backward recursion in logarithms.

TensorFlow's own ops are out of reach of parity: CTCLossV2 and the dense tf.nn.ctc_loss take single precision
only, and CTCLoss sums logarithms in a way that leaves nine digits of a double's loss and four of a single's
gradient.

The backward variables of a row are the forward variables of the row read backwards, so one loop over 2 B rows
gives both. States are S = 2 U + 1: blank, label, blank, label, ..., blank; they lie first, (S, rows), so that
a shift by one state is a view.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from benchsuite.schema import BLANK
from benchsuite_tensorflow.cells import Tensor
from benchsuite_tensorflow.loops import Loop

PATH_DTYPE = "float64"
"""The dtype of logarithms of paths: they grow with the steps, and single precision would leave four digits of a
probability after some hundred of them."""
LOG_ZERO = -1e30
"""ln 0. Finite: the difference of two infinities is not a number."""


def row_losses(loop: Loop, scores: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """-ln p(labels | scores) of every row (B,); infinite where the labels do not fit into the row's steps.

    :param scores: (T, B, C), before the softmax. :param lengths: (B,) valid steps.
    :param labels: (U, B), zero after the last. :param label_lengths: (B,).
    """

    def run(scores: Tensor) -> Any:
        losses, grads = _losses_and_grads(loop, scores, lengths, tf.transpose(labels), label_lengths)
        return losses, lambda d_losses: grads * d_losses[:, None]

    return tf.custom_gradient(run)(scores)


def _losses_and_grads(
    loop: Loop, scores: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """The losses (B,), and each one's derivative by its scores (T, B, C): softmax minus the part of the
    paths that is in a class at a step, zero on padding (Graves et al. 2006, eq. 16). NaN where no path fits."""
    time, rows, classes = tf.shape(scores)[0], scores.shape[1], scores.shape[2]
    dtype, states = scores.dtype, 2 * label_lengths + 1

    def turn(by_state: Tensor) -> Tensor:
        """Rows (B, T, S) read backwards, in time and in states."""
        return tf.reverse_sequence(tf.reverse_sequence(by_state, lengths, 1), states, 2)

    log_p = tf.transpose(tf.nn.log_softmax(scores), [1, 0, 2])
    path = _with_blanks(labels)
    emitted = tf.cast(tf.gather(log_p, path, axis=2, batch_dims=1), PATH_DTYPE)
    both = tf.concat([tf.transpose(emitted, [1, 2, 0]), tf.transpose(turn(emitted), [1, 2, 0])], 2)
    skips = tf.concat([_skips(path), _skips(tf.reverse_sequence(path, states, 1))], 1)
    both_variables = loop.pack(_forward_variables(loop, both, skips))
    forward, backward = tf.split(tf.transpose(both_variables, [2, 0, 1]), 2)
    backward = turn(backward)
    last = tf.gather_nd(forward, tf.stack([tf.range(rows), lengths - 1], 1))
    ends = tf.stack([states - 1, states - 2], 1)
    total = tf.reduce_logsumexp(tf.gather(last, ends, axis=1, batch_dims=1), 1)
    possible = total > LOG_ZERO / 2
    losses = tf.where(possible, -total, tf.constant(math.inf, PATH_DTYPE))
    # both variables hold the step's own emission
    occupied = tf.exp(forward + backward - emitted - tf.where(possible, total, math.nan)[:, None, None])
    own = tf.sequence_mask(states, tf.shape(path)[1])[:, None]
    occupied = tf.cast(tf.where(own, occupied, tf.zeros_like(occupied)), dtype)
    by_class = occupied @ tf.one_hot(path, classes, dtype=dtype)
    valid = tf.sequence_mask(lengths, time)[..., None]
    grads = tf.where(valid, tf.exp(log_p) - by_class, tf.zeros_like(log_p))
    return tf.cast(losses, dtype), tf.transpose(grads, [1, 0, 2])


def _with_blanks(labels: Tensor) -> Tensor:
    """The labels (B, U) with blanks around each: (B, S)."""
    rows = labels.shape[0]
    spread = tf.reshape(tf.stack([labels, tf.fill(tf.shape(labels), BLANK)], 2), [rows, -1])
    return tf.concat([tf.fill([rows, 1], BLANK), spread], 1)


def _skips(path: Tensor) -> Tensor:
    """(S, B): zero where a path may come from two states before (over a blank, between different labels),
    LOG_ZERO elsewhere."""
    over = (path[:, 2:] != BLANK) & (path[:, 2:] != path[:, :-2])
    allowed = tf.pad(over, [[0, 0], [2, 0]])
    return tf.transpose(tf.where(allowed, tf.zeros([], PATH_DTYPE), tf.constant(LOG_ZERO, PATH_DTYPE)))


def _forward_variables(loop: Loop, emitted: Tensor, skips: Tensor) -> object:
    """ln of the summed probability of all paths that are in a state at a step, its emission included: steps
    of (S, rows), from emitted (T, S, rows)."""
    rows = emitted.shape[2]
    before = tf.fill([2, rows], tf.constant(LOG_ZERO, PATH_DTYPE))

    def body(carry: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        padded = carry[0]
        stayed, moved, skipped = padded[2:], padded[1:-1], padded[:-2] + skips
        highest = tf.maximum(tf.maximum(stayed, moved), skipped)
        total = tf.exp(stayed - highest) + tf.exp(moved - highest) + tf.exp(skipped - highest)
        after = highest + tf.math.log(total) + steps[0]
        return [tf.concat([before, after], 0)], [after]

    # before the first step all paths are in the first state
    count = emitted.shape[1]
    states = tf.shape(emitted)[1]
    start = tf.concat([before, tf.zeros([1, rows], PATH_DTYPE), tf.fill([states - 1, rows], before[0, 0])], 0)
    start = tf.ensure_shape(start, [None if count is None else count + 2, rows])
    _, steps = loop.run(body, [start], [loop.unpack(emitted)], [[count, rows]], backwards=False)
    return steps[0]
