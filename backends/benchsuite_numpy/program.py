"""NumpyProgram: the contract's Program over the kernels."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Batch, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, Tokens
from benchsuite_numpy.arrays import Array, DeviceContext
from benchsuite_numpy.batches import Placed, place_batch
from benchsuite_numpy.blas import blas_info
from benchsuite_numpy.checks import copied_parameters
from benchsuite_numpy.convolution import Convolution
from benchsuite_numpy.decoder import Decoder
from benchsuite_numpy.decoding import NumpyDecoding
from benchsuite_numpy.embedding import Embedding
from benchsuite_numpy.flat import ParameterBuffer
from benchsuite_numpy.heads import Head, Readout
from benchsuite_numpy.layout import from_kernels, kernel_shapes, to_kernels
from benchsuite_numpy.losses import Loss
from benchsuite_numpy.optimisers import Optimiser
from benchsuite_numpy.stack import Stack, State, permuted


class NumpyProgram(Program):
    """A model with its optimiser, in one flat vector on one device."""

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        self._model, self._recipe = model, recipe
        self._dtype, self._static = execution.dtype, execution.unroll == "static"
        self._place = DeviceContext(execution.device)
        self._embedding: Embedding | None = None
        self._decoder: Decoder | None = None
        self._convolution: Convolution | None = None
        with self._place.active():
            self._flat = ParameterBuffer(self._place.xp, self._dtype, kernel_shapes(model))
            self._optimiser = Optimiser(self._place, recipe, self._flat)
            self._head = Head(self._place, model, self._flat)
            self._loss = Loss(self._place, model, self._dtype)
            if isinstance(model.body, Convolutional):
                self._convolution = Convolution(self._place, model.body, self._flat)
            else:
                tokens = isinstance(model.input, Tokens)
                if tokens:
                    self._embedding = Embedding(self._place, self._flat, "embed.E")
                self._stack = Stack(self._place, self._flat, "rnn", model.body, model.input_size, tokens)
                self._readout = Readout(self._place, model, self._stack, self._dtype)
                self._ways = len(model.body.directions)
            if model.decoder is not None:
                self._decoder = Decoder(self._place, model, self._flat)
        self.load_parameters(parameters)
        self._carried: dict[str, State] = {}
        """The final states of the latest step, rows in the batch's own order."""
        self._predicted: dict[str, State] = {}
        """The same of the latest predict(): evaluation is a stream of its own."""
        self._log: list[tuple[Array, Array, Array]] = []

    def place(self, batch: Batch) -> Placed:
        with self._place.active():
            placed = place_batch(self._model, batch, self._place, self._dtype, self._static)
            self._place.synchronize()
        return placed

    def step(self, placed: object) -> None:
        batch = _placed(placed)
        with self._place.active():
            features = self._forward(batch, self._continued(batch, self._carried), keep=True)
            if self._recipe.carry:
                self._carried = self._final_states(batch)
            loss, slopes = self._loss(batch, self._head.forward(features))
            self._backward(batch, features, slopes, record=False)
            self._log.append((loss, *self._optimiser.step()))

    def drain(self) -> StepLog:
        with self._place.active():
            log = np.array([[float(value) for value in entry] for entry in self._log], np.float64)
        self._log = []
        log = log.reshape(-1, 3)
        return StepLog(loss=log[:, 0], norm=log[:, 1], peak=log[:, 2])

    def predict(self, placed: object) -> np.ndarray:
        batch = _placed(placed)
        with self._place.active():
            features = self._forward(batch, self._continued(batch, self._predicted), keep=False)
            if self._recipe.carry:
                self._predicted = self._final_states(batch)
            return self._predictions(batch, self._head.forward(features))

    def gradients(self, placed: object) -> Gradients:
        batch = _placed(placed)
        with self._place.active():
            features = self._forward(batch, {}, keep=True)
            scores = self._head.forward(features)
            predictions = self._predictions(batch, scores)
            loss, slopes = self._loss(batch, scores)
            recorded = self._backward(batch, features, slopes, record=True)
            return Gradients(
                loss=float(loss),
                parameters=self._canonical(self._flat.gradient),
                states={prefix: self._states(batch, prefix, found) for prefix, found in recorded.items()},
                predictions=predictions,
            )

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> NumpyDecoding:
        if self._decoder is None:
            raise UnsupportedError("this model has no decoder, so it generates nothing")
        batch = _placed(placed)
        with self._place.active():
            outputs = self._outputs(batch, {}, keep=False)
            last = self._readout.forward(batch, outputs)
            return NumpyDecoding(self._place, self._decoder, self._head, batch, last, outputs, width, aligned)

    def parameters(self) -> Parameters:
        with self._place.active():
            return self._canonical(self._flat.value)

    def load_parameters(self, parameters: Parameters) -> None:
        canonical = copied_parameters(self._model, parameters, self._dtype)
        with self._place.active():
            self._flat.load(to_kernels(self._model, canonical))

    def synchronize(self) -> None:
        self._place.synchronize()

    def kernel(self) -> str:
        blas = "cublas" if self._place.on_gpu else blas_info()["name"]
        return f"{'python_loop' if self._convolution is None else 'im2col'}+{blas}"

    def memory(self) -> dict[str, int]:
        return self._place.memory()

    def _continued(self, batch: Placed, states: dict[str, State]) -> dict[str, State]:
        """What the recurrence starts from: `states` where the batch continues a stream."""
        if batch.fresh or not self._recipe.carry:
            return {}
        for prefix, state in states.items():
            if state[0].shape[1] != batch.plan.rows:
                raise ContractError(
                    f"a batch of {batch.plan.rows} rows continues a stream of {state[0].shape[1]} rows "
                    f"({prefix}); give fresh=True where the rows change"
                )
        order = self._place.xp.asarray(batch.order)
        return {prefix: permuted(state, order) for prefix, state in states.items()}

    def _final_states(self, batch: Placed) -> dict[str, State]:
        back = self._place.xp.asarray(np.argsort(batch.order))
        return {
            prefix: permuted(state, back) for prefix, state in self._stack.final_states(batch.plan).items()
        }

    def _outputs(self, batch: Placed, initial: dict[str, State], *, keep: bool) -> list[list[Array]]:
        """The recurrent body's top outputs by direction and t, (H, width)."""
        sources = [batch.inputs]
        if self._embedding is not None:
            assert batch.ids is not None
            sources = [self._embedding.forward(batch.ids, batch.plan)]
        return self._stack.forward(batch.plan, sources, initial, keep)

    def _forward(self, batch: Placed, initial: dict[str, State], *, keep: bool) -> Array:
        """What the head reads: (N, F + 1), the last column ones."""
        if self._convolution is not None:
            return self._convolution.forward(batch.pictures)
        outputs = self._outputs(batch, initial, keep=keep)
        features = self._readout.forward(batch, outputs)
        if self._decoder is None:
            return features
        return self._decoder.forward(batch, features, outputs, keep)

    def _backward(
        self, batch: Placed, features: Array, slopes: Array, *, record: bool
    ) -> dict[str, list[Array]]:
        d_features = self._head.backward(features, slopes)
        if self._convolution is not None:
            self._convolution.backward(d_features)
            return {}
        written: dict[str, list[Array]] = {}
        by_memory = None
        if self._decoder is not None:
            d_features, by_memory, written = self._decoder.backward(batch, features, d_features, record)
        by_way = self._readout.backward(batch, d_features, self._ways)
        if by_memory is not None:
            by_way = [
                [[*a, *b] for a, b in zip(way, others, strict=True)]
                for way, others in zip(by_way, by_memory, strict=True)
            ]
        read, _ = self._stack.backward(batch.plan, by_way, self._recipe.truncation, record)
        if self._embedding is not None:
            assert batch.ids is not None
            self._embedding.backward(batch.ids, batch.plan, self._stack.input_gradients())
        return read | written

    def _canonical(self, arrays: dict[str, Array]) -> Parameters:
        return from_kernels(self._model, {name: self._place.host(array) for name, array in arrays.items()})

    def _predictions(self, batch: Placed, scores: Array) -> np.ndarray:
        """Scores in the batch's own row order, as a copy; by step, unpacked into zeros."""
        found = self._place.host(scores)
        if batch.written is not None:
            return batch.written.unpacked(found)
        if self._model.readout == "steps":
            return batch.unpacked(found)
        rows = np.empty_like(found)
        rows[batch.order] = found
        return rows

    def _states(self, batch: Placed, prefix: str, by_step: list[Array]) -> np.ndarray:
        """(B, T, H), or (B, U, H) of a decoder's layer."""
        on_host = [self._place.host(found) for found in by_step]
        if batch.written is not None and prefix.startswith("dec."):
            return batch.written.unrolled(on_host)
        return batch.unrolled(on_host)


def _placed(placed: object) -> Placed:
    if not isinstance(placed, Placed):
        raise ContractError(
            f"step, predict, gradients and decoding take what place() gave, not {type(placed).__name__}"
        )
    return placed
