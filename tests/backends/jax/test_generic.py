"""Cells of plugins in JAX: the built-in ones by their own step, and example cells, against the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from fixtures.cell_cases import case_of
from fixtures.cell_checks import check_decoder, check_generic_form, check_reading, check_resets, check_stream
from fixtures.cells import EXAMPLE_CELLS, GENERIC_CELLS, entry, registered
from fixtures.covering import covering

jax = pytest.importorskip("jax")

from fixtures.jax_kit import kit  # noqa: E402

from benchsuite.errors import ContractError  # noqa: E402
from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.conformance.cases import Case  # noqa: E402
from benchsuite.schema import Execution, Features, Recipe, cell_named  # noqa: E402
from benchsuite.schema.cells import BUILTIN_CELLS, Cell, Operations, States, Weights  # noqa: E402
from benchsuite.schema.cells.cell import Array  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_jax.support import SUPPORTED  # noqa: E402

pytestmark = pytest.mark.usefixtures("example_cells", "double_precision")
EXAMPLES = ("decay", "rotation", "steadied", "shown", "opening")
STACKS = ("plain-steps", "deep_bidirectional", "bidirectional-tokens-mean", "plain")
UNROLLS = ("dynamic", "static")


def short(case: Case, unroll: str) -> Case:
    """An unrolled graph of few steps, one more than a boundary of truncation: compiling it takes long."""
    return replace(case, time=5) if unroll == "static" else case


def test_the_examples_are_all_tried() -> None:
    assert set(EXAMPLES) == set(EXAMPLE_CELLS)


@pytest.mark.parametrize(
    ("cell", "stack", "unroll"),
    covering(
        BUILTIN_CELLS,
        [*product(("plain-steps", "deep_bidirectional", "bidirectional-truncated"), UNROLLS)],
    ),
)
def test_built_in_cells_without_their_kernels_are_at_parity(cell: str, stack: str, unroll: str) -> None:
    program = check_generic_form(kit(unroll), short(case_of(cell, stack), unroll))
    assert program.kernel() == {"static": "unrolled", "dynamic": "scan"}[unroll]


@pytest.mark.parametrize(("cell", "stack"), covering(EXAMPLES, STACKS))
def test_examples_agree_with_the_reference(cell: str, stack: str) -> None:
    checks.check_gradients(kit(), case_of(cell, stack))


@pytest.mark.parametrize("cell", [*EXAMPLES, *GENERIC_CELLS])
def test_cells_agree_with_the_reference_in_single_precision(cell: str) -> None:
    checks.check_gradients(kit(precision="float32"), case_of(cell, "deep_bidirectional"))


@pytest.mark.parametrize(
    ("cell", "stack", "unroll"),
    covering(
        EXAMPLES,
        [
            ("bidirectional-tagging", "static"),
            ("steps-truncated", "dynamic"),
            ("bidirectional-truncated", "dynamic"),
        ],
    ),
)
def test_an_unrolled_graph_and_truncation(cell: str, stack: str, unroll: str) -> None:
    checks.check_gradients(kit(unroll), short(case_of(cell, stack), unroll))


@pytest.mark.parametrize("cell", ["steadied", "opening", "rotation"])
def test_padding_and_companions_change_nothing(cell: str) -> None:
    check_reading(kit(), case_of(cell, "deep_bidirectional"))


@pytest.mark.parametrize("cell", ["steadied", "opening", "rotation", "lstm_generic"])
def test_streams_go_on_from_their_states(cell: str) -> None:
    check_stream(kit(), case_of(cell, "deep-carry-ragged"))


@pytest.mark.parametrize(
    ("cell", "unroll"), covering(["steadied", "opening", "shown", "lstm", "gru", "rnn"], UNROLLS)
)
def test_resets(cell: str, unroll: str) -> None:
    check_resets(kit(unroll), short(case_of(cell, "deep-truncated"), unroll))


@pytest.mark.parametrize(
    ("cell", "attention"),
    covering(
        ["steadied", "opening", "rotation", "gru_generic"],
        ["none-deep", "additive-deep", "multiplicative-plain-truncated"],
    ),
)
def test_decoders(cell: str, attention: str) -> None:
    check_decoder(kit(), case_of(cell, attention))


def test_a_record_says_that_the_cell_is_generic() -> None:
    notes = {}
    for cell in ("lstm", "lstm_generic"):
        case = case_of(cell, "plain")
        notes[cell] = kit().build(case).notes()
    assert notes["lstm_generic"]["cell"] == "generic"
    assert "jax differentiates" in notes["lstm_generic"]["backward"]
    assert "cell" not in notes["lstm"]


def test_fused_declines_a_plugins_cell() -> None:
    model = replace(case_of("decay", "plain").model, input=Features(3))
    reason = SUPPORTED.declines(model, Recipe(), Execution(unroll="fused", device="gpu"))
    assert reason == (
        "the jax backend under unroll fused has no cell 'decay' (jax's only fused recurrent kernel is cuDNN's "
        "LSTM); it has lstm; use unroll dynamic"
    )
    assert JaxBackend().supports(model, Recipe(), Execution(unroll="fused"))


class Wrong(type(cell_named("rnn"))):  # type: ignore[misc]
    """An rnn whose step is `wrong`."""

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:  # noqa: ARG002
        return self.wrong(xp, u, h)  # type: ignore[no-any-return]


def wrong(step: Callable[..., Any]) -> type[Cell]:
    return type("WrongCell", (Wrong,), {"wrong": staticmethod(step)})


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda xp, u, _h: (xp.erf(u),), "cell 'wrong': step(): a cell uses the operation 'erf'"),
        (lambda _xp, u, _h: (u[:1],), r"cell 'wrong': step(): gave float64 (1, 6), must be float64 (7, 6)"),
        (lambda _xp, u, h: (u, h), "cell 'wrong': step(): gave 2 parts, must be a tuple of 1"),
        (lambda _xp, u, _h: u, "cell 'wrong': step(): gave "),
        (lambda _xp, u, _h: (u / 0 if u[0, 0] > 0 else u,), "cell 'wrong': step(): Tracer"),
        (lambda _xp, u, _h: (u @ u,), "cell 'wrong': step(): TypeError: "),
        (lambda _xp, u, h: (u > h,), "cell 'wrong': step(): gave bool (7, 6), must be float64 (7, 6)"),
    ],
)
def test_an_error_in_a_cells_code_names_the_cell(step: Callable[..., Any], message: str) -> None:
    with registered(entry("wrong", wrong(step))):
        case = case_of("wrong", "plain")
        program = kit().build(case)
        placed = program.place(case.batch("float64"))
        with pytest.raises(ContractError) as caught:
            program.predict(placed)
    assert str(caught.value).startswith(message)
