"""What a decoder looks back at: the encoder's outputs, row after row, and a softmax over their valid steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite_numpy.arrays import Array, Namespace, Workspace
from benchsuite_numpy.batches import Placed
from benchsuite_numpy.cells.base import Slopes


@dataclass(frozen=True)
class Memory:
    """Rows in the decoder's order.

    y     (B, T, F), zero beyond a row's length
    mask  (B, T): 0 on valid steps, -inf beyond; None where every row is as long as the longest
    """

    y: Array
    mask: Array


def remember(
    xp: Namespace, arena: Workspace, batch: Placed, outputs: Sequence[Sequence[Array]], places: Array
) -> Memory:
    """Gather `outputs`, by direction and t (H, width), in memory of `arena`.

    places  (B,): where each of the batch's sorted rows goes
    """
    plan, hidden = batch.plan, outputs[0][0].shape[0]
    y = arena.view("memory", (plan.rows, plan.time, len(outputs) * hidden))
    mask: Array = None
    if not plan.full:
        y[...] = 0
        lengths = xp.empty_like(batch.lengths)
        lengths[places] = batch.lengths
        beyond = xp.arange(plan.time) >= lengths[:, None]
        mask = xp.where(beyond, -xp.inf, 0).astype(y.dtype)
    for index, way in enumerate(outputs):
        features = y[:, :, index * hidden : (index + 1) * hidden]
        for t, live in enumerate(plan.live):
            features[places[:live], t] = way[t][:, :live].T
    return Memory(y, mask)


def slopes_of(batch: Placed, d_y: Array, places: Array, ways: int) -> list[Slopes]:
    """dL/d(outputs) by direction from dL/dy (B, T, F)."""
    plan, hidden = batch.plan, d_y.shape[2] // ways
    return [
        [
            [(slice(0, live), d_y[places[:live], t, way * hidden : (way + 1) * hidden].T)]
            for t, live in enumerate(plan.live)
        ]
        for way in range(ways)
    ]


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
