"""How a batch lies on the device: rows sorted by length, time first, features before rows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.schema import Convolutional, Decoder, ModelSpec, Tokens
from benchsuite_numpy.arrays import Array, DeviceContext
from benchsuite_numpy.ctc import Labels, place_labels
from benchsuite_numpy.embedding import Ids, place_ids
from benchsuite_numpy.plans import Ordered, Plan, plan_for


@dataclass(frozen=True)
class Generated(Ordered):
    """A decoder's targets, rows sorted by their own length.

    fed      the token before each target
    targets  the targets, packed
    """

    fed: Ids
    targets: Array
    source: Array
    """(B,): each row's place among the inputs, which are sorted by theirs."""
    target: Array
    """(B,): for each place among the inputs, the row's place here."""
    places: Array
    """For every packed target: its row's place here."""
    times: Array
    """For every packed target: its step."""


@dataclass(frozen=True)
class Placed(Ordered):
    """A batch on the device; everything but `pictures` is in sorted order.

    inputs    features: for every step (D, width); else empty
    ids       tokens; else None
    pictures  (B, T, D), for the convolutional baseline; else None
    targets   (B, ...) or, by step, packed (sum of lengths, ...); None where they have a length of their own
    lengths   (B,), on the device, in the program's dtype
    written   a decoder's targets; else None
    labels    CTC's targets; else None
    """

    inputs: list[Array]
    ids: Ids | None
    pictures: Array
    targets: Array
    lengths: Array
    fresh: bool
    written: Generated | None
    labels: Labels | None


def place_batch(model: ModelSpec, batch: Batch, place: DeviceContext, dtype: str, static: bool) -> Placed:
    """Copy `batch` to the device. Raises ContractError for lengths or ids out of range."""
    lengths = _checked(batch.lengths, batch.time, "lengths")
    pictured = isinstance(model.body, Convolutional)
    order = np.arange(len(lengths)) if pictured else np.argsort(-lengths, kind="stable")
    plan = plan_for(lengths[order], batch.time, static)
    inputs: list[Array] = []
    ids = pictures = targets = written = labels = None
    if pictured:
        pictures = place.xp.asarray(batch.inputs, dtype)
    elif isinstance(model.input, Tokens):
        ids = place_ids(batch.inputs[order], plan, model.input.vocabulary, place)
    else:
        ordered = batch.inputs if np.all(order[:-1] < order[1:]) else batch.inputs[order]
        inputs = _features(ordered, plan, place, dtype)
    if not model.has_sequence_targets:
        targets = _targets(model, batch.targets[order], plan, place, dtype)
    else:
        own = _own_lengths(batch)
        if model.decoder is not None:
            written = _written(model.decoder, batch, own, order, place, static)
        else:
            classes = model.head.outputs
            labels = place_labels(batch.targets[order], own[order], plan, classes, place, dtype)
    return Placed(
        plan=plan,
        time=batch.time,
        order=order,
        inputs=inputs,
        ids=ids,
        pictures=pictures,
        targets=targets,
        lengths=place.xp.asarray(lengths[order], dtype),
        fresh=batch.fresh,
        written=written,
        labels=labels,
    )


def _checked(lengths: np.ndarray, time: int, name: str) -> np.ndarray:
    lengths = np.asarray(lengths)
    if int(lengths.min()) < 1 or int(lengths.max()) > time:
        raise ContractError(f"{name} must lie in 1..{time}, given {lengths.min()}..{lengths.max()}")
    return lengths


def _own_lengths(batch: Batch) -> np.ndarray:
    if batch.target_lengths is None:
        raise ContractError("targets of a length of their own were given without target_lengths; give (B,)")
    return _checked(batch.target_lengths, batch.targets.shape[1], "target_lengths")


def _written(
    decoder: Decoder,
    batch: Batch,
    lengths: np.ndarray,
    inputs_order: np.ndarray,
    place: DeviceContext,
    static: bool,
) -> Generated:
    order = np.argsort(-lengths, kind="stable")
    targets, time = batch.targets[order], batch.targets.shape[1]
    plan = plan_for(lengths[order], time, static)
    packed = np.concatenate([targets[:live, t] for t, live in enumerate(plan.live)]).astype(np.int64)
    fed = place_ids(batch.decoder_inputs(decoder.start)[order], plan, decoder.vocabulary, place)
    if int(packed.min()) < 0 or int(packed.max()) >= decoder.vocabulary:
        raise ContractError(
            f"targets must lie in 0..{decoder.vocabulary - 1}, given {packed.min()}..{packed.max()}"
        )
    source = np.empty_like(order)
    source[inputs_order] = np.arange(len(order))
    target = np.empty_like(order)
    target[order] = np.arange(len(order))
    found = Ordered(plan, time, order)
    asarray = place.xp.asarray
    return Generated(
        plan=plan,
        time=time,
        order=order,
        fed=fed,
        targets=asarray(packed),
        source=asarray(source[order]),
        target=asarray(target[inputs_order]),
        places=asarray(found.packed_places),
        times=asarray(found.packed_times),
    )


def _features(inputs: np.ndarray, plan: Plan, place: DeviceContext, dtype: str) -> list[Array]:
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


def _targets(model: ModelSpec, targets: np.ndarray, plan: Plan, place: DeviceContext, dtype: str) -> Array:
    if model.readout == "steps":
        targets = np.concatenate([targets[:live, t] for t, live in enumerate(plan.live)])
    return place.xp.asarray(targets, "int64" if model.loss == "cross_entropy" else dtype)
