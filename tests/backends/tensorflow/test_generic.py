"""Cells that TensorFlow has no kernel for run by their own code: parity with kernels and with the reference."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.cell_cases import case_of, with_resets
from fixtures.cells import EXAMPLE_CELLS, entry, example_cells, registered  # noqa: F401

from benchsuite.contracts import Backend, Program
from benchsuite.errors import ContractError
from benchsuite.measure.conformance.cases import (
    Case,
    carry_cases,
    decoder_cases,
    model_cases,
    padded,
    truncation_cases,
)
from benchsuite.measure.decoding import greedy_search
from benchsuite.measure.parity import compare, in_double, relative_error
from benchsuite.plugins import registry
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent
from benchsuite.schema.cells import Cell, CellParameter, glorot

pytestmark = pytest.mark.usefixtures("example_cells")

CASES = {case.name: case for case in [*model_cases(), *truncation_cases(), *decoder_cases(), *carry_cases()]}
DOUBLE = Execution(precision="float64")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    found = registry().backend("tensorflow").load()
    yield found
    found.release()


@pytest.fixture(scope="module")
def reference() -> Backend:
    return registry().reference().load_reference()


def with_cell(model: ModelSpec, cell: str) -> ModelSpec:
    """The model with another cell, in its decoder as well."""
    assert isinstance(model.body, Recurrent)
    decoder = model.decoder and replace(model.decoder, body=replace(model.decoder.body, cell=cell))
    return replace(model, body=replace(model.body, cell=cell), decoder=decoder)


def generic(case: Case) -> Case:
    """The case with the same cell under a name that no kernel has."""
    assert isinstance(case.model.body, Recurrent)
    return replace(case, model=with_cell(case.model, f"{case.model.body.cell}_generic"))


def built(backend: Backend, case: Case, execution: Execution = DOUBLE) -> Program:
    return backend.build(case.model, case.parameters(execution.dtype), case.recipe, execution)


@pytest.mark.parametrize(
    ("name", "unroll", "precision"),
    [
        ("lstm-deep_bidirectional-truncated", "dynamic", "float64"),
        ("gru-bidirectional-tokens-mean", "static", "float64"),
        ("rnn-steps-truncated", "static", "float64"),
        ("lstm-deep-steps", "dynamic", "float32"),
        ("lstm-none-deep", "dynamic", "float64"),
        ("gru-additive-deep_bidirectional", "dynamic", "float64"),
        ("lstm-additive-plain-one-row", "static", "float64"),
        ("rnn-multiplicative-plain-truncated", "dynamic", "float64"),
        ("rnn-plain-ctc", "dynamic", "float64"),
        ("gru-one-step", "dynamic", "float64"),
    ],
)
def test_built_in_cells_without_their_kernels_are_at_parity(
    backend: Backend, reference: Backend, name: str, unroll: str, precision: str
) -> None:
    case, execution = CASES[name], Execution.model_validate({"unroll": unroll, "precision": precision})
    ours, theirs = built(backend, generic(case), execution), built(reference, case)
    batch = case.batch(execution.dtype)
    placed, expected = ours.place(batch), theirs.place(in_double(batch))
    found = ours.gradients(placed)
    assert compare(found, theirs.gradients(expected), precision).breaches == []
    assert ours.kernel() == {"static": "unrolled", "dynamic": "while_loop"}[unroll]
    assert ours.notes()["cell"] == "generic"
    for prefix, h in theirs.outputs(expected).items():
        assert relative_error(ours.outputs(placed)[prefix], h) < 1e-5, prefix


@pytest.mark.parametrize("name", ["lstm-deep-carry-ragged", "gru-plain-carry"])
def test_states_are_carried_and_read_by_name(backend: Backend, name: str) -> None:
    programs = [built(backend, case) for case in (CASES[name], generic(CASES[name]))]
    states: list[Any] = [None, None]
    for index in range(3):
        batch = CASES[name].batch("float64", index)
        states = [
            program.step(program.place(batch), state) for program, state in zip(programs, states, strict=True)
        ]
    kernel, ours = (p.read_state(state) for p, state in zip(programs, states, strict=True))
    assert list(ours) == list(kernel)
    for part in kernel:
        assert relative_error(ours[part], kernel[part]) < 1e-12, part
    again = programs[1].make_state(ours)
    placed = programs[1].place(CASES[name].batch("float64", 3))
    assert np.array_equal(programs[1].predict(placed, again)[0], programs[1].predict(placed, states[1])[0])


@pytest.mark.parametrize("name", ["gru-additive-plain", "lstm-none-deep", "rnn-multiplicative-plain"])
def test_generation(backend: Backend, name: str) -> None:
    case = CASES[name]
    assert case.model.decoder is not None
    found = []
    for each in (case, generic(case)):
        program = built(backend, each)
        placed = program.place(case.batch("float64"))
        found.append(greedy_search(program, placed, case.model.decoder, case.rows))
    assert np.array_equal(found[0].tokens, found[1].tokens)
    np.testing.assert_allclose(found[0].score, found[1].score, rtol=1e-13)


@pytest.mark.parametrize("cell", EXAMPLE_CELLS)
@pytest.mark.parametrize(
    ("name", "unroll"), [("deep_bidirectional-truncated", "dynamic"), ("additive-deep", "static")]
)
def test_any_cell_is_at_parity_whatever_the_padding_holds(
    backend: Backend, reference: Backend, cell: str, name: str, unroll: str
) -> None:
    """Large numbers in more padding than there was, where the batch is not a decoder's."""
    case, execution = (
        case_of(cell, name),
        Execution.model_validate({"unroll": unroll, "precision": "float64"}),
    )
    ours, theirs = built(backend, case, execution), built(reference, case)
    batch = case.batch("float64")
    if case.model.decoder is None:
        batch = padded(batch, 3, (1e3, 0, 0))
    placed, expected = ours.place(batch), theirs.place(batch)
    assert compare(ours.gradients(placed), theirs.gradients(expected), "float64").breaches == []
    for prefix, y in theirs.outputs(expected).items():
        assert relative_error(ours.outputs(placed)[prefix], y) < 1e-13, prefix


