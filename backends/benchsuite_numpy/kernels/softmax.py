"""Softmax over the valid steps, and its derivative."""

from __future__ import annotations

from benchsuite_numpy.runtime import Array, Namespace


def softmax(xp: Namespace, e: Array, mask: Array) -> Array:
    """Over the last axis of e (..., T), in place; `mask` is added first, if there is one."""
    if mask is not None:
        xp.add(e, mask, out=e)
    xp.subtract(e, e.max(axis=-1, keepdims=True), out=e)
    xp.exp(e, out=e)
    return xp.divide(e, e.sum(axis=-1, keepdims=True), out=e)


def softmax_back(xp: Namespace, a: Array, d_a: Array) -> Array:
    """dL/de = a (dL/da - sum of a dL/da), in the memory of `d_a`."""
    xp.subtract(d_a, (a * d_a).sum(axis=-1, keepdims=True), out=d_a)
    return xp.multiply(d_a, a, out=d_a)
