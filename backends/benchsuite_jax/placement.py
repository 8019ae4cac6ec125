"""Batches, parameters and states between NumPy and the device. Sequences are time-major on the device, because
a scan runs over the leading axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Batch, Parameters
from benchsuite.schema import Convolutional, Execution, ModelSpec, parameter_shapes, state_shapes
from benchsuite_jax.cells import States
from benchsuite_jax.support import check_static

Shape = tuple[int, ...] | tuple[str, ...] | bool


class Feed(NamedTuple):
    """What a compiled function reads of a batch, as one tree of device arrays.

    inputs          (T, B, D), or (T, B) ids; pictures of the convolutional baseline (B, T, D)
    lengths         (B,), None where every row is T long
    targets         (B,), (B, O), by step (T, B, ...), or sequences of a length of their own (U, B); None for a
                    function that reads none
    target_lengths  (B,), None where every row is U long or there are no such sequences
    resets          (T, B), true where the states are set to their initial values before the step; None for a
                    model without resets
    masks           of dropout by name, (B, units); None for a batch without, and for a function that drops
                    nothing
    """

    inputs: jax.Array
    lengths: jax.Array | None
    targets: jax.Array | None = None
    target_lengths: jax.Array | None = None
    resets: jax.Array | None = None
    masks: Mapping[str, jax.Array] | None = None

    @property
    def rows(self) -> int:
        """Rows B of a batch for a recurrent model."""
        return int(self.inputs.shape[1])

    def without_targets(self) -> Feed:
        """The inputs alone."""
        return Feed(self.inputs, self.lengths, resets=self.resets)


def valid_steps(time: int, lengths: jax.Array | None) -> jax.Array | None:
    """(time, B), true on real steps; None where there is no padding."""
    return None if lengths is None else jnp.arange(time)[:, None] < lengths


@dataclass(frozen=True)
class Placed:
    """A batch on the device."""

    feed: Feed

    @property
    def shape(self) -> tuple[Shape, ...]:
        """What a compiled function depends on: shapes, which of them are free of padding, and which masks
        there are."""
        assert self.feed.targets is not None
        masks = tuple(self.feed.masks or ())
        return *self.input_shape, self.feed.targets.shape, self.feed.target_lengths is None, masks

    @property
    def input_shape(self) -> tuple[Shape, ...]:
        """What a compiled function that reads the inputs alone depends on."""
        return self.feed.inputs.shape, self.feed.lengths is None


class Placement:
    """Copies batches, parameters and states of one model to one device, in the trial's dtype.

    Every array is copied first: on the CPU jax may keep a NumPy array as it is, and the caller's later
    writes would reach the model.
    """

    def __init__(self, model: ModelSpec, execution: Execution, device: jax.Device) -> None:
        self._model, self._execution, self._device = model, execution, device
        self._masked: dict[tuple[object, ...], bool] = {}

    def parameters(self, parameters: Parameters) -> dict[str, jax.Array]:
        """The parameters on the device, in canonical order."""
        copies: dict[str, jax.Array] = self._put(
            {name: self._copied(parameters[name]) for name in parameter_shapes(self._model)}
        )
        return copies

    def states(self, values: Mapping[str, np.ndarray]) -> States:
        """Initial states on the device, from arrays (B, H) by name (schema.state_shapes)."""
        parts: dict[str, tuple[np.ndarray, ...]] = {}
        for name in state_shapes(self._model):  # the parts in their order
            prefix = _layer(name)
            parts[prefix] = (*parts.get(prefix, ()), self._copied(values[name]))
        copies: States = self._put(parts)
        return copies

    def place(self, batch: Batch) -> Placed:
        """A batch without padding gets a program without masks, unless its shape was met with padding first, or
        the data are ragged: one more compilation would cost more than the masks.

        Raises UnsupportedError for more steps than a static graph may have.
        """
        model = self._model
        if isinstance(model.body, Convolutional):
            return self._on_device(Feed(self._copied(batch.inputs), None, self._copied(batch.targets)))
        if self._execution.unroll == "static":
            check_static(model, batch)
        inputs = self._copied(batch.inputs.swapaxes(0, 1))
        by_step = model.readout == "steps" or model.has_sequence_targets
        time_major = by_step and batch.targets.ndim > 1  # predict() may be given no targets
        targets = self._copied(batch.targets.swapaxes(0, 1) if time_major else batch.targets)
        shape = inputs.shape, targets.shape
        lengths = self._unless_full(batch.lengths, batch.time, batch.ragged, ("inputs", *shape))
        target_lengths = None
        if model.has_sequence_targets and batch.target_lengths is not None:
            longest, ragged = len(targets), batch.ragged_targets
            target_lengths = self._unless_full(batch.target_lengths, longest, ragged, ("targets", *shape))
        resets = None if batch.resets is None else np.array(batch.resets.T, order="C", copy=True)
        masks = {name: self._copied(mask) for name, mask in batch.masks.items()} or None
        return self._on_device(Feed(inputs, lengths, targets, target_lengths, resets, masks))

    def _unless_full(
        self, lengths: np.ndarray, longest: int, ragged: bool, met: tuple[object, ...]
    ) -> np.ndarray | None:
        full = int(lengths.min()) == longest
        masked = self._masked.setdefault(met, ragged or not full)
        return None if full and not masked else self._copied(lengths)

    def _on_device(self, feed: Feed) -> Placed:
        return Placed(jax.block_until_ready(self._put(feed)))

    def _put(self, tree: Any) -> Any:
        """To the device, without a copy on the host."""
        return jax.device_put(tree, self._device)

    def _copied(self, array: np.ndarray) -> np.ndarray:
        """A contiguous copy: reals in the trial's dtype, integers in int32."""
        dtype = self._execution.dtype if array.dtype.kind == "f" else "int32"
        return np.array(array, dtype, order="C", copy=True)


def by_row(values: jax.Array) -> np.ndarray:
    """A NumPy copy of (B, O), or of (T, B, O) as (B, T, O)."""
    array = np.array(jax.device_get(values))
    return np.ascontiguousarray(array.swapaxes(0, 1)) if array.ndim == 3 else array


def fetched(tree: Any) -> Parameters:
    """NumPy copies: what jax hands out on the CPU is a view that the next step may overwrite."""
    return {name: np.array(value) for name, value in jax.device_get(tree).items()}


def fetched_states(model: ModelSpec, states: States) -> dict[str, np.ndarray]:
    """NumPy copies of states, by the names of schema.state_shapes."""
    host = jax.device_get(states)
    parts = (part for prefix in dict.fromkeys(map(_layer, state_shapes(model))) for part in host[prefix])
    return {name: np.array(part) for name, part in zip(state_shapes(model), parts, strict=True)}


def _layer(name: str) -> str:
    """`rnn.l0.fwd` of `rnn.l0.fwd.h`."""
    return name.rpartition(".")[0]
