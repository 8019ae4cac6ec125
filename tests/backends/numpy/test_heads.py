"""The losses of the NumPy backend: CTC for any lengths and any labels, binary cross-entropy, blocks of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.numpy_cases import batch, model, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Gradients, Program
from benchsuite.errors import ContractError
from benchsuite.measure.parity import compare, in_double
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_numpy import heads
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_numpy.reference.ctc import ctc_row

DOUBLE = Execution(precision="float64")
CTC: dict[str, Any] = {"loss": "ctc", "readout": "steps"}


def both(
    spec: ModelSpec, data: Batch, ran: Execution = DOUBLE, scale: float = 0.5
) -> tuple[Gradients, Gradients]:
    """One backward pass of the NumPy program, and of the reference."""
    weights = parameters(spec, dtype="float32", scale=scale)
    fast: Program = NumpyBackend().build(spec, weights, Recipe(), ran)
    plain: Program = ReferenceBackend().build(spec, weights, Recipe(), DOUBLE)
    return fast.gradients(fast.place(data)), plain.gradients(plain.place(in_double(data)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    outputs=st.integers(2, 5),
    unroll=st.sampled_from(["dynamic", "static"]),
    more=st.integers(0, 2),
    seed=st.integers(0, 3),
)
def test_ctc_of_any_lengths(lengths: list[int], outputs: int, unroll: str, more: int, seed: int) -> None:
    """With two classes every label is a repeat; batch() gives labels that just fit then."""
    spec = model("rnn", outputs=outputs, **CTC)
    data = batch(spec, lengths, seed, time=max(lengths) + more)
    found, expected = both(spec, data, Execution.model_validate({"precision": "float64", "unroll": unroll}))
    comparison = compare(found, expected, "float64")
    assert comparison.ok, comparison.sentence()


@pytest.mark.parametrize("scale", [0.5, 8.0])
def test_ctc_keeps_its_digits_over_long_inputs(scale: float) -> None:
    """400 steps in float32; with large weights p(labels) is far below the smallest number there is."""
    spec = model("rnn", "bidirectional", outputs=12, **CTC)
    lengths = [400, 371, 90]
    data = batch(spec, lengths, dtype="float32", target_lengths=[60, 12, 44])
    found, expected = both(spec, data, Execution(), scale)
    assert expected.loss > 130
    comparison = compare(found, expected, "float32")
    assert comparison.errors["loss"] < comparison.allowed["loss"]
    if scale < 1:  # else the recurrence itself is chaotic
        assert comparison.ok, comparison.sentence()


def test_labels_that_no_path_gives() -> None:
    """Two equal labels need three steps."""
    spec = model("rnn", outputs=4, **CTC)
    data = batch(spec, [5, 2], target_lengths=[2, 2])
    data = replace(data, targets=np.array([[1, 2], [3, 3]], np.int32))
    found, expected = both(spec, data)
    assert found.loss == expected.loss == np.inf
    assert np.isnan(found.parameters["out.W"]).all()
    np.testing.assert_allclose(found.predictions, expected.predictions, rtol=1e-12)


def test_ctc_is_that_of_its_rows() -> None:
    spec = model("gru", "bidirectional", outputs=5, **CTC)
    data = batch(spec, [9, 4, 6], target_lengths=[4, 1, 3])
    found, _ = both(spec, data)
    assert data.target_lengths is not None
    rows = [
        ctc_row(found.predictions[row, :length], data.targets[row, :count])[0]
        for row, (length, count) in enumerate(zip(data.lengths, data.target_lengths, strict=True))
    ]
    assert found.loss == pytest.approx(np.mean(rows), rel=1e-12)


@pytest.mark.parametrize("head", ["dense", "rbf"])
@pytest.mark.parametrize("readout", ["last", "mean", "steps"])
def test_binary_cross_entropy_of_large_scores(readout: str, head: str) -> None:
    spec = model("gru", head=head, loss="binary_cross_entropy", readout=readout)
    found, expected = both(spec, batch(spec, [5, 2, 3]), scale=200.0)
    assert np.abs(expected.predictions).max() > 400
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    name = "out.W" if head == "dense" else "rbf.W"
    np.testing.assert_allclose(found.parameters[name], expected.parameters[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared", "absolute", "binary_cross_entropy"])
def test_a_loss_of_many_blocks(loss: str) -> None:
    spec = model("rnn", loss=loss, readout="steps", outputs=400)
    data = batch(spec, [40, 7, 33, 40])
    assert 4 * heads.BLOCK // 3 < 120 * 400 * 8
    for precision in ("float64", "float32"):
        ran = Execution.model_validate({"precision": precision})
        comparison = compare(*both(spec, data, ran), precision)
        assert comparison.ok, comparison.sentence()


@pytest.mark.parametrize(("field", "name"), [("loss", "mse"), ("readout", "final")])
@pytest.mark.parametrize("backend", [NumpyBackend(), ReferenceBackend()], ids=["numpy", "reference"])
def test_a_name_that_slipped_through_is_no_other_one(
    backend: NumpyBackend | ReferenceBackend, field: str, name: str
) -> None:
    """ModelSpec refuses it; here it is put in behind its back."""
    spec = model(loss="squared")
    object.__setattr__(spec, field, name)
    data = batch(model(loss="squared"), [3, 2])

    def gradients() -> Gradients:
        program = backend.build(spec, parameters(model(loss="squared")), Recipe(), DOUBLE)
        return program.gradients(program.place(data))

    with pytest.raises(ContractError, match=name):
        gradients()
