"""Blocks of steps that torch.compile joins: parity, what they cannot run, and what compiling may take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.backend import Kit, check_gradients
from benchsuite.measure.conformance.cases import Case, model_cases
from benchsuite.measure.conformance.suite import run_item, suite
from benchsuite.measure.conformance.timing import check_kernel_word
from benchsuite.schema import Execution
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch import compiled
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.compiled import BLOCKS
from benchsuite_torch.program import TorchProgram

CASES = {case.name: case for case in model_cases()}


@pytest.fixture
def as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks run as they are written: what a compiler makes of them must compute the same."""
    monkeypatch.setattr(compiled, "_compiled", lambda cell: BLOCKS[cell])
    monkeypatch.setattr(compiled, "_seen", set())


@pytest.fixture
def compiling() -> Iterator[None]:
    """Nothing compiled is left for other tests."""
    yield
    compiled.release()


def kit(precision: str) -> Kit:
    execution = Execution.model_validate({"unroll": "compiled", "precision": precision})
    return Kit(TorchBackend(), ReferenceBackend(), execution)


@pytest.mark.usefixtures("as_written")
@pytest.mark.parametrize(("precision", "most"), [("float64", 3), ("float32", compiled.MOST_STEPS)])
def test_blocks_of_any_length_conform(precision: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MOST_STEPS", most)
    items = [item for item in suite(core=True) if item.check is not check_kernel_word]
    results = [run_item(kit(precision), item) for item in items]
    assert [f"{one.item.name}: {one.message}" for one in results if one.status == "failed"] == []
    ran = {one.item.case.name for one in results if one.status == "ok"}
    assert {"rnn-plain", "lstm-plain", "gru-plain", "lstm-deep_bidirectional"} <= ran


@pytest.mark.usefixtures("compiling")
@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("gru-bidirectional", "float32"),  # padded rows, read in both directions
        *(
            pytest.param(f"{cell}-{kind}", precision, marks=pytest.mark.slow)
            for cell in ("rnn", "lstm", "gru")
            for kind in ("plain", "deep_bidirectional")
            for precision in ("float64", "float32")
        ),
    ],
)
def test_what_the_compiler_made_agrees_with_the_reference(
    name: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "MOST_STEPS", 2)  # compiles in seconds
    item = next(one for one in suite() if one.check is check_gradients and one.case.name == name)
    result = run_item(kit(precision), item)
    assert (result.status, result.message) == ("ok", "")
    program = build(CASES[name], precision)
    program.step(program.place(CASES[name].batch("float32")))
    assert program.kernel() == "compiled_loop"


def build(case: Case, precision: str = "float64") -> TorchProgram:
    execution = Execution.model_validate({"unroll": "compiled", "precision": precision})
    return TorchBackend().build(case.model, case.parameters(execution.dtype), case.recipe, execution)


@pytest.mark.usefixtures("as_written")
def test_a_program_that_compiles_for_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "BUDGET_SECONDS", -1.0)
    case = CASES["lstm-plain"]
    program = build(case)
    with pytest.raises(UnsupportedError, match=r"compiling 1 block of up to 8 steps took .* s; the most is"):
        program.step(program.place(case.batch("float64")))


def test_where_there_is_no_compiler_the_answer_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    case = CASES["lstm-plain"]
    reason = TorchBackend().supports(case.model, case.recipe, Execution(unroll="compiled"))
    assert reason is not None
    assert "needs a C++ compiler; no-such-compiler is not here" in reason


@pytest.mark.usefixtures("as_written")
def test_what_a_compiler_cannot_do_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise torch._dynamo.exc.BackendCompilerFailed(build, RuntimeError("no Python.h"), None)

    monkeypatch.setattr(compiled, "_compiled", lambda _: broken)
    case = CASES["lstm-plain"]
    program = build(case)
    with pytest.raises(UnsupportedError, match=r"torch\.compile failed"):
        program.step(program.place(case.batch("float64")))


def test_what_is_done_with_the_steps_is_in_the_notes() -> None:
    assert "second pass" in build(CASES["lstm-plain"]).notes()["backward"]
    assert build(CASES["lstm-plain"]).notes()["compilation"] == "0 blocks of steps in 0.0 s"
