"""CheckedBackend and CheckedProgram: a backend behind every check that a backend may leave out.

Measurements use backends as they are: there the core makes all batches and states itself. This is for callers
who make their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchsuite.contracts.backend import (
    Backend,
    Device,
    Gradients,
    Parameters,
    Program,
    State,
    StepLog,
)
from benchsuite.contracts.batch import NO_TARGETS, Batch
from benchsuite.contracts.batch_checks import CLASSES, check_batch
from benchsuite.contracts.checks import check_parameters, check_state, execution_problem
from benchsuite.contracts.compilation import Compilation
from benchsuite.contracts.decoding import Decoding
from benchsuite.contracts.executions import why_unsupported
from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import BEST_UNROLL, Execution, ModelSpec, Recipe


@dataclass(frozen=True)
class _Owned:
    """What a program made, the rows it has, and, of a batch, whether it came with targets."""

    owner: Program
    inner: object
    rows: int
    targets: bool = True


class CheckedProgram(Program):
    """`program` behind checks: every error is a ContractError that says what was given and what is allowed."""

    def __init__(self, program: Program, model: ModelSpec, dtype: str) -> None:
        self._program, self._model, self._dtype = program, model, dtype
        self._stepped = False

    def place(self, batch: Batch) -> object:
        """A batch without targets (NO_TARGETS) can be given to predict(), outputs() and decoding(), but where a
        decoder is fed its targets."""
        targets = batch.targets is not NO_TARGETS
        if not targets:
            check_batch(self._model, batch, self._dtype, targets=False)
            batch = _with_zeros(self._model, batch, self._dtype)
        else:
            check_batch(self._model, batch, self._dtype)
        return _Owned(self, self._program.place(batch), batch.size, targets)

    def step(self, placed: object, state: State | None = None) -> State | None:
        batch = self._batch(placed, "step()")
        final = self._program.step(batch.inner, self._state(state, batch))
        self._stepped = True
        return self._own(final, batch)

    def predict(self, placed: object, state: State | None = None) -> tuple[np.ndarray, State | None]:
        batch = self._batch(placed, "predict()", self._model.decoder is not None)
        scores, final = self._program.predict(batch.inner, self._state(state, batch))
        return scores, self._own(final, batch)

    def outputs(self, placed: object, state: State | None = None) -> dict[str, np.ndarray]:
        batch = self._batch(placed, "outputs()", self._model.decoder is not None)
        return self._program.outputs(batch.inner, self._state(state, batch))

    def gradients(self, placed: object) -> Gradients:
        return self._program.gradients(self._batch(placed, "gradients()").inner)

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> Decoding:
        return self._program.decoding(self._batch(placed, "decoding()", False).inner, width, aligned)

    def make_state(self, values: Mapping[str, np.ndarray]) -> State:
        rows = check_state(self._model, values)
        return _Owned(self, self._program.make_state(values), rows)

    def read_state(self, state: State) -> dict[str, np.ndarray]:
        if not isinstance(state, _Owned) or state.owner is not self:
            raise ContractError("read_state() takes a state that this program returned or made")
        return self._program.read_state(state.inner)

    def parameters(self) -> Parameters:
        return self._program.parameters()

    def load_parameters(self, parameters: Parameters) -> None:
        check_parameters(self._model, parameters)
        self._program.load_parameters(parameters)

    def drain(self) -> StepLog:
        return self._program.drain()

    def synchronize(self) -> None:
        self._program.synchronize()

    def kernel(self) -> str:
        if not self._stepped:
            raise ContractError("kernel() names what ran in a step: take one first")
        return self._program.kernel()

    def memory(self) -> dict[str, int]:
        return self._program.memory()

    def notes(self) -> dict[str, str]:
        return self._program.notes()

    def compilations(self) -> Sequence[Compilation]:
        return self._program.compilations()

    def _batch(self, placed: object, call: str, targets: bool = True) -> _Owned:
        if not isinstance(placed, _Owned) or placed.owner is not self:
            raise ContractError(
                f"{call} takes what place() of the same program returned, not {_name(placed)}"
            )
        if targets and not placed.targets:
            raise ContractError(f"{call} needs targets, and the batch was placed without")
        return placed

    def _state(self, state: State | None, batch: _Owned) -> State | None:
        if state is None:
            return None
        if not isinstance(state, _Owned) or state.owner is not self:
            raise ContractError(
                f"a state is None, or what this program's step(), predict() or make_state() returned, not "
                f"{_name(state)}"
            )
        if state.rows != batch.rows:
            raise ContractError(f"a state of {state.rows} rows was given with a batch of {batch.rows}")
        return state.inner

    def _own(self, state: State | None, batch: _Owned) -> State | None:
        return None if state is None else _Owned(self, state, batch.rows)


def _name(thing: object) -> str:
    return "that of another program" if isinstance(thing, _Owned) else type(thing).__name__


def _with_zeros(model: ModelSpec, batch: Batch, dtype: str) -> Batch:
    """`batch` with targets that place() takes and that nothing reads."""
    if model.has_sequence_targets:
        ones = np.ones(batch.size, np.int32)
        return replace(batch, targets=ones[:, None], target_lengths=ones)
    shape: tuple[int, ...] = (batch.size, batch.time) if model.readout == "steps" else (batch.size,)
    if model.loss in CLASSES:
        return replace(batch, targets=np.zeros(shape, np.int32))
    return replace(batch, targets=np.zeros((*shape, model.head.outputs), dtype))


class CheckedBackend(Backend):
    """`backend` behind checks. build() raises UnsupportedError for what cannot be run, and ContractError for
    parameters that do not fit."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def devices(self) -> list[Device]:
        return self._backend.devices()

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return why_unsupported(self._backend, model, recipe, execution)

    def choices(
        self, model: ModelSpec, recipe: Recipe, execution: Execution
    ) -> Mapping[str, tuple[str, ...]]:
        return self._backend.choices(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> CheckedProgram:
        if reason := self.supports(model, recipe, execution):
            raise UnsupportedError(reason)
        if execution.unroll == BEST_UNROLL:
            raise UnsupportedError("unroll best is of trials, which measure what is best; name an unroll")
        check_parameters(model, parameters)
        built = self._backend.build(model, parameters, recipe, execution)
        return CheckedProgram(built, model, execution.dtype)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        if reason := execution_problem(execution):
            raise UnsupportedError(reason)
        return self._backend.product(m, k, n, execution)

    def release(self) -> None:
        self._backend.release()

    def versions(self) -> dict[str, str]:
        return self._backend.versions()
