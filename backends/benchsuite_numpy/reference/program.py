"""The contract's Program and Backend around the reference model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchsuite.contracts import (
    Backend,
    Batch,
    Decoding,
    Device,
    Gradients,
    Parameters,
    Program,
    StepLog,
    Supported,
)
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, parameter_shapes, state_shapes
from benchsuite_numpy.reference.cells import CellState
from benchsuite_numpy.reference.model import ModelRun, backward, decode, forward
from benchsuite_numpy.reference.optimisers import Optimiser, clip, global_norm, peak

SUPPORTED = Supported.everything("reference", devices=("cpu",))


class ReferenceProgram(Program):
    """A model in plain NumPy. Everything is synchronous; a placed batch is a copy of the batch, and a state is
    a dict of the cells' states by layer prefix."""

    def __init__(self, model: ModelSpec, parameters: Parameters, recipe: Recipe, dtype: str) -> None:
        self._model, self._recipe, self._dtype = model, recipe, dtype
        self._parameters = {name: np.array(parameters[name], dtype) for name in parameter_shapes(model)}
        self._optimiser = Optimiser(recipe, self._parameters)
        self._losses: list[float] = []
        self._measured: list[float] = []

    def place(self, batch: Batch) -> Batch:
        return copy.deepcopy(batch)

    def step(self, placed: Any, state: Any = None) -> object:
        run = forward(self._model, self._parameters, placed, state, training=True)
        found = self._backward(placed, run)
        gradients, clipping = found.parameters, self._recipe.clip
        self._losses.append(found.loss)
        if clipping != "none":
            self._measured.append(global_norm(gradients) if clipping == "norm" else peak(gradients))
        self._optimiser.update(self._parameters, clip(self._recipe, gradients))
        return run.final_states if self._recipe.carry else None

    def drain(self) -> StepLog:
        log = StepLog.of(self._recipe.clip, np.array(self._losses), np.array(self._measured))
        self._losses, self._measured = [], []
        return log

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, object]:
        run = forward(self._model, self._parameters, placed, state)
        return run.scores, run.final_states if self._recipe.carry else None

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        return forward(self._model, self._parameters, placed, state).layer_outputs(self._model)

    def make_state(self, values: Mapping[str, np.ndarray]) -> dict[str, CellState]:
        found: dict[str, CellState] = {}
        for name in state_shapes(self._model):  # the parts of a layer are in the order of Cell.state
            prefix, part = name.rpartition(".")[0], np.array(values[name], self._dtype)
            found[prefix] = (*found.get(prefix, ()), part)
        return found

    def read_state(self, state: Any) -> dict[str, np.ndarray]:
        parts = [part for of_layer in state.values() for part in of_layer]
        return {name: part.copy() for name, part in zip(state_shapes(self._model), parts, strict=True)}

    def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
        if self._model.decoder is None:
            return super().decoding(placed, width, aligned)
        return decode(self._model, self._parameters, placed, width, aligned)

    def gradients(self, placed: Any) -> Gradients:
        return self._backward(placed, forward(self._model, self._parameters, placed, training=True))

    def _backward(self, batch: Batch, run: ModelRun) -> Gradients:
        recipe = self._recipe
        return backward(self._model, self._parameters, batch, run, recipe.truncation, recipe.label_smoothing)

    def parameters(self) -> Parameters:
        return {name: value.copy() for name, value in self._parameters.items()}

    def load_parameters(self, parameters: Parameters) -> None:
        for name, value in self._parameters.items():
            value[...] = parameters[name]

    def synchronize(self) -> None:
        """Nothing to wait for: every call returns when its work is done."""

    def kernel(self) -> str:
        return "convolution" if isinstance(self._model.body, Convolutional) else "python_loop"


class ReferenceBackend(Backend):
    """Builds reference programs. Any unroll is accepted: the loop is the same."""

    def devices(self) -> list[Device]:
        return [Device("cpu", "plain NumPy, float32 or float64")]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return SUPPORTED.declines(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> ReferenceProgram:
        return ReferenceProgram(model, parameters, recipe, execution.dtype)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        random = np.random.default_rng(0)
        a = random.standard_normal((m, k)).astype(execution.dtype)
        b = random.standard_normal((k, n)).astype(execution.dtype)
        out = np.empty((m, n), a.dtype)

        def run() -> None:
            np.matmul(a, b, out=out)

        return run

    def versions(self) -> dict[str, str]:
        return {"numpy": np.__version__}
