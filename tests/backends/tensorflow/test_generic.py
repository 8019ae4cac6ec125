"""Cells that TensorFlow has no kernel for run by their own code: parity with kernels and with the reference."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.cell_cases import case_of, with_resets
from fixtures.cell_checks import (
    check_decoder,
    check_generic_form,
    check_resets,
    check_stream,
    check_wide_padding,
)
from fixtures.cells import EXAMPLE_CELLS, entry, registered
from fixtures.covering import covering

pytest.importorskip("tensorflow")

from fixtures.tensorflow_kit import kit

from benchsuite.errors import ContractError
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.parity import relative_error
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent
from benchsuite.schema.cells import Cell, CellParameter, glorot

pytestmark = pytest.mark.usefixtures("example_cells", "plain_graphs")

KERNELS = {"static": "unrolled", "dynamic": "while_loop"}


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
def test_built_in_cells_without_their_kernels_are_at_parity(name: str, unroll: str, precision: str) -> None:
    cell, _, stack = name.partition("-")
    program = check_generic_form(kit(unroll, precision), case_of(cell, stack))
    assert program.kernel() == KERNELS[unroll]
    assert program.notes()["cell"] == "generic"


@pytest.mark.parametrize("cell", ["steadied", "opening", "lstm_generic"])
def test_streams_go_on_from_their_states(cell: str) -> None:
    check_stream(kit(), case_of(cell, "deep-carry-ragged"))


@pytest.mark.parametrize(
    ("cell", "attention"),
    covering(
        ["gru_generic", "lstm_generic", "rnn_generic"],
        ["additive-plain", "none-deep", "multiplicative-plain"],
    ),
)
def test_decoders(cell: str, attention: str) -> None:
    check_decoder(kit(), case_of(cell, attention))


@pytest.mark.parametrize(
    ("cell", "name", "unroll"),
    covering(
        tuple(EXAMPLE_CELLS), [("deep_bidirectional-truncated", "dynamic"), ("additive-deep", "static")]
    ),
)
def test_any_cell_is_at_parity_whatever_the_padding_holds(cell: str, name: str, unroll: str) -> None:
    check_wide_padding(kit(unroll), case_of(cell, name), 3)


@pytest.mark.parametrize("cell", ["steadied", "shown", "opening"])
def test_any_cell_in_single_precision(cell: str) -> None:
    checks.check_gradients(kit(precision="float32"), case_of(cell, "plain-steps"))


@pytest.mark.parametrize(
    ("cell", "unroll"),
    [("lstm", "dynamic"), ("gru", "static"), ("steadied", "dynamic"), ("opening", "static")],
)
def test_resets(cell: str, unroll: str) -> None:
    assert check_resets(kit(unroll), case_of(cell, "deep-steps")).kernel() == KERNELS[unroll]


def test_a_state_that_is_passed_in_does_not_begin() -> None:
    """Of a cell whose first step differs: the initial values, passed in, are not the row's first step."""
    case = case_of("opening", "plain-steps")
    program = kit().build(case)
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
        missing: dict[str, Any] = {}
        broken: dict[str, Callable[[], Any]] = {
            "operation": lambda: (xp.erf(after),),
            "parts": lambda: (after, after),
            "shape": lambda: (xp.concat([after, after]),),
            "python": lambda: (after / missing["missing"],),
        }
        return broken[self.fault]()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("operation", "uses the operation 'erf', which not every backend has"),
        ("parts", r"step\(\): gave 2 parts, must give 1"),
        ("shape", r"step\(\): gave the shape \(7, 12\), must be \(rows, 6\)"),
        ("python", r"step\(\): KeyError: 'missing'"),
    ],
)
def test_errors_name_the_cell(fault: str, message: str) -> None:
    kind = type("Broken", (Failing,), {"fault": fault})
    with registered(entry("broken", kind)):
        case = Case("broken", ModelSpec(Features(5), Recurrent("broken", 6), Dense(4), "cross_entropy"))
        program = kit().build(case)
        with pytest.raises(ContractError, match=f"cell 'broken': .*{message}"):
            program.predict(program.place(case.batch("float64")))


def test_no_fused_kernel() -> None:
    from benchsuite_tensorflow.support import SUPPORTED

    fused = Execution(unroll="fused", device="gpu")
    reason = SUPPORTED.declines(case_of("shown", "plain").model, Recipe(), fused)
    assert "under unroll fused has no cell 'shown'" in str(reason)
    assert "it has lstm, gru; use unroll dynamic or static" in str(reason)
    reset, _ = with_resets(case_of("gru", "plain"))
    reason = SUPPORTED.declines(reset.model, Recipe(), fused)
    assert "has no resets" in str(reason)
    assert "use unroll dynamic or static" in str(reason)
    assert kit().backend.supports(reset.model, Recipe(), Execution(unroll="fused"))


def test_one_trace_serves_every_length_and_its_graph_is_released() -> None:
    def graphs() -> int:
        gc.collect()
        return sum(type(one).__name__.endswith("FuncGraph") for one in gc.get_objects())

    backend = kit().backend
    backend.release()
    before = graphs()
    case = case_of("steadied", "plain")
    program = kit().build(case)
    for time in (3, 5, 4):
        program.step(program.place(replace(case, time=time).batch("float64")))
    assert program.notes()["tensorflow/traces"] == "step 1"
    del program
    backend.release()
    assert graphs() <= before
