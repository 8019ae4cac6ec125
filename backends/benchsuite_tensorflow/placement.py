"""A batch on the device, in the layout that the graphs read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.spec import Convolutional, ModelSpec
from benchsuite_tensorflow.cells import Tensor


@dataclass(frozen=True)
class Placed:
    """inputs and per-step targets time-major, but batch-major for the convolutional baseline."""

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    rows: int
    fresh: bool


def place(batch: Batch, model: ModelSpec, dtype: str) -> Placed:
    """Copy the batch to the current device. Time goes first here, once, rather than in every step."""

    def tensor(array: np.ndarray, time_first: bool) -> Tensor:
        kind = dtype if array.dtype.kind == "f" else "int32"
        turned = np.swapaxes(array, 0, 1) if time_first else array
        return tf.constant(np.ascontiguousarray(turned), kind)

    recurrent = not isinstance(model.body, Convolutional)
    return Placed(
        inputs=tensor(batch.inputs, recurrent),
        lengths=tensor(batch.lengths, False),
        targets=tensor(batch.targets, model.readout == "steps"),
        rows=batch.size,
        fresh=batch.fresh,
    )


def as_placed(given: object) -> Placed:
    """Raises ContractError for anything but what place() returned."""
    if not isinstance(given, Placed):
        raise ContractError(
            f"step, predict and gradients take what place() returned, not {type(given).__name__}"
        )
    return given
