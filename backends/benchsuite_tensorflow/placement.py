"""A batch on the device, in the layout that the graphs read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.schema import Convolutional, ModelSpec
from benchsuite_tensorflow.cells import Tensor


@dataclass(frozen=True)
class Data:
    """What a graph reads of a batch.

    inputs   (T, B, D) or (T, B); batch-major for the convolutional baseline
    lengths  (B,)
    targets  (B,) or (B, O); by step (T, B) or (T, B, O); of a length of their own (U, B)
    written  with a decoder where its target tokens stand, u B + b, (n,): no padded step meets the head.
             Under CTC the targets' lengths (B,). Otherwise None
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    written: Tensor | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """Those that there are."""
        return [self.inputs, self.lengths, self.targets, *([] if self.written is None else [self.written])]


@dataclass(frozen=True)
class Placed:
    """A batch on the device."""

    data: Data
    rows: int
    fresh: bool


def place(batch: Batch, model: ModelSpec, dtype: str) -> Placed:
    """Copy the batch to the current device. Time goes first here, once, rather than in every step.

    Raises ContractError where targets of a length of their own come without their lengths.
    """

    def tensor(array: np.ndarray, time_first: bool) -> Tensor:
        kind = dtype if array.dtype.kind == "f" else "int32"
        turned = np.swapaxes(array, 0, 1) if time_first else array
        return tf.constant(np.ascontiguousarray(turned), kind)

    written = _written(batch, model)
    data = Data(
        inputs=tensor(batch.inputs, not isinstance(model.body, Convolutional)),
        lengths=tensor(batch.lengths, False),
        targets=tensor(batch.targets, model.readout == "steps" or model.has_sequence_targets),
        written=None if written is None else tensor(written, False),
    )
    return Placed(data, batch.size, batch.fresh)


def _written(batch: Batch, model: ModelSpec) -> np.ndarray | None:
    if not model.has_sequence_targets:
        return None
    if batch.target_lengths is None:
        raise ContractError("targets of a length of their own need Batch.target_lengths")
    if model.decoder is None:
        return batch.target_lengths
    steps = np.arange(batch.targets.shape[1])[:, None]
    return np.flatnonzero(steps < batch.target_lengths)


def as_placed(given: object) -> Placed:
    """Raises ContractError for anything but what place() returned."""
    if not isinstance(given, Placed):
        raise ContractError(
            f"step, predict, gradients and decoding take what place() returned, not {type(given).__name__}"
        )
    return given
