"""Connectionist temporal classification (Graves et al. 2006): -ln p(labels | scores), by forward and backward
variables in log space.

p sums over every path, one class a step, that gives the labels when repeats are joined and blanks taken out.
The paths go through the labels with blanks around them, `extended` = -, l_1, -, l_2, ..., l_U, -.

At every step the variables are scaled to one in sum (section 4.1), so that the digits of a long row's are not
those of ln p, which may be a thousand times the logarithm of any share of the paths.
"""

from __future__ import annotations

import numpy as np

from benchsuite.schema import BLANK


def ctc(
    scores: np.ndarray, lengths: np.ndarray, labels: np.ndarray, label_lengths: np.ndarray
) -> tuple[float, np.ndarray]:
    """The mean over rows of -ln p(labels | scores), in nats, and its gradient by the scores, zero on padding.

    scores (B, T, C) before the softmax, lengths (B,), labels (B, U) ids from 1, label_lengths (B,). Labels
    that no path of the row's length gives have p = 0: the loss is infinite and the row's gradient NaN.
    """
    total, d_scores = 0.0, np.zeros_like(scores)
    for row, (length, count) in enumerate(zip(lengths, label_lengths, strict=True)):
        value, slopes = ctc_row(scores[row, :length], labels[row, :count])
        total += value / len(scores)
        d_scores[row, :length] = slopes / len(scores)
    return total, d_scores


def ctc_row(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """One row's -ln p and its gradient by scores (T, C); all T steps are valid. labels (U,)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    extended = np.full(2 * len(labels) + 1, BLANK)
    extended[1::2] = labels
    emitted = log_y[:, extended]
    alpha, log_scales = forward_variables(emitted, extended)
    beta, _ = backward_variables(emitted, extended)
    log_p = log_scales.sum() + np.logaddexp.reduce(alpha[-1, -2:])
    if np.isneginf(log_p):
        return np.inf, np.full_like(scores, np.nan)
    # eq. 14 to 16: the share of the paths that are at s at step t; by the score of class k, the loss changes
    # by y_k less the share of the paths that are at k
    occupied = np.exp(scaled(alpha + beta)[0])
    slopes = np.exp(log_y)
    for s, symbol in enumerate(extended):
        slopes[:, symbol] -= occupied[:, s]
    return -float(log_p), slopes


def forward_variables(emitted: np.ndarray, extended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln alpha (T, S) (eq. 5 to 8), scaled, and what was taken away of each step (T,).

    alpha is of all beginnings of paths that are at extended[s] at step t, t included.
    """
    alpha = np.full(emitted.shape, -np.inf, emitted.dtype)
    log_scales = np.zeros(len(emitted), emitted.dtype)
    alpha[0, :2] = emitted[0, :2]
    alpha[0], log_scales[0] = scaled(alpha[0])
    skips = may_skip(extended)
    for t in range(1, len(emitted)):
        stay, next_, skip = alpha[t - 1], shift(alpha[t - 1], 1), shift(alpha[t - 1], 2)
        reached = np.logaddexp(np.logaddexp(stay, next_), np.where(skips, skip, -np.inf))
        alpha[t], log_scales[t] = scaled(reached + emitted[t])
    return alpha, log_scales


def backward_variables(emitted: np.ndarray, extended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln beta (T, S), scaled, and what was taken away of each step (T,).

    beta is of all ends of paths that are at extended[s] at step t, t excluded. (Eq. 9 to 11 include t; then
    alpha beta holds step t's probability twice.)
    """
    beta = np.full(emitted.shape, -np.inf, emitted.dtype)
    log_scales = np.zeros(len(emitted), emitted.dtype)
    beta[-1, -2:] = 0
    skips = may_skip(extended)
    for t in reversed(range(len(emitted) - 1)):
        onward = beta[t + 1] + emitted[t + 1]
        skip = shift(np.where(skips, onward, -np.inf), -2)
        beta[t], log_scales[t] = scaled(np.logaddexp(np.logaddexp(onward, shift(onward, -1)), skip))
    return beta, log_scales


def scaled(logarithms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of (..., S): the same less ln of their sum, and that."""
    total = np.logaddexp.reduce(logarithms, axis=-1)
    return logarithms - total[..., None], total


def may_skip(extended: np.ndarray) -> np.ndarray:
    """(S,): whether a path may come to s from s - 2: past a blank, and between two different labels."""
    skips: np.ndarray = (extended != BLANK) & (extended != np.concatenate([extended[:2], extended[:-2]]))
    return skips


def shift(values: np.ndarray, by: int) -> np.ndarray:
    """values[s - by] at s, -inf where there is none."""
    moved = np.full_like(values, -np.inf)
    if by > 0:
        moved[by:] = values[:-by]
    else:
        moved[:by] = values[-by:]
    return moved
