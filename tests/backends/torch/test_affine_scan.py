"""Unroll `scan` in PyTorch: affine cells by an associative scan, beside the loop and the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fixtures.cell_cases import case_of
from fixtures.cell_checks import check_decoder, check_reading, check_resets, check_stream
from fixtures.cells import AFFINE_CELLS
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import why_unsupported
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.parity import compare
from benchsuite.schema import Execution, Recipe
from benchsuite.schema.cells.cell import affine_step
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch.affine_scan import AffineScan, scan
from benchsuite_torch.backend import TorchBackend

pytestmark = pytest.mark.usefixtures("example_cells")
STACKS = ["plain-steps", "deep_bidirectional", "bidirectional-tokens-mean", "bidirectional-truncated"]


def kit(precision: str = "float64", unroll: str = "scan") -> Kit:
    execution = Execution.model_validate({"unroll": unroll, "precision": precision})
    return Kit(TorchBackend(), ReferenceBackend(), execution)


def step_by_step(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    state = tuple(torch.zeros_like(part[0]) for part in a)
    found = []
    for t in range(len(a[0])):
        state = affine_step(tuple(part[t] for part in a), tuple(part[t] for part in b), state)
        found.append(state)
    return [torch.stack(part) for part in zip(*found, strict=True)]


@settings(max_examples=60, deadline=None)
@given(steps=st.integers(1, 70), parts=st.sampled_from([1, 2]), seed=st.integers(0, 99))
def test_a_scan_gives_what_steps_give(steps: int, parts: int, seed: int) -> None:
    torch.manual_seed(seed)
    a, b = (tuple(torch.randn(steps, 2, 3, dtype=torch.float64) for _ in range(parts)) for _ in "ab")
    for found, wanted in zip(scan(a, b), step_by_step(a, b), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("steps", [1, 2, 5, 8])
def test_the_derivative_is_that_of_finite_differences(steps: int, parts: int) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(steps, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2 * parts)]
    assert torch.autograd.gradcheck(lambda *given: AffineScan.apply([], parts, *given), tensors)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_cells_agree_with_the_reference(cell: str, stack: str) -> None:
    checks.check_gradients(kit(), case_of(cell, stack))
    checks.check_gradients(kit("float32"), case_of(cell, stack))


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_the_kits_other_promises(cell: str) -> None:
    case = case_of(cell, "deep_bidirectional")
    checks.check_training(kit(), case)
    checks.check_purity(kit(), case)
    check_reading(kit(), case)


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_streams_go_on_from_their_states(cell: str) -> None:
    check_stream(kit(), case_of(cell, "deep-carry-ragged"))


@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_resets(cell: str) -> None:
    check_resets(kit(), case_of(cell, "deep-truncated"))


@pytest.mark.parametrize("attention", ["none-deep", "additive-deep", "multiplicative-plain-truncated"])
@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_what_scans_in_training_generates_step_by_step(cell: str, attention: str) -> None:
    check_decoder(kit(), case_of(cell, attention))


def test_long_rows_agree_with_the_loop() -> None:
    """Rounding grows with log T, and so may the difference."""
    case = replace(case_of("decay", "plain-steps"), time=1000)
    programs = [kit(unroll=unroll).build(case) for unroll in ("scan", "dynamic")]
    scanned, looped = (program.gradients(program.place(case.batch("float64"))) for program in programs)
    comparison = compare(scanned, looped, "float64")
    assert comparison.ok, comparison.sentence()


@pytest.mark.parametrize(
    ("stack", "expected"), [("plain", "associative_scan"), ("additive-plain", "associative_scan")]
)
def test_kernel_and_notes_say_so(stack: str, expected: str) -> None:
    case = case_of("decay", stack)
    program = kit().build(case)
    program.step(program.place(case.batch("float64")))
    assert program.kernel() == expected
    notes = program.notes()
    assert (notes["cell"], notes["backward"]) == ("generic", "a scan backwards")


@pytest.mark.parametrize("cell", ["lstm", "steadied"])
def test_cells_without_an_affine_step_are_declined(cell: str) -> None:
    execution = Execution(unroll="scan")
    reason = why_unsupported(TorchBackend(), case_of(cell, "plain").model, Recipe(), execution)
    assert reason == f"cell {cell!r} has no affine step, so unroll scan cannot run it; use static or dynamic"
