"""The backend that does nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchsuite.contracts import (
    Backend,
    Batch,
    Device,
    Gradients,
    Parameters,
    Program,
    State,
    StepLog,
)
from benchsuite.schema import Execution, ModelSpec, Recipe, Recurrent


class NullProgram(Program):
    def __init__(self, model: ModelSpec, parameters: Parameters, dtype: str) -> None:
        self._model, self._parameters, self._dtype = model, parameters, dtype
        self._steps = 0

    def place(self, batch: Batch) -> object:
        return batch

    def step(self, placed: object, state: State | None = None) -> State | None:  # noqa: ARG002
        self._steps += 1
        return None

    def drain(self) -> StepLog:
        steps, self._steps = self._steps, 0
        return StepLog.of("none", np.zeros(steps), np.zeros(0))

    def predict(
        self,
        placed: object,
        state: State | None = None,  # noqa: ARG002
    ) -> tuple[np.ndarray, State | None]:
        assert isinstance(placed, Batch)
        return np.zeros((placed.size, self._model.head.outputs), self._dtype), None

    def gradients(self, placed: object) -> Gradients:
        assert isinstance(placed, Batch)
        body = self._model.body
        assert isinstance(body, Recurrent)
        shape = (placed.size, placed.time, body.hidden)
        states = {
            f"rnn.l{layer}.{way}": np.zeros(shape, self._dtype)
            for layer in range(body.layers)
            for way in body.directions
        }
        zeros = {name: np.zeros_like(weight) for name, weight in self._parameters.items()}
        return Gradients(0.0, zeros, states, self.predict(placed)[0])

    def parameters(self) -> Parameters:
        return {name: weight.copy() for name, weight in self._parameters.items()}

    def load_parameters(self, parameters: Parameters) -> None:
        self._parameters = {name: weight.copy() for name, weight in parameters.items()}

    def synchronize(self) -> None:
        pass

    def kernel(self) -> str:
        return "null"


class NullBackend(Backend):
    def devices(self) -> list[Device]:
        return [Device("cpu", "nothing at all")]

    def supports(
        self,
        model: ModelSpec,
        recipe: Recipe,  # noqa: ARG002
        execution: Execution,  # noqa: ARG002
    ) -> str | None:
        plain = isinstance(model.body, Recurrent) and model.decoder is None and model.readout != "steps"
        return None if plain else "only zeros of recurrent models are mapped to zeros"

    def build(
        self,
        model: ModelSpec,
        parameters: Parameters,
        recipe: Recipe,  # noqa: ARG002
        execution: Execution,
    ) -> Program:
        return NullProgram(model, parameters, execution.dtype)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:  # noqa: ARG002
        return lambda: None
