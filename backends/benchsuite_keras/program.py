"""KerasProgram: a compiled keras.Model, trained by train_on_batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from benchsuite.contracts import (
    Batch,
    Compilation,
    Gradients,
    Parameters,
    Program,
    StepLog,
    compilation_notes,
)
from benchsuite.schema import (
    Execution,
    ModelSpec,
    Recipe,
    Recurrent,
    is_scheduled,
    learning_rate,
    parameter_shapes,
)
from benchsuite_keras import layers, model, optimisers, runtime
from benchsuite_keras.compilations import Compilations
from benchsuite_keras.loops import Probed
from benchsuite_keras.placement import Placed, place_batch
from benchsuite_keras.runtime import Data, Framework, Tensor, host
from benchsuite_keras.support import check_batch


class KerasProgram(Program):
    """step() is train_on_batch, and predict() predict_on_batch. train_on_batch reads the loss of each step
    back, as Keras has it; so the log is on the host.

    :param compilation: `auto` leaves it to Keras (XLA on TensorFlow and JAX); `none` compiles nothing that
    Keras can run without.
    """

    def __init__(
        self,
        framework: Framework,
        spec: ModelSpec,
        parameters: Parameters,
        recipe: Recipe,
        execution: Execution,
        compilation: str = "auto",
    ) -> None:
        assert isinstance(spec.body, Recurrent), "declined by supports()"
        self._framework, self._spec, self._body = framework, spec, spec.body
        self._recipe, self._execution = recipe, execution
        self._steps = 0
        self._losses: list[float] = []
        self._measured: list[float] = []
        self._latest: Placed | None = None
        self._enter()
        with runtime.scope(execution):
            self._network = model.built(spec, execution)
            self._loss = model.loss(spec, recipe, execution.dtype)
            self._optimiser = optimisers.optimiser(recipe, self._network.trainable_variables, execution.dtype)
            self._network.compile(
                self._optimiser,
                self._loss,
                jit_compile=False if compilation == "none" and framework.NAME == "tensorflow" else "auto",
            )
        self._compilations = Compilations(framework, self._network)
        self._variables = model.variables(self._network)
        self._probed = Probed(self._network)
        self._backward = framework.differentiated(self._forward, list(self._variables.values()))
        self._backward_probed = framework.differentiated(self._forward_probed, [])
        self.load_parameters(parameters)

    def place(self, batch: Batch) -> Placed:
        check_batch(self._framework, self._spec, batch, self._execution)
        self._enter()
        with runtime.scope(self._execution):
            placed = place_batch(batch, self._spec, self._recipe, self._execution)
        self.synchronize()
        return placed

    def step(self, placed: Any, state: Any = None) -> None:  # noqa: ARG002 - no states are carried
        self._enter()
        self._latest = placed
        self._steps += 1
        if is_scheduled(self._recipe):
            self._optimiser.learning_rate = learning_rate(self._recipe, self._steps)
        with runtime.scope(self._execution), self._compilations.during("step", placed):
            loss = self._network.train_on_batch(placed.inputs, placed.targets, placed.weights)
        self._losses.append(float(loss))
        if self._recipe.clip != "none":
            self._measured.append(float(host(self._optimiser.measured)))

    def drain(self) -> StepLog:
        losses, measured = np.array(self._losses), np.array(self._measured)
        self._losses, self._measured = [], []
        return StepLog.of(self._recipe.clip, losses, measured)

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, None]:  # noqa: ARG002
        self._enter()
        with runtime.scope(self._execution), self._compilations.during("predict", placed):
            scores = self._network.predict_on_batch(placed.inputs)
        return self._valid(np.array(scores), placed), None

    def gradients(self, placed: Any) -> Gradients:
        """Loss, predictions and parameter gradients come from Keras' layers as they are trained. dL/dh_t
        comes from a second pass, by Keras' cells in keras.layers.RNN, over the same variables."""
        self._enter()
        with runtime.scope(self._execution), self._compilations.during("gradients", placed):
            loss, scores, found, _ = self._backward(placed.data, {})
            _, _, _, by_state = self._backward_probed(placed.data, self._zeros(placed))
        arrays = dict(zip(self._variables, map(host, found), strict=True))
        return Gradients(
            loss=float(host(loss)),
            parameters=self._canonical(arrays),
            states={prefix: host(array) for prefix, array in by_state.items()},
            predictions=self._valid(host(scores), placed),
        )

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:  # noqa: ARG002
        self._enter()
        with runtime.scope(self._execution):
            _, found = self._probed(placed.inputs, self._zeros(placed))
        return {prefix: host(y) for prefix, y in found.items()}

    def parameters(self) -> Parameters:
        return self._canonical(model.read(self._network))

    def load_parameters(self, parameters: Parameters) -> None:
        self._enter()
        arrays = {name: np.array(array, self._execution.dtype) for name, array in parameters.items()}
        for name, array in layers.from_canonical(self._body, arrays).items():
            self._variables[name].assign(array)

    def synchronize(self) -> None:
        self._framework.synchronize(self._execution)

    def kernel(self) -> str:
        if self._latest is None:
            return "none"
        self._enter()
        with runtime.scope(self._execution):
            return self._framework.kernel(self._network, self._latest.inputs)

    def memory(self) -> dict[str, int]:
        return self._framework.memory(self._execution)

    def compilations(self) -> Sequence[Compilation]:
        return self._compilations.made

    def notes(self) -> dict[str, str]:
        return {
            **compilation_notes(self._compilations.made),
            "keras/step": "train_on_batch",
            "keras/jit_compile": str(bool(self._network.jit_compile)).lower(),
            "keras/state_gradients": "second pass, by keras.layers.RNN",
        }

    def _enter(self) -> None:
        runtime.set_precision(self._execution)
        self._framework.apply(self._execution)

    def _forward(self, data: Data, _: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores = self._network(data["inputs"], training=True)
        return self._loss(data["targets"], scores, data.get("weights")), scores

    def _forward_probed(self, data: Data, probes: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores, _ = self._probed(data["inputs"], probes)
        return self._loss(data["targets"], scores, data.get("weights")), scores

    def _zeros(self, placed: Placed) -> dict[str, Tensor]:
        return {
            prefix: keras.ops.zeros((*placed.shape, width), self._execution.dtype)
            for prefix, width in self._probed.widths.items()
        }

    def _canonical(self, arrays: Mapping[str, np.ndarray]) -> Parameters:
        found = layers.to_canonical(self._body, arrays)
        return {name: found[name] for name in parameter_shapes(self._spec)}

    def _valid(self, scores: np.ndarray, placed: Placed) -> np.ndarray:
        """Scores, zero on padded steps."""
        if placed.weights is None:
            return scores
        kept: np.ndarray = scores * host(placed.weights)[..., None]
        return kept
