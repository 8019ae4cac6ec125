"""From a batch to its loss: input, recurrent layer, readout, output layer, loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import autograd.numpy as np
import numpy
from benchsuite.contracts import Batch, loss_weights, readout_weights, valid_mask
from benchsuite.schema import ModelSpec, Recurrent, Tokens

from benchsuite_new_backend.cells import PARTS, STEPS, Array

LAYER = "rnn.l0.fwd"


@dataclass(frozen=True)
class Placed:
    """A batch where the program computes, with what its padding makes of it.

    inputs   (B, T, D) or ids (B, T)
    valid    (B, T), true before each row's length
    read     (B, T), what the readout weighs each step with
    targets  (B, O): one-hot classes, or reals
    weights  (B, 1), what the loss weighs each entry with
    """

    inputs: Array
    valid: Array
    read: Array
    targets: Array
    weights: Array

    @classmethod
    def of(cls, model: ModelSpec, batch: Batch, dtype: str) -> Placed:
        targets = batch.targets
        if model.loss == "cross_entropy" and len(targets):
            targets = numpy.eye(model.head.outputs)[targets]
        return cls(
            batch.inputs.copy(),
            valid_mask(batch.lengths, batch.time),
            readout_weights(model.readout, batch.lengths, batch.time, dtype),
            targets.astype(dtype),
            loss_weights(model, batch, dtype),
        )

    def no_change(self, model: ModelSpec) -> Array:
        """Zeros (B, T, H), to be added to each h_t: the derivative by them is dL/dh_t."""
        return numpy.zeros((*self.valid.shape, model.body.output_size), self.read.dtype)


def outputs(model: ModelSpec, p: Mapping[str, Array], placed: Placed, added: Array) -> Array:
    """h_t (B, T, H) of the recurrent layer, zero on padding; a row's state is frozen there."""
    body = model.body
    assert isinstance(body, Recurrent)
    x = p["embed.E"][placed.inputs] if isinstance(model.input, Tokens) else placed.inputs
    w = {name.rpartition(".")[2]: value for name, value in p.items() if name.startswith(LAYER)}
    state = tuple(np.zeros_like(added[:, 0]) for _ in range(PARTS[body.cell]))
    found = []
    for t in range(placed.valid.shape[1]):
        live = placed.valid[:, t, None]
        new = STEPS[body.cell](w, x[:, t], state)
        new = (new[0] + added[:, t], *new[1:])
        state = tuple(np.where(live, after, before) for after, before in zip(new, state, strict=True))
        found.append(np.where(live, new[0], 0 * new[0]))
    return np.stack(found, axis=1)


def scores(model: ModelSpec, p: Mapping[str, Array], placed: Placed, added: Array) -> Array:
    """(B, O): what predict() gives and the loss reads."""
    y = outputs(model, p, placed, added)
    return np.sum(placed.read[:, :, None] * y, axis=1) @ p["out.W"] + p["out.b"]


def loss(model: ModelSpec, found: Array, placed: Placed) -> Array:
    """The loss of scores (B, O), of no dimension."""
    if model.loss == "squared":
        return np.sum(placed.weights * (found - placed.targets) ** 2)
    shifted = found - np.max(found, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.sum(placed.weights * placed.targets * log_p)
