"""Unroll `scan` in JAX: affine cells, all steps at once, against the sequential reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.cell_cases import case_of
from fixtures.cell_checks import check_decoder, check_reading, check_resets, check_stream
from fixtures.cells import AFFINE_CELLS
from fixtures.covering import covering

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from fixtures import jax_kit  # noqa: E402

from benchsuite.contracts import why_unsupported  # noqa: E402
from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.conformance.backend import Kit  # noqa: E402
from benchsuite.schema import Execution, Recipe  # noqa: E402
from benchsuite_jax.affine_scan import prefixes  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402

pytestmark = pytest.mark.usefixtures("example_cells", "double_precision")


def kit(unroll: str = "scan", precision: str = "float64") -> Kit:
    return jax_kit.kit(unroll, precision)


@pytest.mark.parametrize(
    ("cell", "stack"),
    covering(
        AFFINE_CELLS,
        ["plain-steps", "deep_bidirectional", "bidirectional-tokens-mean", "steps-truncated", "deep-truncated",
         "bidirectional-truncated", "one-step"],
    ),
)  # fmt: skip
def test_scans_agree_with_the_sequential_reference(cell: str, stack: str) -> None:
    checks.check_gradients(kit(), case_of(cell, stack))


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_scans_agree_in_single_precision(cell: str) -> None:
    checks.check_gradients(kit(precision="float32"), case_of(cell, "deep_bidirectional"))


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_padding_companions_and_states(cell: str) -> None:
    check_reading(kit(), case_of(cell, "deep_bidirectional"))
    check_stream(kit(), case_of(cell, "deep-carry-ragged"))


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_resets(cell: str) -> None:
    check_resets(kit(), case_of(cell, "deep-truncated"))


@pytest.mark.parametrize(
    ("cell", "attention"),
    covering(AFFINE_CELLS, ["none-deep", "additive-plain", "multiplicative-plain"]),
)
def test_what_scans_in_training_generates_step_by_step(cell: str, attention: str) -> None:
    check_decoder(kit(), case_of(cell, attention))


@pytest.mark.parametrize(
    ("name", "kernel"),
    [("plain", "associative_scan"), ("none-plain", "associative_scan"),
     ("additive-plain", "associative_scan+scan")],
)  # fmt: skip
def test_the_kernel_is_read_from_the_compiled_program(name: str, kernel: str) -> None:
    case = case_of("decay", name)
    program = kit().build(case)
    program.step(program.place(case.batch("float64")))
    assert program.kernel() == kernel
    assert program.notes()["cell"] == "generic"


def test_other_cells_are_refused() -> None:
    for cell in ("lstm", "steadied"):
        reason = why_unsupported(
            JaxBackend(), case_of(cell, "plain").model, Recipe(), Execution.model_validate({"unroll": "scan"})
        )
        wanted = f"cell {cell!r} has no affine step, so unroll scan cannot run it; use static or dynamic"
        assert reason == wanted


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("time", [1, 2, 7, 64])
def test_prefixes_and_their_derivative(time: int, parts: int) -> None:
    random = np.random.default_rng(time)
    a, b, weight = (
        tuple(jnp.asarray(random.normal(size=(time, 2, 3))) * 0.7 for _ in range(parts)) for _ in range(3)
    )

    def sequential(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
        one, other = (parts[0] if len(parts) == 1 else jax.lax.complex(*parts) for parts in (a, b))
        state, found = jnp.zeros_like(other[0]), []
        for t in range(time):
            state = one[t] * state + other[t]
            found.append(state)
        s = jnp.stack(found)
        return (s,) if len(a) == 1 else (s.real, s.imag)

    def value(function: object) -> object:
        def loss(a: tuple[Any, ...], b: tuple[Any, ...]) -> Any:
            return sum(jnp.sum(s * w) for s, w in zip(function(a, b), weight, strict=True))  # type: ignore[operator]

        return jax.value_and_grad(loss, (0, 1))(a, b)

    for found, wanted in zip(
        jax.tree.leaves(value(prefixes)), jax.tree.leaves(value(sequential)), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)
