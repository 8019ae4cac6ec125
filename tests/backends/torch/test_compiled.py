"""Blocks of steps that torch.compile joins: parity, what they cannot run, and what compiling may take."""

from __future__ import annotations

from collections import Counter
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
    for known in ("_compiled_forwards", "_compiled_backwards"):
        monkeypatch.setattr(compiled, known, set())


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
    with pytest.raises(
        UnsupportedError, match=r"compiling 1 function of up to 8 steps took .* s; the most is"
    ):
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


@pytest.mark.usefixtures("compiling")
@pytest.mark.parametrize("_trial", ["the first", "the second"])
def test_what_torch_compiled_is_told(_trial: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One block from a state without a gradient, and one that follows another, each in both directions; of
    later trials in one process just as of the first."""
    monkeypatch.setattr(compiled, "MOST_STEPS", 3)
    monkeypatch.setattr(compiled, "_users_folder", None)
    case = CASES["rnn-plain"]
    program = build(case, "float32")
    assert (program.compilations(), program.notes()["compilations"]) == ([], "0")
    placed = program.place(case.batch("float32"))
    torch._dynamo.utils.clear_compilation_metrics()
    for _ in range(2):
        program.gradients(placed)
        program.step(placed)
        program.predict(placed)
    found = Counter(one.function for one in program.compilations())
    assert found == {"step": 2, "step_backward": 2, "predict": 1}
    assert {one.shape for one in program.compilations()} == {"3x7x6"}
    assert program.notes()["compilations"] == "5"
    own = torch._dynamo.utils.get_compilation_metrics()
    assert Counter(one.is_forward for one in own) == {True: 3, False: 2}
    for forward in (True, False):
        seconds = [one.duration_us / 1e6 for one in own if one.is_forward == forward]
        told = [one.seconds for one in program.compilations() if forward == (one.function != "step_backward")]
        assert sum(told) >= sum(seconds) * 0.99
