"""NumpyProgram: the contract's Program over the model and the optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchsuite.contracts import Batch, Decoding, Gradients, Parameters, Program, StepLog
from benchsuite.schema import Execution, ModelSpec, Recipe, state_shapes
from benchsuite_numpy.decoding import NumpyDecoding
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.layout import from_kernels, kernel_shapes, to_kernels
from benchsuite_numpy.layers import LayerState
from benchsuite_numpy.loops import Ordered
from benchsuite_numpy.model import Model
from benchsuite_numpy.optimisers import Optimiser
from benchsuite_numpy.placement import PlacedBatch, place_batch
from benchsuite_numpy.runtime import Array, DeviceContext, blas_info
from benchsuite_numpy.support import generic_bodies


class NumpyProgram(Program):
    """A model with its optimiser, all parameters in one vector on one device.

    A state is a dict: layer prefix -> its parts, each (H, B), rows in the batch's own order.
    """

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        self._spec, self._recipe = model, recipe
        self._dtype, self._scan = execution.dtype, execution.unroll == "scan"
        self._static = execution.unroll in ("static", "scan")
        self._masked = recipe.recurrent_dropout > 0
        self._device = DeviceContext(execution.device)
        with self._device.active():
            self._buffer = ParameterBuffer(self._device.xp, self._dtype, kernel_shapes(model, self._masked))
            self._optimiser = Optimiser(self._device, recipe, self._buffer)
            smoothing = recipe.label_smoothing
            self._model = Model(self._device, model, self._buffer, smoothing, self._scan, self._masked)
        self.load_parameters(parameters)
        self._losses: list[Array] = []
        self._measured: list[Array] = []

    def place(self, batch: Batch) -> PlacedBatch:
        with self._device.active():
            placed = place_batch(self._spec, batch, self._device, self._dtype, self._static)
            self._device.synchronize()
        return placed

    def step(self, placed: Any, state: Any = None) -> dict[str, LayerState] | None:
        with self._device.active():
            features, scores = self._model.forward(placed, state, keep=True)
            final = self._model.final_states(placed) if self._recipe.carry else None
            loss, d_scores = self._model.loss(placed, scores)
            self._model.backward(placed, features, d_scores, self._recipe.truncation, record=False)
            self._losses.append(loss)
            measured = self._optimiser.step()
            if measured is not None:
                self._measured.append(measured)
        return final

    def drain(self) -> StepLog:
        with self._device.active():
            losses, measured = (np.array([float(x) for x in each]) for each in (self._losses, self._measured))
        self._losses, self._measured = [], []
        return StepLog.of(self._recipe.clip, losses, measured)

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, dict[str, LayerState] | None]:
        with self._device.active():
            _, scores = self._model.forward(placed, state, keep=False)
            final = self._model.final_states(placed) if self._recipe.carry else None
            return self._predictions(placed, scores), final

    def gradients(self, placed: Any) -> Gradients:
        with self._device.active():
            features, scores = self._model.forward(placed, None, keep=True)
            predictions = self._predictions(placed, scores)
            loss, d_scores = self._model.loss(placed, scores)
            recorded = self._model.backward(placed, features, d_scores, self._recipe.truncation, record=True)
            return Gradients(
                loss=float(loss),
                parameters=self._canonical(self._buffer.gradient),
                states=self._by_layer(placed, recorded),
                predictions=predictions,
            )

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        with self._device.active():
            self._model.forward(placed, state, keep=False)
            return self._by_layer(placed, self._model.layer_outputs(placed))

    def make_state(self, values: Mapping[str, np.ndarray]) -> dict[str, LayerState]:
        found: dict[str, LayerState] = {}
        with self._device.active():
            for name in state_shapes(self._spec):  # a layer's parts are in the order of Cell.state
                part = self._device.xp.array(values[name].T, self._dtype)
                found.setdefault(name.rpartition(".")[0], []).append(part)
        return found

    def read_state(self, state: Any) -> dict[str, np.ndarray]:
        with self._device.active():
            return {
                name: np.array(self._device.host(part).T)
                for name, part in zip(
                    state_shapes(self._spec),
                    (part for parts in state.values() for part in parts),
                    strict=True,
                )
            }

    def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
        decoder = self._model.decoder
        if decoder is None:
            return super().decoding(placed, width, aligned)
        with self._device.active():
            last, outputs = self._model.encoded(placed)
            return NumpyDecoding(
                self._device, decoder, self._model.head, placed, last, outputs, width, aligned
            )

    def parameters(self) -> Parameters:
        with self._device.active():
            return self._canonical(self._buffer.value)

    def load_parameters(self, parameters: Parameters) -> None:
        with self._device.active():
            self._buffer.load(to_kernels(self._spec, parameters, self._masked))

    def synchronize(self) -> None:
        self._device.synchronize()

    def kernel(self) -> str:
        blas = "cublas" if self._device.on_gpu else blas_info()["name"]
        if self._model.convolution is not None:
            return f"im2col+{blas}"
        return f"{'associative_scan' if self._scan else 'python_loop'}+{blas}"

    def notes(self) -> dict[str, str]:
        return {"cell": "generic"} if generic_bodies(self._spec, self._masked) else {}

    def memory(self) -> dict[str, int]:
        return self._device.memory()

    def _canonical(self, arrays: dict[str, Array]) -> Parameters:
        found = {name: self._device.host(array) for name, array in arrays.items()}
        return from_kernels(self._spec, found, self._masked)

    def _predictions(self, batch: PlacedBatch, scores: Array) -> np.ndarray:
        """Scores in the batch's own row order, as a copy; by step, unpacked into zeros."""
        found = self._device.host(scores)
        if batch.decoder_targets is not None:
            return batch.decoder_targets.unpacked(found)
        if self._spec.readout == "steps":
            return batch.unpacked(found)
        rows = np.empty_like(found)
        rows[batch.order] = found
        return rows

    def _by_layer(self, batch: PlacedBatch, found: Mapping[str, list[Array]]) -> dict[str, np.ndarray]:
        """Arrays (B, T, H) by layer prefix, (B, U, H) of a decoder's, from (H, live rows) for every step."""
        arrays: dict[str, np.ndarray] = {}
        for prefix, by_step in found.items():
            rows: Ordered = batch
            if prefix.startswith("dec.") and batch.decoder_targets is not None:
                rows = batch.decoder_targets
            arrays[prefix] = rows.unrolled([self._device.host(each) for each in by_step])
        return arrays
