"""The border between NumPy and the device: what goes in is copied and turned time-major, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.checks import check_parameters
from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recurrent, parameter_shapes
from benchsuite_jax.feed import Feed

STATIC_CELLS = 64
"""Most cell steps (time x layers x directions, of encoder and decoder) that `static` writes out in one graph.
Each is compiled on its own, at about a third of a second of CPU time for an LSTM's training step, for every
function and shape."""


Shape = tuple[int, ...] | bool


@dataclass(frozen=True)
class Placed:
    """A batch on the device."""

    feed: Feed
    rows: int
    fresh: bool

    @property
    def shape(self) -> tuple[Shape, ...]:
        """What a compiled program depends on: shapes, and which of them are free of padding."""
        assert self.feed.targets is not None
        return *self.shape_read, self.feed.targets.shape, self.feed.target_lengths is None

    @property
    def shape_read(self) -> tuple[Shape, ...]:
        """What a program that looks at the inputs alone depends on."""
        return self.feed.inputs.shape, self.feed.lengths is None


class Placement:
    """Copies batches and parameters of one model to one device, in the trial's dtype.

    Every array is copied first: on the CPU jax may keep a NumPy array as it is, and the caller's later
    writes would reach the model.
    """

    def __init__(self, model: ModelSpec, execution: Execution, device: jax.Device) -> None:
        self._model, self._execution, self._device = model, execution, device
        self._padded: set[tuple[object, ...]] = set()

    def put(self, tree: Any) -> Any:
        """To the device, without a copy on the host."""
        return jax.device_put(tree, self._device)

    def parameters(self, parameters: Parameters) -> dict[str, jax.Array]:
        """Raises ContractError unless names and shapes are the model's."""
        check_parameters(self._model, parameters)
        copies: dict[str, jax.Array] = self.put(
            {name: self._copied(parameters[name]) for name in parameter_shapes(self._model)}
        )
        return copies

    def place(self, batch: Batch) -> Placed:
        """A batch without padding gets a program without masks, unless its shape was already met with
        padding: one more compilation would cost more than the masks.

        Raises UnsupportedError for more steps than a static graph may have, ContractError for a picture of
        another size than the model's, or targets without the lengths they need.
        """
        body, by_step = self._model.body, self._model.readout == "steps" or self._model.has_sequence_targets
        if isinstance(body, Convolutional):
            _check_picture(body, batch)
            return self._on_device(Feed(self._copied(batch.inputs), None, self._copied(batch.targets)), batch)
        if self._execution.unroll == "static":
            _check_static(self._model, batch)
        inputs = self._copied(batch.inputs.swapaxes(0, 1))
        targets = self._copied(batch.targets.swapaxes(0, 1) if by_step else batch.targets)
        shape = inputs.shape, targets.shape
        lengths = self._unless_full(batch.lengths, batch.time, ("inputs", *shape))
        written = None
        if self._model.has_sequence_targets:
            written = self._unless_full(_target_lengths(batch), len(targets), ("targets", *shape))
        return self._on_device(Feed(inputs, lengths, targets, written), batch)

    def _unless_full(self, lengths: np.ndarray, longest: int, met: tuple[object, ...]) -> np.ndarray | None:
        if met not in self._padded and int(lengths.min()) == longest:
            return None
        self._padded.add(met)
        return self._copied(lengths)

    def _on_device(self, feed: Feed, batch: Batch) -> Placed:
        return Placed(jax.block_until_ready(self.put(feed)), batch.size, batch.fresh)

    def _copied(self, array: np.ndarray) -> np.ndarray:
        """A contiguous copy: reals in the trial's dtype, integers in int32."""
        dtype = self._execution.dtype if array.dtype.kind == "f" else "int32"
        return np.array(array, dtype, order="C", copy=True)


def taken(placed: object) -> Placed:
    """What place() returned. Raises ContractError for anything else."""
    if not isinstance(placed, Placed):
        raise ContractError(
            f"step, predict and gradients take what place() returned, not {type(placed).__name__}"
        )
    return placed


def by_row(scores: jax.Array) -> np.ndarray:
    """A NumPy copy of scores (B, O), or of (T, B, O) as (B, T, O)."""
    array = np.array(jax.device_get(scores))
    return np.ascontiguousarray(array.swapaxes(0, 1)) if array.ndim == 3 else array


def fetched(tree: Any) -> Parameters:
    """NumPy copies: what jax hands out on the CPU is a view that the next step may overwrite."""
    return {name: np.array(value) for name, value in jax.device_get(tree).items()}


def _check_picture(body: Convolutional, batch: Batch) -> None:
    values = batch.inputs[0].size
    if values != body.height * body.width:
        raise ContractError(
            f"inputs {batch.inputs.shape} hold {values} values a row; the model reads pictures of "
            f"{body.height} x {body.width}"
        )


def _target_lengths(batch: Batch) -> np.ndarray:
    if batch.target_lengths is None:
        raise ContractError("the model's targets are sequences of a length of their own: give target_lengths")
    return batch.target_lengths


def _check_static(model: ModelSpec, batch: Batch) -> None:
    assert isinstance(model.body, Recurrent)
    layers = model.body.layers * len(model.body.directions)
    cells, said = batch.time * layers, f"{batch.time} steps x {layers} layers and directions"
    if model.decoder is not None:
        steps, written = batch.targets.shape[1], model.decoder.body.layers
        cells, said = cells + steps * written, f"{said} + {steps} steps x {written} layers of the decoder"
    if cells > STATIC_CELLS:
        raise UnsupportedError(
            f"unroll `static` would write {said} = {cells} cells into one XLA graph; the most is "
            f"{STATIC_CELLS}, since each one is compiled. Use unroll `dynamic`, or shorter sequences"
        )
