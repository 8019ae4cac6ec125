"""A batch on the device, as train_on_batch takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from benchsuite.contracts import Batch, valid_mask
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_keras.runtime import Tensor


@dataclass(frozen=True)
class Placed:
    """What Keras reads of a batch.

    inputs   `sequences`, and `mask` (B, T) bool where rows are shorter than the batch
    targets  classes, one-hot ones where they are smoothed, or reals
    weights  (B, T) of an output at every step, 1 where the step is valid; None: all of them are
    """

    inputs: dict[str, Tensor]
    targets: Tensor
    weights: Tensor | None
    shape: tuple[int, int]

    @property
    def data(self) -> dict[str, Any]:
        """What a differentiated function reads."""
        found = {"inputs": self.inputs, "targets": self.targets}
        return found if self.weights is None else {**found, "weights": self.weights}


def place_batch(batch: Batch, model: ModelSpec, recipe: Recipe, execution: Execution) -> Placed:
    """Copy the batch to the current device.

    Under unroll static the inputs have one more part, which nothing reads and whose name has the length:
    Keras on TensorFlow traces a function for any length once it has met two, and any length cannot be
    unrolled.
    """
    dtype = execution.dtype
    valid = valid_mask(batch.lengths, batch.time)
    inputs = {"sequences": _tensor(batch.inputs, dtype)}
    if execution.unroll == "static":
        inputs[f"steps_{batch.time}"] = _tensor(np.zeros((batch.size, 0)), dtype)
    weights = None
    if not valid.all():
        inputs["mask"] = keras.ops.convert_to_tensor(valid, "bool")
        if model.readout == "steps":
            weights = _tensor(valid.astype(dtype), dtype)
    targets = batch.targets
    if recipe.label_smoothing:
        targets = np.eye(model.head.outputs, dtype=dtype)[targets]
    return Placed(inputs, _tensor(targets, dtype), weights, (batch.size, batch.time))


def _tensor(array: np.ndarray, dtype: str) -> Tensor:
    """A copy: PyTorch would share the memory of an array."""
    return keras.ops.convert_to_tensor(np.array(array), dtype if array.dtype.kind == "f" else "int32")
