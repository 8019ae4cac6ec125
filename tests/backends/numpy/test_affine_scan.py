"""Affine cells as a scan over time: equal to the sequential reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.cells import AFFINE_CELLS
from fixtures.numpy_cases import ARCHITECTURES, batch, decoder_model, model, parameters
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Parameters, why_unsupported
from benchsuite.schema import ATTENTIONS, Execution, ModelSpec, Recipe, state_shapes
from benchsuite_numpy.affine_scan import BLOCKED, scan
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.reference import ReferenceBackend

pytestmark = pytest.mark.usefixtures("example_cells")

LENGTHS = {"full": [6, 6, 6], "ragged": [6, 2, 5], "long": [30, 22, 1]}
SCAN = Execution(precision="float64", unroll="scan")


def compare(spec: ModelSpec, data: Batch, weights: Parameters, recipe: Recipe) -> None:
    """Gradients twice, for memory is used again; and predictions."""
    mine, other = (
        backend.build(spec, weights, recipe, SCAN) for backend in (NumpyBackend(), ReferenceBackend())
    )
    placed, expected = mine.place(data), other.gradients(data)
    for _ in range(2):
        found = mine.gradients(placed)
        np.testing.assert_allclose(mine.predict(placed)[0], expected.predictions, rtol=1e-10, atol=1e-12)
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)
        for ours, theirs in ((found.parameters, expected.parameters), (found.states, expected.states)):
            assert set(ours) == set(theirs)
            for name, value in theirs.items():
                np.testing.assert_allclose(ours[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_stacks_are_the_references(cell: str, architecture: str, lengths: list[int]) -> None:
    for readout, truncation in (("steps", None), ("last", 3), ("mean", 4)):
        spec = model(cell, architecture, readout=readout)
        data = batch(spec, lengths, time=max(lengths) + 2)
        compare(spec, data, parameters(spec), Recipe(truncation=truncation))


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_decoders_are_the_references(cell: str, attention: str) -> None:
    spec = decoder_model(cell, "deep", attention)
    data, weights = batch(spec, LENGTHS["ragged"], target_lengths=[2, 4, 1]), parameters(spec)
    compare(spec, data, weights, Recipe())
    mine, other = (
        program.decoding(program.place(data), width=2)
        for program in (
            backend.build(spec, weights, Recipe(), SCAN) for backend in (NumpyBackend(), ReferenceBackend())
        )
    )
    tokens = np.full(6, 2, np.int32)
    for _ in range(3):
        a, b = (each.advance(tokens, np.arange(6), 3) for each in (mine, other))
        np.testing.assert_allclose(a.log_probabilities, b.log_probabilities, rtol=1e-11, atol=1e-12)
        tokens = b.tokens[:, 0]


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("cell", AFFINE_CELLS)
def test_states_are_carried_and_reset(cell: str, resets: bool) -> None:
    spec = replace(model(cell, "deep", readout="steps"), resets=resets)
    data, weights, random = batch(spec, LENGTHS["long"]), parameters(spec), np.random.default_rng(6)
    if resets:
        data = replace(data, resets=random.random((3, 30)) < 0.3)
    compare(spec, data, weights, Recipe(truncation=4))
    values = {name: random.standard_normal((3, *width)) for name, width in state_shapes(spec).items()}
    found = []
    for backend in (NumpyBackend(), ReferenceBackend()):
        program = backend.build(spec, weights, Recipe(carry=True, truncation=8), SCAN)
        placed = program.place(data)
        scores, final = program.predict(placed, program.make_state(values))
        program.step(placed, program.make_state(values))
        found.append((scores, program.read_state(final), program.parameters()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-10, atol=1e-12)
    for mine, other in zip(found[0][1:], found[1][1:], strict=True):
        for name, value in other.items():
            np.testing.assert_allclose(mine[name], value, rtol=1e-7, atol=1e-9, err_msg=name)


@given(
    time=st.integers(1, 70),
    rows=st.integers(1, 3),
    width=st.sampled_from([1, 5, BLOCKED + 1]),
    numbers=st.sampled_from(["float32", "float64", "complex128"]),
    reverse=st.booleans(),
)
def test_a_scan_is_the_loop(time: int, rows: int, width: int, numbers: str, reverse: bool) -> None:
    """With blocks and without, through views that run backwards too."""
    random = np.random.default_rng(time)
    a, b = (random.standard_normal((time, rows, width)).astype(numbers) for _ in range(2))
    if numbers == "complex128":
        a, b = a * np.exp(1j * b.real), b * np.exp(1j * a.real)
    a[random.random(time) < 0.1] = 0
    first, expected, state = b[0] * 2, np.empty_like(b), b[0] * 2
    if reverse:
        a, b, expected = a[::-1], b[::-1], expected[::-1]
    for t in range(time):
        state = a[t] * state + b[t]
        expected[t] = state
    out = np.empty_like(b.copy())
    scan(np, a, b, first, out)
    size = np.maximum.accumulate(np.abs(expected).max(axis=(1, 2)))[:, None, None]
    precision = 1e-4 if numbers == "float32" else 1e-12
    assert np.all(np.abs(out - expected) <= precision * size)


def test_what_runs_is_said() -> None:
    spec = model("decay")
    program = NumpyBackend().build(spec, parameters(spec), Recipe(), SCAN)
    assert program.kernel().startswith("associative_scan+")
    assert "has no affine step" in str(why_unsupported(NumpyBackend(), model("lstm"), Recipe(), SCAN))
