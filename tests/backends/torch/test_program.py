"""The PyTorch program's own promises: no reading back in a step, kernels named by the framework, copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.measure.conformance.cases import Case, carry_cases, model_cases, training_cases
from benchsuite.measure.parity import compare
from benchsuite.schema import UNROLLS, Dense, Execution, Features, ModelSpec, Recipe, Recurrent
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.program import TorchProgram

CASES = {case.name: case for case in [*model_cases(), *carry_cases(), *training_cases()]}


def build(case: Case, **execution: Any) -> TorchProgram:
    chosen = Execution.model_validate(execution)
    return TorchBackend().build(case.model, case.parameters(chosen.dtype), case.recipe, chosen)


class Watch(TorchDispatchMode):  # type: ignore[misc]
    """Collects the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: set[str] = set()

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ran.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize(
    "name",
    [
        *(f"train-{optimiser}-norm" for optimiser in ("sgd", "momentum", "rmsprop", "adam")),
        "train-adam-value",
        "train-adam-none",
        "lstm-bidirectional-tagging",
        "cnn",
    ],
)
def test_a_step_reads_nothing_back(name: str, unroll: str) -> None:
    case = CASES[name]
    program = build(case, unroll=unroll)
    placed = program.place(case.batch("float32"))
    program.step(placed)
    watch = Watch()
    with watch:
        program.step(placed)
        stepped = set(watch.ran)
        float(torch.ones(1))
    assert "addmm" in stepped or "mkldnn_rnn_layer" in stepped
    assert "_local_scalar_dense" not in stepped
    assert "_local_scalar_dense" in watch.ran  # what reading one number back looks like


@pytest.mark.parametrize(
    ("name", "unroll", "expected"),
    [
        ("lstm-plain", "fused", "onednn" if torch.backends.mkldnn.is_available() else "aten"),
        ("gru-plain", "fused", "aten"),
        ("rnn-plain", "fused", "aten"),
        ("lstm-plain", "static", "python_loop"),
        ("gru-bidirectional", "dynamic", "python_loop"),
    ],
)
def test_kernel_names_what_ran(name: str, unroll: str, expected: str) -> None:
    program = build(CASES[name], unroll=unroll)
    assert program.kernel() == expected
    assert program.kernel() == expected


@pytest.mark.filterwarnings("ignore:TF32 acceleration on top of oneDNN")
@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN")
def test_kernel_is_asked_not_assumed() -> None:
    with torch.backends.mkldnn.flags(enabled=False):
        assert build(CASES["lstm-plain"], unroll="fused").kernel() == "aten"


def test_kernel_speaks_of_the_batches_that_ran() -> None:
    case = CASES["lstm-plain-carry-ragged"]  # states at each row's end are asked for, which needs packing
    program = build(case, unroll="fused")
    program.step(program.place(case.batch("float32")))
    assert program.kernel() == "aten"


@pytest.mark.parametrize("name", ["cnn", "lstm-plain", "lstm-bidirectional-tagging", "gru-squared-rbf"])
def test_kernel_before_any_batch_changes_nothing(name: str) -> None:
    program = build(CASES[name], unroll="fused")
    before = program.parameters()
    assert program.kernel()
    assert all(np.array_equal(value, before[key]) for key, value in program.parameters().items())
    assert len(program.drain().loss) == 0


@pytest.mark.parametrize("unroll", UNROLLS)
def test_place_copies(unroll: str) -> None:
    case = CASES["gru-absolute"]
    program, batch = build(case, unroll=unroll), case.batch("float32")
    placed = program.place(batch)
    before = program.gradients(placed)
    batch.inputs[:] = 7
    batch.targets[:] = 7
    batch.lengths[:] = 1
    after = program.gradients(placed)
    assert before.loss == after.loss
    assert np.array_equal(before.predictions, after.predictions)


def test_gradients_are_not_disturbed_by_the_optimisers_own() -> None:
    case = CASES["train-adam-norm"]
    program = build(case, unroll="fused", precision="float64")
    placed = program.place(case.batch("float64"))
    weights = program.parameters()
    first = program.gradients(placed)
    program.step(placed)
    program.load_parameters(weights)
    again = program.gradients(placed)
    assert compare(again, first, "float64").largest("gradient") == 0.0


def test_a_stream_of_other_rows_is_refused() -> None:
    case = CASES["lstm-plain-carry"]
    program = build(case)
    program.step(program.place(case.batch("float32")))
    fewer = replace(case, rows=3).batch("float32", fresh=False)
    with pytest.raises(ContractError, match=r"3 rows continues a stream of 7 rows.*fresh=True"):
        program.step(program.place(fewer))
    program.step(program.place(replace(fewer, fresh=True)))


def test_only_placed_batches_are_taken() -> None:
    case = CASES["lstm-plain"]
    with pytest.raises(ContractError, match="what place\\(\\) returned, not Batch"):
        build(case).step(case.batch("float32"))


def test_wrong_parameters_are_all_named() -> None:
    case = CASES["lstm-plain"]
    weights = case.parameters("float32")
    weights["foreign"] = weights.pop("out.b")
    weights["out.W"] = weights["out.W"].T
    with pytest.raises(ContractError, match=r"out.b is missing; foreign is unknown; out.W is \(4, 6\)"):
        TorchBackend().build(case.model, weights, Recipe(), Execution())


def test_notes_and_memory_on_the_cpu() -> None:
    program = build(CASES["lstm-plain"], unroll="fused")
    assert program.memory() == {}
    assert program.notes()["state_gradients"] == "second pass by the loop"
    assert program.notes()["optimiser"] == "torch.optim.Adam (fused)"


@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(["rnn", "lstm", "gru"]),
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    readout=st.sampled_from(["last", "mean", "steps"]),
    truncation=st.sampled_from([None, 1, 2, 3]),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    padding=st.integers(0, 2),
)
def test_unrolls_agree(
    cell: str,
    layers: int,
    bidirectional: bool,
    readout: Any,
    truncation: int | None,
    lengths: list[int],
    padding: int,
) -> None:
    body = Recurrent(cell, 3, layers, bidirectional)
    model = ModelSpec(Features(2), body, Dense(2), "squared", readout)
    case = Case("unrolls", model, Recipe(truncation=truncation), rows=len(lengths), time=6 + padding)
    drawn = case.batch("float64")
    valid = np.arange(case.time) < np.array(lengths)[:, None]
    targets = drawn.targets * valid[..., None] if readout == "steps" else drawn.targets
    batch = Batch(drawn.inputs * valid[..., None], np.array(lengths, np.int32), targets)
    found = {}
    for unroll in UNROLLS:
        program = build(case, unroll=unroll, precision="float64")
        found[unroll] = program.gradients(program.place(batch))
    for unroll in ("dynamic", "fused"):
        assert compare(found[unroll], found["static"], "float64").breaches == []
