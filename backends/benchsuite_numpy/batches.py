"""How a batch lies on the device: rows sorted by length, time first, features before rows.

Sorted by falling length, the rows that are live at step t are the first `live[t]` ones, so a loop over time
works on prefixes and needs no mask.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.spec import Convolutional, ModelSpec, Tokens
from benchsuite_numpy.arrays import Array, Place


@dataclass(frozen=True)
class Plan:
    """The shape of a loop over time.

    rows    B
    live    for every step of the loop, how many rows are not yet over; never rising
    widths  for every step, how many rows are computed: `live` (dynamic) or B (static)
    """

    rows: int
    live: tuple[int, ...]
    widths: tuple[int, ...]

    @property
    def time(self) -> int:
        return len(self.live)

    @cached_property
    def live_ends(self) -> list[int]:
        """Where each step's rows begin when the live rows of all steps are packed; one more for the end."""
        return [0, *np.cumsum(self.live).tolist()]

    @cached_property
    def width_ends(self) -> list[int]:
        """The same for the computed rows."""
        return [0, *np.cumsum(self.widths).tolist()]

    @cached_property
    def endings(self) -> list[slice]:
        """For every step t: the rows whose last step is t."""
        return [slice(b, a) for a, b in itertools.pairwise([*self.live, 0])]


def plan_for(lengths: np.ndarray, time: int, static: bool) -> Plan:
    """The loop over a batch padded to `time`: all of it, or only to the longest row."""
    steps = time if static else int(lengths.max())
    live = (lengths[:, None] > np.arange(steps)).sum(axis=0).tolist()
    rows = len(lengths)
    return Plan(rows, tuple(live), (rows,) * steps if static else tuple(live))


@dataclass(frozen=True)
class EmbeddingOrder:
    """Packed positions sorted by id: the rows of one id are summed as one segment."""

    order: Array
    starts: Array
    ids: Array


@dataclass(frozen=True)
class Placed:
    """A batch on the device; everything but `pictures` is in sorted order.

    inputs    features: for every step (D, width); else empty
    ids       tokens: packed by step, (sum of widths,); else None
    pictures  (B, T, D), for the convolutional baseline; else None
    targets   (B, ...) or, by step, packed (sum of lengths, ...)
    order     the batch's row in each sorted place, on the host
    lengths   (B,), on the device, in the program's dtype
    """

    plan: Plan
    time: int
    inputs: list[Array]
    ids: Array
    embedding_order: EmbeddingOrder | None
    pictures: Array
    targets: Array
    order: np.ndarray
    lengths: Array
    fresh: bool

    @cached_property
    def packed_rows(self) -> np.ndarray:
        """For every packed live position: the batch's row."""
        return np.concatenate([self.order[:live] for live in self.plan.live])

    @cached_property
    def packed_times(self) -> np.ndarray:
        """For every packed live position: its step."""
        return np.repeat(np.arange(self.plan.time), self.plan.live)


def place_batch(model: ModelSpec, batch: Batch, place: Place, dtype: str, static: bool) -> Placed:
    """Copy `batch` to the device. Raises ContractError for lengths or ids out of range."""
    lengths = np.asarray(batch.lengths)
    if int(lengths.min()) < 1 or int(lengths.max()) > batch.time:
        raise ContractError(f"lengths must lie in 1..{batch.time}, given {lengths.min()}..{lengths.max()}")
    pictured = isinstance(model.body, Convolutional)
    order = np.arange(len(lengths)) if pictured else np.argsort(-lengths, kind="stable")
    plan = plan_for(lengths[order], batch.time, static)
    inputs: list[Array] = []
    ids = embedding_order = pictures = None
    if pictured:
        pictures = place.xp.asarray(batch.inputs, dtype)
    elif isinstance(model.input, Tokens):
        ids, embedding_order = _tokens(batch.inputs[order], plan, model.input, place)
    else:
        ordered = batch.inputs if np.all(order[:-1] < order[1:]) else batch.inputs[order]
        inputs = _features(ordered, plan, place, dtype)
    return Placed(
        plan=plan,
        time=batch.time,
        inputs=inputs,
        ids=ids,
        embedding_order=embedding_order,
        pictures=pictures,
        targets=_targets(model, batch.targets[order], plan, place, dtype),
        order=order,
        lengths=place.xp.asarray(lengths[order], dtype),
        fresh=batch.fresh,
    )


def _features(inputs: np.ndarray, plan: Plan, place: Place, dtype: str) -> list[Array]:
    size = inputs.shape[2]
    packed = np.empty(size * plan.width_ends[-1], dtype)
    spans = [slice(size * a, size * b) for a, b in itertools.pairwise(plan.width_ends)]
    if plan.widths[0] == plan.widths[-1]:  # widths never rise, so all are equal
        packed.reshape(plan.time, size, -1)[...] = inputs[:, : plan.time].transpose(1, 2, 0)
    else:
        for t, span in enumerate(spans):
            packed[span].reshape(size, -1)[...] = inputs[: plan.widths[t], t].T
    on_device = place.xp.asarray(packed)
    return [on_device[span].reshape(size, -1) for span in spans]


def _tokens(
    inputs: np.ndarray, plan: Plan, tokens: Tokens, place: Place
) -> tuple[Array, EmbeddingOrder | None]:
    ids = np.concatenate([inputs[:width, t] for t, width in enumerate(plan.widths)])
    if int(ids.min()) < 0 or int(ids.max()) >= tokens.vocabulary:
        raise ContractError(f"ids must lie in 0..{tokens.vocabulary - 1}, given {ids.min()}..{ids.max()}")
    if place.on_gpu:
        return place.xp.asarray(ids), None
    order = np.argsort(ids, kind="stable")
    found, starts = np.unique(ids[order], return_index=True)
    return ids, EmbeddingOrder(order, starts, found)


def _targets(model: ModelSpec, targets: np.ndarray, plan: Plan, place: Place, dtype: str) -> Array:
    if model.readout == "steps":
        targets = np.concatenate([targets[:live, t] for t, live in enumerate(plan.live)])
    return place.xp.asarray(targets, "int64" if model.loss == "cross_entropy" else dtype)
