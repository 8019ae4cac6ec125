"""Cells of plugins in PyTorch: the built-in ones by their own step beside the kernels, example cells beside the
reference."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from fixtures.cell_cases import case_of, with_resets
from fixtures.cell_checks import check_decoder, check_reading, check_resets, check_stream
from fixtures.cells import EXAMPLE_CELLS, GENERIC_CELLS, entry, registered
from fixtures.covering import covering
from torch.utils._python_dispatch import TorchDispatchMode

from benchsuite.errors import ContractError
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.parity import compare
from benchsuite.schema import Execution, Recipe
from benchsuite.schema.cells import (
    BUILTIN_CELLS,
    Array,
    Cell,
    CellParameter,
    Operations,
    States,
    Weights,
    constant,
)
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.kernels import factors
from benchsuite_torch.program import TorchProgram

pytestmark = pytest.mark.usefixtures("example_cells")
STACKS = ["plain-steps", "deep_bidirectional", "bidirectional-truncated", "deep-truncated"]
WAYS = [*product(("dynamic", "static"), (False, True))]
"""An unroll, and whether products go as those of large layers do."""


def kit(unroll: str = "dynamic", precision: str = "float64") -> Kit:
    execution = Execution.model_validate({"unroll": unroll, "precision": precision})
    return Kit(TorchBackend(), ReferenceBackend(), execution)


def program_of(case: Case, unroll: str = "dynamic", precision: str = "float64") -> TorchProgram:
    built = kit(unroll, precision).build(case)
    program = getattr(built, "_program", built)
    assert isinstance(program, TorchProgram)
    return program


class Watch(TorchDispatchMode):  # type: ignore[misc]
    """Collects the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: set[str] = set()

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ran.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.fixture(params=[False, True], ids=["small", "large"])
def deferred(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether products go as those of large layers do."""
    if request.param:
        monkeypatch.setattr(factors, "DEFERRED_FROM", 0)
    return bool(request.param)


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize(
    ("stack", "cell", "unroll", "deferred"),
    covering(product(STACKS, BUILTIN_CELLS), WAYS),
    indirect=["deferred"],
)
def test_generic_forms_give_what_the_kernels_give(stack: str, cell: str, unroll: str) -> None:
    found = []
    for name in (cell, f"{cell}_generic"):
        case = replace(case_of(name, stack), name=stack)  # weights are drawn by a case's name
        program = kit(unroll).build(case)
        placed = program.place(case.batch("float64"))
        program.step(placed)
        found.append((program.gradients(placed), program.outputs(placed), program.kernel()))
    (by_kernel, outputs, loop), (generic, other_outputs, other_loop) = found
    comparison = compare(generic, by_kernel, "float64")
    assert comparison.ok, comparison.sentence()
    for prefix, array in outputs.items():
        np.testing.assert_allclose(other_outputs[prefix], array, rtol=1e-12, atol=1e-14)
    assert (loop, other_loop) == ("handwritten_loop", "autograd_loop")


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize(
    ("cell", "stack", "unroll", "deferred"),
    covering(product(EXAMPLE_CELLS, [*STACKS, "bidirectional-tokens-mean", "plain"]), WAYS),
    indirect=["deferred"],
)
def test_examples_agree_with_the_reference(cell: str, stack: str, unroll: str) -> None:
    checks.check_gradients(kit(unroll), case_of(cell, stack))


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize("cell", [*EXAMPLE_CELLS, *GENERIC_CELLS])
def test_cells_agree_with_the_reference_in_single_precision(cell: str) -> None:
    checks.check_gradients(kit(precision="float32"), case_of(cell, "deep_bidirectional"))


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize("cell", [*EXAMPLE_CELLS, *GENERIC_CELLS])
def test_cells_train_as_the_reference_does(cell: str) -> None:
    checks.check_training(kit(), case_of(cell, "deep_bidirectional"))


@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("cell", EXAMPLE_CELLS)
def test_padding_and_companions_change_nothing(cell: str, unroll: str) -> None:
    case = case_of(cell, "deep_bidirectional")
    check_reading(kit(unroll), case)
    checks.check_purity(kit(unroll), case)


@pytest.mark.parametrize("cell", [*EXAMPLE_CELLS, "lstm_generic"])
def test_streams_go_on_from_their_states(cell: str) -> None:
    check_stream(kit(), case_of(cell, "deep-carry-ragged"))


@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("cell", [*EXAMPLE_CELLS, *BUILTIN_CELLS])
def test_resets(cell: str, unroll: str) -> None:
    check_resets(kit(unroll), case_of(cell, "deep-truncated"))


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize(
    ("cell", "attention", "deferred"),
    covering(
        product(
            [*EXAMPLE_CELLS, "gru_generic"], ["none-deep", "additive-deep", "multiplicative-plain-truncated"]
        ),
        [False, True],
    ),
    indirect=["deferred"],
)
def test_decoders(cell: str, attention: str) -> None:
    check_decoder(kit(), case_of(cell, attention))


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize("name", ["deep_bidirectional", "additive-deep"])
@pytest.mark.parametrize("cell", ["lstm_generic", "steadied"])
def test_a_step_reads_nothing_back(cell: str, name: str) -> None:
    case = case_of(cell, name)
    program = program_of(case, precision="float32")
    placed = program.place(case.batch("float32"))
    program.step(placed)
    with Watch() as watch:
        program.step(placed)
    assert "tanh" in watch.ran or "sigmoid" in watch.ran
    assert not watch.ran & {"_local_scalar_dense", "nonzero", "is_nonzero"}


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize("cell", ["lstm_generic", "decay", "steadied"])
def test_steps_leave_no_memory_to_the_garbage_collector(cell: str) -> None:
    case = case_of(cell, "deep_bidirectional")
    program = program_of(case, precision="float32")
    placed = program.place(case.batch("float32"))
    program.step(placed)
    program.gradients(placed)
    gc.collect()
    gc.disable()
    try:
        program.step(placed)
        program.gradients(placed)
        program.predict(placed)
        left = [one for one in gc.get_objects() if type(one) is torch.Tensor and one.grad_fn is not None]
        assert left == []
    finally:
        gc.enable()


def test_a_record_says_that_the_cell_is_generic() -> None:
    notes = {cell: kit().build(case_of(cell, "plain")).notes() for cell in ("lstm", "lstm_generic")}
    assert notes["lstm_generic"]["cell"] == "generic"
    assert notes["lstm_generic"]["backward"] == "recorded by autograd"
    assert "cell" not in notes["lstm"]


@pytest.mark.parametrize("unroll", ["fused", "autograd"])
def test_torchs_own_layers_decline_what_they_cannot_run(unroll: str) -> None:
    reason = (
        f"the torch backend under unroll {unroll} has no cell 'decay' (torch.nn has layers and cells of no "
        "other); it has gru, lstm, rnn; use unroll dynamic or static"
    )
    execution, case = Execution.model_validate({"unroll": unroll}), case_of("decay", "plain")
    assert TorchBackend().supports(case.model, Recipe(), execution) == reason
    with_built_in, _ = with_resets(case_of("lstm", "plain"))
    found = TorchBackend().supports(with_built_in.model, Recipe(), execution)
    assert found is not None
    assert "resets" in found


class Wrong(Cell):
    """A cell whose step is `wrong`; one of its parameters is never used."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {name: CellParameter((inputs, hidden), constant(0.1)) for name in ("W", "unused")}

    def inputs(self, xp: Operations, w: Weights, x: Array, begins: Array) -> Array:  # noqa: ARG002
        return x @ w["W"]

    def step(self, xp: Operations, w: Weights, u: Array, h: Array, state: States) -> States:  # noqa: ARG002
        return self.wrong(xp, u, h)  # type: ignore[attr-defined,no-any-return]


def made(step: Callable[..., Any]) -> type[Cell]:
    return type("Made", (Wrong,), {"wrong": staticmethod(step)})


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda xp, u, _: (xp.erf(u),), "cell 'wrong': step(): a cell uses the operation 'erf'"),
        (
            lambda _, u, __: (u[:1],),
            "cell 'wrong': step(): gave torch.float64 (1, 6), must be torch.float64 (",
        ),
        (lambda _, u, h: (u, h), "cell 'wrong': step(): gave 2 parts, must be a tuple of 1"),
        (lambda _, u, __: u, "cell 'wrong': step(): gave Tensor, must be a tuple of 1"),
        (lambda _, u, h: (u > h,), "cell 'wrong': step(): gave torch.bool "),
        (lambda _, u, __: (u.float(),), "cell 'wrong': step(): gave torch.float32 "),
        (lambda xp, u, _: (xp.split(u, 4)[0],), "cell 'wrong': step(): ValueError: "),
    ],
)
def test_an_error_in_a_cells_code_names_the_cell(step: Callable[..., Any], message: str) -> None:
    with registered(entry("wrong", made(step))):
        for stack in ("plain", "additive-plain"):
            case = case_of("wrong", stack)
            program = kit().build(case)
            placed = program.place(case.batch("float64"))
            with pytest.raises(ContractError) as caught:
                program.predict(placed)
            assert str(caught.value).startswith(message)


def test_a_parameter_that_nothing_depends_on_stays_as_it_is() -> None:
    with registered(entry("wrong", made(lambda xp, u, h: (xp.tanh(u + h),)))):
        case = case_of("wrong", "plain")
        program = program_of(case)
        placed = program.place(case.batch("float64"))
        before = program.parameters()
        program.step(placed)
        after = program.parameters()
        assert np.array_equal(before["rnn.l0.fwd.unused"], after["rnn.l0.fwd.unused"])
        assert not np.array_equal(before["rnn.l0.fwd.W"], after["rnn.l0.fwd.W"])
        assert not program.gradients(placed).parameters["rnn.l0.fwd.unused"].any()
