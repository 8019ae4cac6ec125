"""The contract's Program and Backend around the reference model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchsuite.contracts import Backend, Batch, Device, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import Execution, ModelSpec, Recipe, Trial
from benchsuite_numpy.checks import copied_parameters, model_problem
from benchsuite_numpy.reference.cells import State
from benchsuite_numpy.reference.decoding import ReferenceDecoding
from benchsuite_numpy.reference.model import backward, decode, forward
from benchsuite_numpy.reference.optimisers import Optimiser, clip, global_norm, peak


class ReferenceProgram(Program):
    """A model in plain NumPy. Everything is synchronous; a placed batch is the batch."""

    def __init__(self, model: ModelSpec, parameters: Parameters, recipe: Recipe, dtype: str) -> None:
        self._model, self._recipe, self._dtype = model, recipe, dtype
        self._parameters = copied_parameters(model, parameters, dtype)
        self._optimiser = Optimiser(recipe, self._parameters)
        self._carried: dict[str, State] = {}
        """The final states of the latest step, by prefix; what a batch that is not fresh goes on from."""
        self._predicted: dict[str, State] = {}
        """The same of the latest predict(): evaluation is a stream of its own."""
        self._log: list[tuple[float, float, float]] = []

    def place(self, batch: Batch) -> Batch:
        return batch

    def step(self, placed: object) -> None:
        batch = _batch(placed)
        run = forward(self._model, self._parameters, batch, self._continued(batch, self._carried))
        found = backward(self._model, self._parameters, batch, run, self._recipe.truncation)
        if self._recipe.carry:
            self._carried = run.final_states
        gradients, clipping = found.parameters, self._recipe.clip
        norm = global_norm(gradients) if clipping == "norm" else np.nan
        largest = peak(gradients) if clipping == "value" else np.nan
        self._log.append((found.loss, norm, largest))
        self._optimiser.update(self._parameters, clip(self._recipe, gradients))

    def drain(self) -> StepLog:
        log, self._log = np.array(self._log, np.float64).reshape(-1, 3), []
        return StepLog(loss=log[:, 0], norm=log[:, 1], peak=log[:, 2])

    def predict(self, placed: object) -> np.ndarray:
        batch = _batch(placed)
        run = forward(self._model, self._parameters, batch, self._continued(batch, self._predicted))
        if self._recipe.carry:
            self._predicted = run.final_states
        return run.scores

    def _continued(self, batch: Batch, states: dict[str, State]) -> dict[str, State]:
        """What the batch's recurrence starts from: `states` where it continues a stream."""
        if batch.fresh or not self._recipe.carry:
            return {}
        for prefix, state in states.items():
            if len(state[0]) != batch.size:
                raise ContractError(
                    f"a batch of {batch.size} rows continues a stream of {len(state[0])} rows ({prefix}); "
                    "give fresh=True where the rows change"
                )
        return states

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> ReferenceDecoding:
        if self._model.decoder is None:
            raise UnsupportedError("this model has no decoder, so it generates nothing")
        return decode(self._model, self._parameters, _batch(placed), width, aligned)

    def gradients(self, placed: object) -> Gradients:
        batch = _batch(placed)
        run = forward(self._model, self._parameters, batch)
        return backward(self._model, self._parameters, batch, run, self._recipe.truncation)

    def parameters(self) -> Parameters:
        return {name: value.copy() for name, value in self._parameters.items()}

    def load_parameters(self, parameters: Parameters) -> None:
        for name, value in copied_parameters(self._model, parameters, self._dtype).items():
            self._parameters[name][...] = value

    def synchronize(self) -> None:
        """Nothing to wait for: every call returns when its work is done."""

    def kernel(self) -> str:
        return "python_loop"


def _batch(placed: object) -> Batch:
    if not isinstance(placed, Batch):
        raise ContractError(
            f"step, predict, gradients and decoding take what place() returned, not {type(placed).__name__}"
        )
    return placed


class ReferenceBackend(Backend):
    """Builds reference programs. Any unroll is accepted: the loop is the same."""

    def devices(self) -> list[Device]:
        return [Device("cpu", "plain NumPy, float32 or float64")]

    def supports(self, trial: Trial) -> str | None:
        return _problem(trial.execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> ReferenceProgram:
        problem = _problem(execution) or model_problem(model, recipe)
        if problem:
            raise UnsupportedError(problem)
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


def _problem(execution: Execution) -> str | None:
    if execution.device != "cpu":
        return f"the reference runs on the CPU only, not on {execution.device!r}"
    return None
