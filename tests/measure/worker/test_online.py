"""Online inference: one time step per call, each from the state of the call before."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.tiny import sign_batcher, sign_data, sign_model, trial

from benchsuite.contracts import Backend, Batch, Parameters
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.worker.measuring import Speed, timing_batches
from benchsuite.measure.worker.online import measure_online
from benchsuite.plugins import registry
from benchsuite.schema import (
    Convolutional,
    Dense,
    Execution,
    Features,
    ModelSpec,
    Protocol,
    Recipe,
    Recurrent,
    Trial,
)
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram

CALLS = 30
ASKED = Protocol(rounds=1, round_seconds=1e-4, warmup_seconds=1e-4, online=CALLS)
DOUBLE = {"precision": "float64"}


class Watched(ReferenceProgram):
    """Counts the calls for one step of one row, and whether they were given a state."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.single: list[bool] = []

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        if placed.inputs.shape[:2] == (1, 1):
            self.single.append(state is not None)
        return super().predict(placed, state)


class Forgetful(ReferenceProgram):
    """Starts at zero whatever state it is given."""

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        _, after = super().predict(placed, state)
        return super().predict(placed, None)[0], after


class Watching(ReferenceBackend):
    made: list[Any]
    kind: type[ReferenceProgram] = Watched

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> ReferenceProgram:
        program = self.kind(model, parameters, recipe, execution.precision)
        self.made = [*getattr(self, "made", []), program]
        return program


def measured(model: ModelSpec, one: Trial, backend: Backend | None = None) -> tuple[Speed, str, Batch]:
    data = sign_data()
    batch = timing_batches(trial(), sign_batcher(data), data.train, model)[0]
    if model.readout == "steps":
        batch = replace(batch, targets=np.zeros((batch.size, batch.time), np.int32))
    trained = (backend or ReferenceBackend()).build(
        model, initial_parameters(model, 0, "float64"), one.recipe, one.execution
    )
    found = measure_online(backend or ReferenceBackend(), trained, model, one.recipe, one, batch)
    return (*found, batch)


@pytest.mark.parametrize("readout", ["last", "steps"])
def test_each_call_is_one_step_from_the_state_before(readout: Any) -> None:
    backend, model = Watching(), replace(sign_model(), readout=readout)
    found, problem, batch = measured(model, trial(protocol=ASKED, execution=DOUBLE), backend)
    assert problem == ""
    quantiles = [found.scalars[f"speed/online_p{share}_seconds"] for share in (50, 95, 99)]
    assert 0 < quantiles[0] <= quantiles[1] <= quantiles[2]
    (series,) = found.series
    assert len(series.y) == CALLS
    assert quantiles[0] == pytest.approx(float(np.median(series.y)))
    with_state = backend.made[1].single
    assert len(with_state) > CALLS
    assert with_state.count(False) <= 3 + CALLS // int(batch.lengths[0])


def test_a_program_that_carries_is_used_as_it_is() -> None:
    backend = Watching()
    _, problem, _ = measured(
        sign_model(), trial(protocol=ASKED, execution=DOUBLE, recipe={"carry": True}), backend
    )
    assert problem == ""
    assert len(backend.made[0].single) > CALLS


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (Recurrent("gru", 4, bidirectional=True), "backward layer"),
        (Convolutional(4, 3), "whole picture"),
    ],
)
def test_what_needs_the_whole_sequence_is_not_measured_and_says_so(body: Any, said: str) -> None:
    found, problem, _ = measured(replace(sign_model(), body=body), trial(protocol=ASKED, execution=DOUBLE))
    assert said in problem
    assert not found.scalars


def test_a_program_that_forgets_its_state_is_not_timed() -> None:
    backend = Watching()
    backend.kind = Forgetful
    found, problem, _ = measured(sign_model(), trial(protocol=ASKED, execution=DOUBLE), backend)
    assert "the scores differ by" in problem
    assert not found.scalars


@pytest.mark.parametrize("unroll", ["dynamic", "scan"])
@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "tensorflow"])
def test_what_scans_in_training_still_takes_one_step_at_a_time(name: str, unroll: str) -> None:
    entry = registry().backend(name)
    if any(importlib.util.find_spec(needed) is None for needed in entry.requirements):
        pytest.skip(f"{name} is not installed")
    backend = entry.load()
    execution = Execution.model_validate({"unroll": unroll})
    model = ModelSpec(Features(2), Recurrent("mingru", 4), Dense(2), "cross_entropy")
    one = trial(backend=name, cell="mingru", protocol=ASKED, execution=execution)
    made = backend.build(model, initial_parameters(model, 0, "float32"), one.recipe, execution)
    data = sign_data()
    batch = timing_batches(one, sign_batcher(data, dtype="float32"), data.train, model)[0]
    found, problem = measure_online(backend, made, model, one.recipe, one, batch)
    assert problem == ""
    assert found.scalars["speed/online_p50_seconds"] > 0
