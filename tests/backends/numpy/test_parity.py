"""The NumPy backend against the reference, on every axis, at both precisions and in both unrolls."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fixtures.numpy_cases import ARCHITECTURES, LENGTHS, LOSSES_AND_READOUTS, batch, model, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Program
from benchsuite.measure.conformance.cases import (
    Case,
    carry_cases,
    decoder_cases,
    model_cases,
    training_cases,
    truncation_cases,
)
from benchsuite.measure.parity import compare, in_double, parameter_drift, relative_error
from benchsuite.schema import BUILTIN_CELLS, Execution, Recipe
from benchsuite.schema.thresholds import TOLERANCES
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_numpy.runtime import gpu_problem

DOUBLE = Execution(precision="float64")
UNROLLS = ["dynamic", "static"]
PRECISIONS = ["float64", "float32"]


def execution(unroll: str, precision: str) -> Execution:
    return Execution.model_validate({"unroll": unroll, "precision": precision})


def both(case: Case, unroll: str, precision: str) -> tuple[Program, Program]:
    """The NumPy program and the reference, from the same weights."""
    ran = execution(unroll, precision)
    return (
        NumpyBackend().build(case.model, case.parameters(ran.dtype), case.recipe, ran),
        ReferenceBackend().build(case.model, case.parameters("float64"), case.recipe, DOUBLE),
    )


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


ONE_PASS = model_cases() + truncation_cases() + decoder_cases()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("case", ONE_PASS, ids=names(ONE_PASS))
def test_gradients(case: Case, unroll: str, precision: str) -> None:
    program, reference = both(case, unroll, precision)
    data = case.batch(execution(unroll, precision).dtype)
    placed = program.place(data)
    found = program.gradients(placed)
    comparison = compare(found, reference.gradients(in_double(data)), precision)
    assert comparison.ok, comparison.sentence()
    np.testing.assert_array_equal(program.predict(placed)[0], found.predictions)
    assert {value.dtype.name for value in found.parameters.values()} == {data_dtype(precision)}


def data_dtype(precision: str) -> str:
    return execution("dynamic", precision).dtype


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_every_head_loss_readout_input_and_length(cell: str, architecture: str, unroll: str) -> None:
    for head, (loss, readout), inputs, (pattern, lengths) in itertools.product(
        ["dense", "rbf"], LOSSES_AND_READOUTS, ["features", "tokens"], LENGTHS.items()
    ):
        spec = model(cell, architecture, head, loss, readout, inputs)
        data = batch(spec, lengths, time=max(lengths) + 1)
        fast = NumpyBackend().build(spec, parameters(spec), Recipe(), execution(unroll, "float64"))
        plain = ReferenceBackend().build(spec, parameters(spec), Recipe(), DOUBLE)
        comparison = compare(fast.gradients(fast.place(data)), plain.gradients(data), "float64")
        assert comparison.ok, (head, loss, readout, inputs, pattern, comparison.sentence())


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    architecture=st.sampled_from(list(ARCHITECTURES)),
    readout=st.sampled_from(["last", "mean", "steps"]),
    truncation=st.sampled_from([None, 1, 2, 5]),
    unroll=st.sampled_from(UNROLLS),
    hidden=st.integers(1, 5),
)
def test_any_lengths(
    cell: str,
    lengths: list[int],
    architecture: str,
    readout: str,
    truncation: int | None,
    unroll: str,
    hidden: int,
) -> None:
    spec = model(cell, architecture, readout=readout, hidden=hidden)
    data, recipe = batch(spec, lengths), Recipe(truncation=truncation)
    fast = NumpyBackend().build(spec, parameters(spec), recipe, execution(unroll, "float64"))
    plain = ReferenceBackend().build(spec, parameters(spec), recipe, DOUBLE)
    comparison = compare(fast.gradients(fast.place(data)), plain.gradients(data), "float64")
    assert comparison.ok, comparison.sentence()


@pytest.mark.parametrize("inputs", ["features", "tokens"])
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_batches_wide_and_narrow(cell: str, inputs: str) -> None:
    """Steps of 130 rows take products of their own, the last ones of a few rows are gathered."""
    spec = model(cell, "deep", inputs=inputs)
    lengths = np.random.default_rng(0).integers(1, 13, 130).tolist()
    data = batch(spec, lengths)
    fast = NumpyBackend().build(spec, parameters(spec), Recipe(), DOUBLE)
    plain = ReferenceBackend().build(spec, parameters(spec), Recipe(), DOUBLE)
    comparison = compare(fast.gradients(fast.place(data)), plain.gradients(data), "float64")
    assert comparison.ok, comparison.sentence()


def run(program: Program, case: Case, dtype: str, steps: int) -> None:
    state = None
    for index in range(steps):
        state = program.step(program.place(case.batch(dtype, index % 3)), state)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("case", carry_cases(), ids=names(carry_cases()))
def test_streams(case: Case, unroll: str, precision: str) -> None:
    fast, plain = both(case, unroll, precision)
    run(fast, case, data_dtype(precision), 6)
    run(plain, case, "float64", 6)
    allowed = TOLERANCES[precision]
    assert relative_error(fast.drain().loss, plain.drain().loss) < allowed.loss_10
    assert max(parameter_drift(fast.parameters(), plain.parameters()).values()) < allowed.drift_50
    run(fast, case, data_dtype(precision), 1)
    run(plain, case, "float64", 1)
    assert relative_error(fast.drain().loss, plain.drain().loss) < allowed.loss_10


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", training_cases(), ids=names(training_cases()))
def test_ten_steps_of_training(case: Case, precision: str) -> None:
    fast, plain = both(case, "dynamic", precision)
    run(fast, case, data_dtype(precision), 10)
    run(plain, case, "float64", 10)
    found, expected, allowed = fast.drain(), plain.drain(), TOLERANCES[precision]
    assert relative_error(found.loss, expected.loss) < allowed.loss_10
    for ours, theirs in ((found.norm, expected.norm), (found.peak, expected.peak)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3 if precision == "float32" else 1e-10)


CLIPPED = [case for case in training_cases() if case.recipe.clip != "none"]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CLIPPED, ids=names(CLIPPED))
def test_fifty_clipped_steps_of_training(case: Case, precision: str) -> None:
    fast, plain = both(case, "dynamic", precision)
    run(fast, case, data_dtype(precision), 50)
    run(plain, case, "float64", 50)
    allowed = TOLERANCES[precision]
    assert relative_error(fast.drain().loss, plain.drain().loss) < allowed.loss_50
    assert max(parameter_drift(fast.parameters(), plain.parameters()).values()) < allowed.drift_50


@pytest.mark.gpu
@pytest.mark.skipif(gpu_problem(0) is not None, reason=str(gpu_problem(0)))
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_same_kernels_on_a_gpu(precision: str) -> None:
    ran = Execution.model_validate({"device": "gpu", "precision": precision})
    for case in ONE_PASS:
        program = NumpyBackend().build(case.model, case.parameters(ran.dtype), case.recipe, ran)
        data = case.batch(ran.dtype)
        expected = both(case, "dynamic", precision)[1].gradients(in_double(data))
        comparison = compare(program.gradients(program.place(data)), expected, precision)
        assert comparison.ok, (case.name, comparison.sentence())
    for case in training_cases():
        program = NumpyBackend().build(case.model, case.parameters(ran.dtype), case.recipe, ran)
        reference = both(case, "dynamic", precision)[1]
        run(program, case, ran.dtype, 10)
        run(reference, case, "float64", 10)
        error = relative_error(program.drain().loss, reference.drain().loss)
        assert error < TOLERANCES[precision].loss_10, case.name
