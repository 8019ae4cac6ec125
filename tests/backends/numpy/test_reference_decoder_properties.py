"""What must hold of the reference's sequences for any lengths: neither padding nor companions matter, and
attention is a share of the valid steps."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, model, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Gradients
from benchsuite.contracts.backend import Parameters
from benchsuite.schema import ATTENTIONS, BUILTIN_CELLS, Execution, ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_numpy.reference.model import forward

KINDS = [*ATTENTIONS, "ctc"]
ARCHITECTURES = ["plain", "deep_bidirectional"]
ROWS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=2, max_size=4)
"""Length of the inputs and of the targets, row by row."""


def case(kind: str, cell: str, architecture: str, rows: list[tuple[int, int]]) -> tuple[ModelSpec, Batch]:
    """A decoder with attention `kind`, or CTC with labels that fit."""
    lengths = [length for length, _ in rows]
    if kind == "ctc":
        spec = model(cell, architecture, loss="ctc", readout="steps")
        return spec, batch(
            spec, lengths, target_lengths=[min(count, (length + 1) // 2) for length, count in rows]
        )
    spec = decoder_model(cell, architecture, kind)
    return spec, batch(spec, lengths, target_lengths=[count for _, count in rows])


def run(spec: ModelSpec, data: Batch) -> Gradients:
    program = ReferenceBackend().build(spec, parameters(spec), Recipe(), Execution(precision="float64"))
    return program.gradients(data)


def padded(array: np.ndarray, lengths: np.ndarray, more: int, rubbish: bool) -> np.ndarray:
    """`more` steps behind array (B, T, ...); from each row's length on whole numbers, or what was there."""
    wide = np.pad(array, [(0, 0), (0, more)] + [(0, 0)] * (array.ndim - 2))
    beyond = np.arange(wide.shape[1]) >= lengths[:, None]
    if rubbish:
        wide[beyond] = np.random.default_rng(0).integers(1, 3, wide[beyond].shape)
    return wide


def assert_same(a: Parameters, b: Parameters) -> None:
    for name, value in a.items():
        np.testing.assert_allclose(value, b[name], rtol=1e-10, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=5, deadline=None, derandomize=True)
@given(rows=ROWS, more=st.integers(0, 3), more_written=st.integers(0, 3))
def test_padding_does_not_matter(
    cell: str, kind: str, architecture: str, rows: list[tuple[int, int]], more: int, more_written: int
) -> None:
    """Neither of the inputs nor of the targets, whatever it holds."""
    spec, data = case(kind, cell, architecture, rows)
    assert data.target_lengths is not None
    other = Batch(
        padded(data.inputs, data.lengths, more, True),
        data.lengths,
        padded(data.targets, data.target_lengths, more_written, True),
        target_lengths=data.target_lengths,
    )
    a, b = run(spec, data), run(spec, other)
    assert a.loss == pytest.approx(b.loss, rel=1e-12)
    assert_same(a.parameters, b.parameters)
    wide = {
        name: padded(value, data.lengths, more_written if name.startswith("dec") else more, False)
        for name, value in a.states.items()
    }
    assert_same(wide, b.states)
    scores = padded(a.predictions, data.lengths, more if kind == "ctc" else more_written, False)
    np.testing.assert_allclose(scores, b.predictions, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=5, deadline=None, derandomize=True)
@given(rows=ROWS)
def test_companions_do_not_matter(
    cell: str, kind: str, architecture: str, rows: list[tuple[int, int]]
) -> None:
    """The loss is the weighted mean of the rows' losses, each row taken alone and unpadded: by target tokens
    with a decoder, by rows under CTC."""
    spec, data = case(kind, cell, architecture, rows)
    assert data.target_lengths is not None
    together, counts = run(spec, data), data.target_lengths
    weights = np.ones(len(rows)) if kind == "ctc" else counts.astype(float)
    weights /= weights.sum()
    alone = []
    for row, (length, count) in enumerate(zip(data.lengths, counts, strict=True)):
        one = Batch(
            data.inputs[row : row + 1, :length],
            data.lengths[row : row + 1],
            data.targets[row : row + 1, :count],
            target_lengths=counts[row : row + 1],
        )
        alone.append(run(spec, one))
        scored = length if kind == "ctc" else count
        np.testing.assert_allclose(
            alone[-1].predictions[0], together.predictions[row, :scored], rtol=1e-11, atol=1e-13
        )
        assert not together.predictions[row, scored:].any()
    assert together.loss == pytest.approx(sum(w * one.loss for w, one in zip(weights, alone, strict=True)))
    summed = {
        name: sum(w * one.parameters[name] for w, one in zip(weights, alone, strict=True))
        for name in together.parameters
    }
    assert_same(together.parameters, summed)


@pytest.mark.parametrize("attention", ["additive", "multiplicative"])
@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows=ROWS, cell=st.sampled_from(list(BUILTIN_CELLS)), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_attention_is_a_share_of_the_valid_steps(
    attention: str, cell: str, rows: list[tuple[int, int]], scale: float
) -> None:
    """One in sum, never negative, nothing on padding, also where scores are far too large for exp."""
    spec, data = case(attention, cell, "plain", rows)
    weights = {
        name: scale * value if name.startswith("attn.") else value for name, value in parameters(spec).items()
    }
    decoder = forward(spec, weights, data).decoder
    assert decoder is not None
    beyond = np.arange(data.time) >= data.lengths[:, None]
    for step in decoder.steps:
        assert step.attention_step is not None
        assert not step.attention_step.weights[beyond].any()
        assert (step.attention_step.weights >= 0).all()
        assert step.attention_step.weights.sum(axis=1) == pytest.approx(np.ones(data.size), rel=1e-13)
