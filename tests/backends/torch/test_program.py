"""The PyTorch program's own promises: no reading back in a step, kernels named by the framework, copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from fixtures.kit import SUPPORTED
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from benchsuite.contracts import Batch
from benchsuite.measure.conformance.cases import Case, carry_cases, model_cases, training_cases
from benchsuite.measure.parity import compare
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent, state_shapes
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.program import TorchProgram

UNROLLS = sorted(SUPPORTED["torch"])
"""Those that run the built-in cells."""

CASES = {case.name: case for case in [*model_cases(), *carry_cases(), *training_cases()]}


def build(case: Case, **execution: Any) -> TorchProgram:
    chosen = Execution.model_validate(execution)
    return TorchBackend().build(case.model, case.parameters(chosen.dtype), case.recipe, chosen)


def stepped(case: Case, **execution: Any) -> TorchProgram:
    program = build(case, **execution)
    program.step(program.place(case.batch("float32")))
    return program


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
        ("lstm-plain", "static", "handwritten_loop"),
        ("gru-bidirectional", "dynamic", "handwritten_loop"),
        *((f"{cell}-plain", "autograd", "autograd_loop") for cell in ("rnn", "lstm", "gru")),
    ],
)
def test_kernel_names_what_ran(name: str, unroll: str, expected: str) -> None:
    program = stepped(CASES[name], unroll=unroll)
    before = program.parameters()
    assert program.kernel() == expected
    assert program.kernel() == expected
    assert all(np.array_equal(value, before[key]) for key, value in program.parameters().items())
    assert len(program.drain().loss) == 1


@pytest.mark.filterwarnings("ignore:TF32 acceleration on top of oneDNN")
@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN")
def test_kernel_is_asked_not_assumed() -> None:
    with torch.backends.mkldnn.flags(enabled=False):
        assert stepped(CASES["lstm-plain"], unroll="fused").kernel() == "aten"


def test_kernel_speaks_of_the_batches_that_ran() -> None:
    case = CASES["lstm-plain-carry-ragged"]  # states at each row's end are asked for, which needs packing
    assert stepped(case, unroll="fused").kernel() == "aten"


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


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_state_belongs_to_the_rows_as_they_came(cell: str, unroll: str) -> None:
    """A loop may sort ragged rows, also where the recipe does not carry: a given state is sorted with them."""
    case = CASES[f"{cell}-deep"]
    program, batch = build(case, unroll=unroll, precision="float64"), case.batch("float64")
    shapes = state_shapes(case.model)
    generator = np.random.default_rng(0)
    values = {name: generator.normal(size=(batch.size, *width)) for name, width in shapes.items()}
    state = program.make_state(values)
    assert len(set(batch.lengths.tolist())) > 1
    together, _ = program.predict(program.place(batch), state)
    for row in range(batch.size):
        alone = program.make_state({name: array[row : row + 1] for name, array in values.items()})
        one = Batch(batch.inputs[[row]], batch.lengths[[row]], batch.targets[[row]])
        found, _ = program.predict(program.place(one), alone)
        np.testing.assert_allclose(found[0], together[row], rtol=1e-12)
    for name, array in program.read_state(state).items():
        np.testing.assert_array_equal(array, values[name])


@pytest.mark.parametrize("unroll", UNROLLS)
def test_a_predicted_state_can_be_trained_on(unroll: str) -> None:
    """Tensors of inference mode cannot: autograd refuses to save them."""
    case = CASES["lstm-deep-carry-ragged"]
    program = build(case, unroll=unroll)
    _, state = program.predict(program.place(case.batch("float32")))
    after = program.step(program.place(case.batch("float32", 1)), state)
    assert after is not None
    assert not any(part.requires_grad for part in after)


def test_notes_and_memory_on_the_cpu() -> None:
    program = build(CASES["lstm-plain"], unroll="fused")
    assert program.memory() == {}
    assert "second pass" in program.notes()["backward"]
    assert build(CASES["lstm-plain"], unroll="autograd").notes()["backward"] == "recorded by autograd"
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
    for unroll in UNROLLS:
        assert compare(found[unroll], found["static"], "float64").breaches == []
