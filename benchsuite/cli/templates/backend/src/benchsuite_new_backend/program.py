"""NewBackendProgram: a model with its optimiser. All parameters are one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd import value_and_grad
from benchsuite.contracts import (
    AVERAGES,
    Batch,
    Gradients,
    Parameters,
    Program,
    State,
    StepLog,
    clipped,
    flattened,
    unflattened,
    updated,
)
from benchsuite.schema import ModelSpec, Recipe, parameter_shapes

from benchsuite_new_backend.model import LAYER, Placed, loss, outputs, scores


class NewBackendProgram(Program):
    """Everything is computed before a call returns, so there is nothing to wait for."""

    def __init__(self, model: ModelSpec, parameters: Parameters, recipe: Recipe, dtype: str) -> None:
        self._model, self._recipe, self._dtype = model, recipe, dtype
        self._shapes = parameter_shapes(model)
        self._vector = flattened(parameters, self._shapes, dtype)
        self._averages = {name: np.zeros_like(self._vector) for name in AVERAGES[recipe.optimiser]}
        self._steps = 0
        self._losses: list[float] = []
        self._norms: list[float] = []

    def place(self, batch: Batch) -> Placed:
        return Placed.of(self._model, batch, self._dtype)

    def _loss(self, vector: Any, added: Any, placed: Placed) -> Any:
        found = scores(self._model, unflattened(vector, self._shapes), placed, added)
        return loss(self._model, found, placed)

    def step(self, placed: Any, state: State | None = None) -> None:
        zeros = placed.no_change(self._model)
        value, gradient = value_and_grad(self._loss)(self._vector, zeros, placed)
        gradient, norm = clipped(self._recipe, gradient)
        self._steps += 1
        self._vector, self._averages = updated(
            self._recipe, self._steps, self._vector, gradient, self._averages
        )
        # a framework that computes later keeps these on its device until drain()
        self._losses.append(value)
        if norm is not None:
            self._norms.append(norm)

    def drain(self) -> StepLog:
        log = StepLog.of(self._recipe.clip, np.array(self._losses), np.array(self._norms))
        self._losses, self._norms = [], []
        return log

    def predict(self, placed: Any, state: State | None = None) -> tuple[np.ndarray, None]:
        p = unflattened(self._vector, self._shapes)
        return scores(self._model, p, placed, placed.no_change(self._model)), None

    def gradients(self, placed: Any) -> Gradients:
        zeros = placed.no_change(self._model)
        value, (gradient, by_h) = value_and_grad(self._loss, (0, 1))(self._vector, zeros, placed)
        predictions, _ = self.predict(placed)
        return Gradients(float(value), unflattened(gradient, self._shapes), {LAYER: by_h}, predictions)

    def outputs(self, placed: Any, state: State | None = None) -> dict[str, np.ndarray]:
        p = unflattened(self._vector, self._shapes)
        return {LAYER: outputs(self._model, p, placed, placed.no_change(self._model))}

    def parameters(self) -> Parameters:
        return unflattened(self._vector.copy(), self._shapes)

    def load_parameters(self, parameters: Parameters) -> None:
        self._vector = flattened(parameters, self._shapes, self._dtype)

    def synchronize(self) -> None:
        """Nothing is left to wait for."""

    def kernel(self) -> str:
        return "python_loop"