@pytest.mark.parametrize("cell", ["steadied", "shown", "opening"])
def test_any_cell_in_single_precision(backend: Backend, reference: Backend, cell: str) -> None:
    case = case_of(cell, "plain-steps")
    ours, theirs = built(backend, case, Execution()), built(reference, case)
    batch = case.batch("float32")
    found = ours.gradients(ours.place(batch))
    assert compare(found, theirs.gradients(theirs.place(in_double(batch))), "float32").breaches == []


@pytest.mark.parametrize(
    ("cell", "unroll"),
    [("lstm", "dynamic"), ("gru", "static"), ("steadied", "dynamic"), ("opening", "static")],
)
def test_resets(backend: Backend, reference: Backend, cell: str, unroll: str) -> None:
    """Cells that have a kernel run without it, since a kernel sets no state between its steps."""
    case, batch = with_resets(case_of(cell, "deep-steps"))
    execution = Execution.model_validate({"unroll": unroll, "precision": "float64"})
    ours, theirs = built(backend, case, execution), built(reference, case)
    placed, expected = ours.place(batch), theirs.place(batch)
    assert compare(ours.gradients(placed), theirs.gradients(expected), "float64").breaches == []
    for prefix, y in theirs.outputs(expected).items():
        assert relative_error(ours.outputs(placed)[prefix], y) < 1e-13, prefix
    assert ours.notes()["cell"] == "generic"
    assert ours.kernel() == {"static": "unrolled", "dynamic": "while_loop"}[unroll]


def test_a_state_that_is_passed_in_does_not_begin(backend: Backend) -> None:
    """Of a cell whose first step differs: the initial values, passed in, are not the row's first step."""
    case = case_of("opening", "plain-steps")
    program = built(backend, case)
    placed = program.place(case.batch("float64"))
    zero = program.make_state({"rnn.l0.fwd.h": np.zeros((case.rows, 6))})
    fresh, carried = program.outputs(placed), program.outputs(placed, zero)
    w, x = case.parameters("float64"), case.batch("float64").inputs[:, 0]
    first = x @ w["rnn.l0.fwd.W"]
    a = 1 / (1 + np.exp(-w["rnn.l0.fwd.r"]))
    assert relative_error(fresh["rnn.l0.fwd"][:, 0], first) < 1e-14
    assert relative_error(carried["rnn.l0.fwd"][:, 0], first * np.sqrt(1 - a**2)) < 1e-14


class Failing(Cell):
    """Breaks the rule that `fault` names."""

    fault = "operation"

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {"W": CellParameter((inputs, hidden), glorot)}

    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:  # noqa: ARG002
        after = u @ w["W"] + h
        return {
            "operation": lambda: (xp.erf(after),),
            "parts": lambda: (after, after),
            "shape": lambda: (xp.concat([after, after]),),
            "python": lambda: (after / {}["missing"],),
        }[self.fault]()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("operation", "uses the operation 'erf', which not every backend has"),
        ("parts", r"step\(\): gave 2 parts, must give 1"),
        ("shape", r"step\(\): gave the shape \(7, 12\), must be \(rows, 6\)"),
        ("python", r"step\(\): KeyError: 'missing'"),
    ],
)
def test_errors_name_the_cell(backend: Backend, fault: str, message: str) -> None:
    kind = type("Broken", (Failing,), {"fault": fault})
    with registered(entry("broken", kind)):
        case = Case("broken", ModelSpec(Features(5), Recurrent("broken", 6), Dense(4), "cross_entropy"))
        program = built(backend, case)
        with pytest.raises(ContractError, match=f"cell 'broken': .*{message}"):
            program.predict(program.place(case.batch("float64")))


def test_no_fused_kernel(backend: Backend) -> None:
    from benchsuite_tensorflow.support import SUPPORTED

    fused = Execution(unroll="fused", device="gpu")
    reason = SUPPORTED.declines(case_of("shown", "plain").model, Recipe(), fused)
    assert "under unroll fused has no cell 'shown'" in str(reason)
    assert "it has lstm, gru; use unroll dynamic or static" in str(reason)
    reset, _ = with_resets(case_of("gru", "plain"))
    reason = SUPPORTED.declines(reset.model, Recipe(), fused)
    assert "has no resets" in str(reason)
    assert "use unroll dynamic or static" in str(reason)
    assert backend.supports(reset.model, Recipe(), Execution(unroll="fused"))


def test_one_trace_serves_every_length_and_its_graph_is_released(backend: Backend) -> None:
    def graphs() -> int:
        gc.collect()
        return sum(type(one).__name__.endswith("FuncGraph") for one in gc.get_objects())

    backend.release()
    before = graphs()
    case = case_of("steadied", "plain")
    program = built(backend, case)
    for time in (3, 5, 4):
        program.step(program.place(replace(case, time=time).batch("float64")))
    assert program.notes()["tensorflow/traces"] == "step 1"
    del program
    backend.release()
    assert graphs() <= before
