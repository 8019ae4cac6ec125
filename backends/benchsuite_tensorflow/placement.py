"""A batch on the device, in the layout that the graphs read, and states between NumPy and the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Batch
from benchsuite.schema import Convolutional, ModelSpec, Recurrent, cell_named, state_shapes
from benchsuite_tensorflow.cells import States, Tensor


@dataclass(frozen=True)
class Placed:
    """What a graph reads of a batch.

    inputs            (T, B, D) or (T, B); batch-major for the convolutional baseline
    lengths           (B,)
    targets           (B,) or (B, O); by step (T, B) or (T, B, O); of a length of their own (U, B)
    target_lengths    (B,), where targets are of a length of their own
    target_positions  (n,), with a decoder: u B + b of every target token, so that the head computes no padding
    resets            (T, B), where the model has resets
    masks             of dropout by name, (B, units), read by steps and backward passes alone
    padded            the batch's own padded length, where T is that of its longest row
    one_length        whether graphs of this T alone are to be used, and not those that serve every length
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor | None = None
    target_positions: Tensor | None = None
    resets: Tensor | None = None
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    padded: int = 0
    one_length: bool = False

    @property
    def tensors(self) -> list[Tensor]:
        """Those that there are, but the masks."""
        optional = (self.target_lengths, self.target_positions, self.resets)
        return [self.inputs, self.lengths, self.targets, *(part for part in optional if part is not None)]

    @property
    def rows(self) -> int:
        """Rows, B."""
        return int(self.lengths.shape[0])


def place_batch(batch: Batch, model: ModelSpec, dtype: str, to_longest: bool = False) -> Placed:
    """Copy the batch to the current device. Time is moved to the front here, once, and not in every step.

    :param to_longest: leave out the steps that are beyond every row's length.
    """
    masks = {name: tf.constant(mask, dtype) for name, mask in batch.masks.items()}
    kept = _to_longest(batch, model) if to_longest else batch
    return replace(_place_without_masks(kept, model, dtype), masks=masks, padded=batch.time)


def _to_longest(batch: Batch, model: ModelSpec) -> Batch:
    time = int(batch.lengths.max())
    by_step = model.readout == "steps" and not model.has_sequence_targets
    return replace(
        batch,
        inputs=batch.inputs[:, :time],
        targets=batch.targets[:, :time] if by_step and batch.targets.ndim > 1 else batch.targets,
        resets=None if batch.resets is None else batch.resets[:, :time],
    )


def _place_without_masks(batch: Batch, model: ModelSpec, dtype: str) -> Placed:

    def tensor(array: np.ndarray, time_first: bool = False) -> Tensor:
        kind = dtype if array.dtype.kind == "f" else "int32"
        turned = np.swapaxes(array, 0, 1) if time_first and array.ndim > 1 else array
        return tf.constant(np.ascontiguousarray(turned), kind)

    inputs = tensor(batch.inputs, not isinstance(model.body, Convolutional))
    lengths = tensor(batch.lengths)
    targets = tensor(batch.targets, model.readout == "steps" or model.has_sequence_targets)
    if not model.has_sequence_targets or batch.target_lengths is None:
        resets = None if batch.resets is None else tf.constant(np.ascontiguousarray(batch.resets.T))
        return Placed(inputs, lengths, targets, resets=resets)
    target_lengths = tensor(batch.target_lengths)
    if model.decoder is None:
        return Placed(inputs, lengths, targets, target_lengths)
    steps = np.arange(batch.targets.shape[1])[:, None]
    positions = np.flatnonzero(steps < batch.target_lengths)
    return Placed(inputs, lengths, targets, target_lengths, tensor(positions))


def place_states(values: Mapping[str, np.ndarray], model: ModelSpec, dtype: str) -> States:
    """Initial states on the current device, from arrays (B, H) by name (schema.state_shapes)."""
    states: States = {}
    for name in state_shapes(model):  # part after part, as the cell has them
        prefix = name.rpartition(".")[0]
        states[prefix] = (*states.get(prefix, ()), tf.constant(values[name], dtype))
    return states


def fetched_states(states: States, model: ModelSpec) -> dict[str, np.ndarray]:
    """NumPy copies of states, by the names of schema.state_shapes."""
    if not isinstance(model.body, Recurrent):
        return {}
    names = [part.name for part in cell_named(model.body.cell).state]
    return {
        f"{prefix}.{name}": fetched(part)
        for prefix, parts in states.items()
        for name, part in zip(names, parts, strict=True)
    }


def fetched(values: Any) -> np.ndarray:
    """A NumPy copy of a tensor or a variable."""
    return np.array(values.numpy())


def padded_time(values: np.ndarray, time: int) -> np.ndarray:
    """values (B, T, ...) with zeros up to (B, time, ...)."""
    more = time - values.shape[1]
    return np.pad(values, [(0, 0), (0, more), *[(0, 0)] * (values.ndim - 2)]) if more > 0 else values
