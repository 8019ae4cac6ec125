"""How a batch lies on the device: rows sorted by length, time first, features before rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.schema import Convolutional, Decoder, ModelSpec, Tokens
from benchsuite_numpy.ctc import Labels, place_labels
from benchsuite_numpy.layers import Ids, place_ids
from benchsuite_numpy.loops import Ordered, Plan, plan_for
from benchsuite_numpy.runtime import Array, DeviceContext


@dataclass(frozen=True)
class DecoderTargets(Ordered):
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
class PlacedBatch(Ordered):
    """A batch on the device; everything but `pictures` is in sorted order.

    inputs    features: for every step (D, width); else empty
    ids       tokens; else None
    pictures  (B, T, D), for the convolutional baseline; else None
    targets   (B, ...) or, by step, packed (sum of lengths, ...); None where they have a length of their own
    lengths   (B,), on the device, in the program's dtype
    resets    for every step, the numbers of the rows whose state is set to the initial values; else None
    masks     of dropout by name, (units, B); a decoder's are in the order of its targets
    decoder_targets  else None: the model has no decoder
    labels    CTC's targets; else None
    """

    inputs: list[Array]
    ids: Ids | None
    pictures: Array
    targets: Array
    lengths: Array
    decoder_targets: DecoderTargets | None
    labels: Labels | None
    resets: list[Array] | None = None
    masks: Mapping[str, Array] = field(default_factory=dict)


def place_batch(
    model: ModelSpec, batch: Batch, device: DeviceContext, dtype: str, static: bool
) -> PlacedBatch:
    """Copy `batch` to the device."""
    lengths = batch.lengths
    pictured = isinstance(model.body, Convolutional)
    order = np.arange(len(lengths)) if pictured else np.argsort(-lengths, kind="stable")
    plan = plan_for(lengths[order], batch.time, static)
    inputs: list[Array] = []
    ids = pictures = targets = decoder_targets = labels = None
    if pictured:
        pictures = device.xp.array(batch.inputs, dtype)  # a copy, also where the dtype is the same
    elif isinstance(model.input, Tokens):
        ids = place_ids(batch.inputs[order], plan, device)
    else:
        ordered = batch.inputs if np.all(order[:-1] < order[1:]) else batch.inputs[order]
        inputs = _features(ordered, plan, device, dtype)
    if not model.has_sequence_targets:
        targets = _targets(model, batch.targets[order], plan, device, dtype)
    else:
        own = batch.target_lengths
        assert own is not None  # the core has checked the batch
        if model.decoder is not None:
            decoder_targets = _decoder_targets(model.decoder, batch, own, order, device, static)
        else:
            classes = model.head.outputs
            labels = place_labels(batch.targets[order], own[order], plan, classes, device, dtype)
    return PlacedBatch(
        plan=plan,
        time=batch.time,
        order=order,
        inputs=inputs,
        ids=ids,
        pictures=pictures,
        targets=targets,
        lengths=device.xp.asarray(lengths[order], dtype),
        decoder_targets=decoder_targets,
        labels=labels,
        resets=None if batch.resets is None else _resets(batch.resets[order], plan, device),
        masks={
            name: device.xp.asarray(
                mask[_order(name, order, decoder_targets)].T.astype(dtype, order="C", copy=True)
            )
            for name, mask in batch.masks.items()
        },
    )


def _order(name: str, order: np.ndarray, decoder_targets: DecoderTargets | None) -> np.ndarray:
    """In which order the rows of the mask `name` are."""
    return decoder_targets.order if decoder_targets is not None and name.startswith("dec.") else order


def _resets(resets: np.ndarray, plan: Plan, device: DeviceContext) -> list[Array]:
    """For every step, the numbers of the live rows where `resets` (B, T) is true."""
    return [device.xp.asarray(np.flatnonzero(resets[:live, t])) for t, live in enumerate(plan.live)]


def _decoder_targets(
    decoder: Decoder,
    batch: Batch,
    lengths: np.ndarray,
    inputs_order: np.ndarray,
    device: DeviceContext,
    static: bool,
) -> DecoderTargets:
    order = np.argsort(-lengths, kind="stable")
    targets, time = batch.targets[order], batch.targets.shape[1]
    plan = plan_for(lengths[order], time, static)
    packed = np.concatenate([targets[:live, t] for t, live in enumerate(plan.live)]).astype(np.int64)
    fed = place_ids(batch.decoder_inputs(decoder.start)[order], plan, device)
    source = np.empty_like(order)
    source[inputs_order] = np.arange(len(order))
    target = np.empty_like(order)
    target[order] = np.arange(len(order))
    found = Ordered(plan, time, order)
    asarray = device.xp.asarray
    return DecoderTargets(
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


def _features(inputs: np.ndarray, plan: Plan, device: DeviceContext, dtype: str) -> list[Array]:
    size = inputs.shape[2]
    packed = np.empty(size * plan.width_ends[-1], dtype)
    spans = [slice(size * a, size * b) for a, b in itertools.pairwise(plan.width_ends)]
    if plan.widths[0] == plan.widths[-1]:  # widths never rise, so all are equal
        packed.reshape(plan.time, size, -1)[...] = inputs[:, : plan.time].transpose(1, 2, 0)
    else:
        for t, span in enumerate(spans):
            packed[span].reshape(size, -1)[...] = inputs[: plan.widths[t], t].T
    on_device = device.xp.asarray(packed)
    return [on_device[span].reshape(size, -1) for span in spans]


def _targets(model: ModelSpec, targets: np.ndarray, plan: Plan, device: DeviceContext, dtype: str) -> Array:
    if model.readout == "steps":
        targets = np.concatenate([targets[:live, t] for t, live in enumerate(plan.live)])
    return device.xp.asarray(targets, "int64" if model.loss == "cross_entropy" else dtype)
