"""NumpyProgram: the contract's Program over the kernels."""

from __future__ import annotations

import numpy as np
import threadpoolctl

from benchsuite.contracts import Batch, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.spec import Convolutional, Execution, ModelSpec, Recipe
from benchsuite_numpy.arrays import Array, Place
from benchsuite_numpy.batches import Placed, place_batch
from benchsuite_numpy.checks import copied_parameters
from benchsuite_numpy.convolution import Convolution
from benchsuite_numpy.flat import Flat
from benchsuite_numpy.heads import Head, Readout
from benchsuite_numpy.layout import from_kernels, kernel_shapes, to_kernels
from benchsuite_numpy.optimisers import Optimiser
from benchsuite_numpy.stack import Stack, State


class NumpyProgram(Program):
    """A model with its optimiser, in one flat vector on one device."""

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        self._model, self._recipe = model, recipe
        self._dtype, self._static = execution.dtype, execution.unroll == "static"
        self._place = Place(execution.device)
        with self._place.active():
            xp = self._place.xp
            self._flat = Flat(xp, self._dtype, kernel_shapes(model))
            self._optimiser = Optimiser(self._place, recipe, self._flat)
            self._head = Head(xp, model, self._flat)
            self._convolution: Convolution | None = None
            if isinstance(model.body, Convolutional):
                self._convolution = Convolution(self._place, model.body, self._flat)
            else:
                self._stack = Stack(self._place, model, model.body, self._flat)
                self._readout = Readout(xp, model, self._stack, self._dtype)
                self._ways = len(model.body.directions)
        self.load_parameters(parameters)
        self._carried: dict[str, State] = {}
        self._log: list[tuple[Array, Array, Array]] = []

    def place(self, batch: Batch) -> Placed:
        with self._place.active():
            placed = place_batch(self._model, batch, self._place, self._dtype, self._static)
            self._place.synchronize()
        return placed

    def step(self, placed: object) -> None:
        batch = _placed(placed)
        with self._place.active():
            features = self._forward(batch, self._initial(batch), keep=True)
            if self._recipe.carry and self._convolution is None:
                self._carried = self._stack.final_states(batch)
            loss, slopes = self._head.loss(self._head.forward(features), batch.targets)
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
            return self._predictions(batch, self._head.forward(self._forward(batch, None, keep=False)))

    def gradients(self, placed: object) -> Gradients:
        batch = _placed(placed)
        with self._place.active():
            features = self._forward(batch, None, keep=True)
            scores = self._head.forward(features)
            loss, slopes = self._head.loss(scores, batch.targets)
            recorded = self._backward(batch, features, slopes, record=True)
            return Gradients(
                loss=float(loss),
                parameters=self._canonical(self._flat.gradient),
                states={prefix: self._by_row(batch, found) for prefix, found in recorded.items()},
                predictions=self._predictions(batch, scores),
            )

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

    def _initial(self, batch: Placed) -> dict[str, State] | None:
        if batch.fresh or not self._recipe.carry:
            return None
        for prefix, state in self._carried.items():
            if len(state[0]) != batch.plan.rows:
                raise ContractError(
                    f"a batch of {batch.plan.rows} rows continues a stream of {len(state[0])} rows "
                    f"({prefix}); give fresh=True where the rows change"
                )
        return self._carried

    def _forward(self, batch: Placed, initial: dict[str, State] | None, *, keep: bool) -> Array:
        if self._convolution is not None:
            return self._convolution.forward(batch.pictures)
        return self._readout.forward(batch, self._stack.forward(batch, initial, keep))

    def _backward(
        self, batch: Placed, features: Array, slopes: Array, *, record: bool
    ) -> dict[str, list[Array]]:
        d_features = self._head.backward(features, slopes)
        if self._convolution is not None:
            self._convolution.backward(d_features)
            return {}
        by_way = self._readout.backward(batch, d_features, self._ways)
        return self._stack.backward(batch, by_way, self._recipe.truncation, record)

    def _canonical(self, arrays: dict[str, Array]) -> Parameters:
        return from_kernels(self._model, {name: self._place.host(array) for name, array in arrays.items()})

    def _predictions(self, batch: Placed, scores: Array) -> np.ndarray:
        """Scores in the batch's own row order; by step, unpacked into zeros."""
        found = self._place.host(scores)
        if self._model.readout != "steps":
            rows = np.empty_like(found)
            rows[batch.order] = found
            return rows
        steps = np.zeros((batch.plan.rows, batch.time, found.shape[1]), found.dtype)
        steps[batch.packed_rows, batch.packed_times] = found
        return steps

    def _by_row(self, batch: Placed, by_step: list[Array]) -> np.ndarray:
        """(B, T, H) from (H, live rows) for every step."""
        hidden = by_step[0].shape[0]
        rows = np.zeros((batch.plan.rows, batch.time, hidden), self._dtype)
        for t, found in enumerate(by_step):
            rows[batch.order[: found.shape[1]], t] = self._place.host(found).T
        return rows


def _placed(placed: object) -> Placed:
    if not isinstance(placed, Placed):
        raise ContractError(
            f"step, predict and gradients take what place() gave, not {type(placed).__name__}"
        )
    return placed


def blas_info() -> dict[str, str]:
    """What threadpoolctl finds of the BLAS that NumPy loaded: name, version, threads, architecture."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    own = [pool for pool in pools if "numpy" in pool["filepath"]] or pools
    if not own:
        return {"name": "unknown_blas"}
    pool = own[0]
    return {
        "name": str(pool["internal_api"]),
        "version": str(pool["version"]),
        "threads": str(pool["num_threads"]),
        "architecture": str(pool.get("architecture", "")),
    }
