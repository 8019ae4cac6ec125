"""KerasBackend: Keras on the framework that this process imported it with."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import keras

from benchsuite.contracts import Backend, Device, Parameters
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_keras import runtime
from benchsuite_keras.program import KerasProgram
from benchsuite_keras.support import unsupported_reason


class KerasBackend(Backend):
    """Keras' own layers on the CPU or one GPU.

    :param framework: Keras' word for what it runs on. Raises UnsupportedError where this process has imported
        Keras with another one.
    """

    def __init__(self, framework: str) -> None:
        found = keras.config.backend()
        if found != framework:
            raise UnsupportedError(
                f"this process has imported Keras with {found}, and keras_{framework} needs {framework}: Keras "
                f"takes one framework per process. Start a new one with KERAS_BACKEND={framework}"
            )
        self._framework = runtime.framework(framework)
        self._framework.configure()
        # Keras looks for other frameworks when it first serialises a layer: here, see the plugin's load
        keras.layers.Bidirectional(keras.layers.LSTM(1))

    def devices(self) -> list[Device]:
        return self._framework.devices()

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return unsupported_reason(self._framework, model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> KerasProgram:
        if problem := self._framework.precision_problem(execution):
            raise UnsupportedError(problem)
        compilation = os.environ.get("BENCHSUITE_KERAS_COMPILATION", "auto")
        return KerasProgram(self._framework, model, parameters, recipe, execution, compilation)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        problem = self._framework.device_problem(execution) or self._framework.precision_problem(execution)
        if problem:
            raise UnsupportedError(problem)
        return self._framework.product(m, k, n, execution)

    def release(self) -> None:
        """Models and their graphs refer to themselves in circles."""
        keras.utils.clear_session(free_memory=False)
        gc.collect()
        self._framework.release()

    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__, **self._framework.versions()}
