"""A batch on the device, as train_on_batch takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from benchsuite.contracts import Batch, valid_mask
from benchsuite.schema import ModelSpec, Recipe
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


def place_batch(batch: Batch, model: ModelSpec, recipe: Recipe, dtype: str) -> Placed:
    """Copy the batch to the current device."""
    valid = valid_mask(batch.lengths, batch.time)
    inputs = {"sequences": _tensor(batch.inputs, dtype)}
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
