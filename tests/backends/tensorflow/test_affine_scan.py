"""A scan over time gives what the loop gives: values, every gradient, truncation, states that are passed in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.cell_cases import case_of
from fixtures.cell_checks import check_resets, check_wide_padding
from fixtures.cells import AFFINE_CELLS
from fixtures.covering import covering

tf = pytest.importorskip("tensorflow")

from fixtures.tensorflow_kit import kit  # noqa: E402

from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.decoding import greedy_search  # noqa: E402
from benchsuite.measure.parity import relative_error  # noqa: E402
from benchsuite.schema import Recipe  # noqa: E402
from benchsuite.schema.cells.cell import affine_step  # noqa: E402
from benchsuite_tensorflow.affine_scan import BLOCK, scan  # noqa: E402

pytestmark = pytest.mark.usefixtures("example_cells", "plain_graphs")


def drawn(seed: int, *shape: int) -> Any:
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, shape))


@pytest.mark.parametrize("time", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3])
@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("parts", [1, 2])
def test_values_and_gradients_are_those_of_the_loop(parts: int, free: bool, time: int) -> None:
    """Of blocks that are full, begun and single; with the number of steps known to the graph or not."""
    a, b = (tuple(drawn(10 * k + part, time, 3, 4) for part in range(parts)) for k in (1, 2))
    start = tuple(drawn(30 + part, 3, 4) for part in range(parts))
    factors = [drawn(40 + part, time, 3, 4) for part in range(parts)]

    def loop(a: Any, b: Any, start: Any) -> Any:
        state, found = start, []
        for t in range(time):
            state = affine_step(tuple(x[t] for x in a), tuple(x[t] for x in b), state)
            found.append(state)
        return tuple(tf.stack(steps) for steps in zip(*found, strict=True))

    spec = [
        tf.TensorSpec([None if free and len(x.shape) == 3 else x.shape[0], *x.shape[1:]], x.dtype)
        for x in (*a, *b, *start)
    ]

    @tf.function(autograph=False, input_signature=spec)  # type: ignore[untyped-decorator]
    def scanned(*given: Any) -> Any:
        return slopes(scan, given)

    def slopes(run: Any, given: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(given)
            states = run(given[:parts], given[parts : 2 * parts], given[2 * parts :])
            total = sum(tf.reduce_sum(tf.sin(s) * f) for s, f in zip(states, factors, strict=True))
        return [*states, *tape.gradient(total, list(given))]

    for found, expected in zip(scanned(*a, *b, *start), slopes(loop, (*a, *b, *start)), strict=True):
        assert relative_error(found.numpy(), expected.numpy()) < 1e-13


@pytest.mark.parametrize(
    ("cell", "name", "kernel"),
    covering(
        AFFINE_CELLS,
        [
            ("deep_bidirectional-truncated", "associative_scan"),
            ("steps-truncated", "associative_scan"),
            ("plain-ctc", "associative_scan"),
            ("multiplicative-deep", "associative_scan"),
            ("additive-deep", "associative_scan+while_loop"),
        ],
    ),
)
def test_parity(cell: str, name: str, kernel: str) -> None:
    assert check_wide_padding(kit("scan"), case_of(cell, name), 20).kernel() == kernel


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_single_precision_over_many_steps(cell: str) -> None:
    checks.check_gradients(kit("scan", "float32"), replace(case_of(cell, "deep-steps"), time=150))


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_resets(cell: str) -> None:
    check_resets(kit("scan"), case_of(cell, "steps-truncated"))


def test_states_are_passed_in_and_carried() -> None:
    case = replace(case_of("rotation", "deep-steps"), recipe=Recipe(carry=True))
    found = []
    for unroll in ("scan", "dynamic"):
        program, state = kit(unroll).build(case), None
        for index in range(2):
            state = program.step(program.place(case.batch("float64", index)), state)
        found.append(program.read_state(state))
    assert list(found[0]) == [f"rnn.l{layer}.fwd.{part}" for layer in range(3) for part in ("re", "im")]
    for name, value in found[1].items():
        assert relative_error(found[0][name], value) < 1e-12, name


def test_what_scans_in_training_generates_step_by_step() -> None:
    case, found = case_of("decay", "multiplicative-plain"), []
    assert case.model.decoder is not None
    for unroll in ("scan", "dynamic"):
        program = kit(unroll).build(case)
        found.append(
            greedy_search(program, program.place(case.batch("float64")), case.model.decoder, case.rows)
        )
    assert np.array_equal(found[0].tokens, found[1].tokens)
    np.testing.assert_allclose(found[0].score, found[1].score, rtol=1e-13)


@pytest.mark.parametrize("cell", ["lstm", "steadied"])
def test_other_cells_are_refused(cell: str) -> None:
    reason = kit("scan").supports(case_of(cell, "plain"))
    assert reason == f"cell {cell!r} has no affine step, so unroll scan cannot run it; use static or dynamic"


def test_one_trace_serves_every_length() -> None:
    case = case_of("rotation", "plain")
    program = kit("scan").build(case)
    for time in (3, 40, 17):
        program.step(program.place(replace(case, time=time).batch("float64")))
    assert program.notes()["tensorflow/traces"] == "step 1"
