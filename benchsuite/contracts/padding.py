"""What padding, readouts and losses weigh each step with, as NumPy arrays that any framework multiplies by.

A readout is a weighted sum over steps, and a loss one over entries. Written so, neither needs an index into an
array of the framework's, and padding has weight zero.
"""

from __future__ import annotations

import numpy as np

from benchsuite.contracts.batch import Batch, valid_mask
from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import READOUTS, ModelSpec


def readout_weights(
    readout: str, lengths: np.ndarray, time: int, dtype: str, reverse: bool = False
) -> np.ndarray:
    """(B, time): w such that what the head reads of the outputs y (B, time, H) of one direction is
    sum_t w_t y_t, (B, H).

    `last`: one at each row's last valid step; of the backward direction (`reverse`) one at step 0, which it
    reads last. `mean`: 1 / length at every valid step. Raises ContractError for another name: `steps` reads
    every step, and has no weights.
    """
    valid = valid_mask(lengths, time)
    if readout == "mean":
        mean: np.ndarray = valid / lengths[:, None]
        return mean.astype(dtype)
    if readout == "last":
        last = np.zeros(len(lengths), np.int64) if reverse else lengths - 1
        chosen: np.ndarray = np.arange(time) == last[:, None]
        return chosen.astype(dtype)
    allowed = [name for name in READOUTS if name != "steps"]
    raise ContractError(unknown_name("readout that weighs steps", readout, allowed))


def loss_weights(model: ModelSpec, batch: Batch, dtype: str) -> np.ndarray:
    """w such that the loss is the sum over entries of w times the entry's loss: 1 / their count where an entry
    is valid, zero on padding.

    (B, 1), with readout `steps` (B, T, 1), with a decoder (B, U, 1). The last axis stands for the outputs: a
    regression has an entry for each of them, cross-entropy one in all. Raises ContractError for `ctc`, which is
    no such sum.
    """
    if model.loss == "ctc":
        raise ContractError("loss 'ctc' is no sum over entries: it has no weights")
    if batch.target_lengths is not None:
        valid = valid_mask(batch.target_lengths, batch.targets.shape[1])
    elif model.readout == "steps":
        valid = valid_mask(batch.lengths, batch.time)
    else:
        valid = np.ones(batch.size, bool)
    outputs = 1 if model.loss == "cross_entropy" else model.head.outputs
    weights: np.ndarray = valid[..., None] / (np.count_nonzero(valid) * outputs)
    return weights.astype(dtype)
