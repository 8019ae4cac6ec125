"""What the NumPy backend writes: decoders for any lengths, generating, and predictions as a stream."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.numpy_cases import ARCHITECTURES, batch, decoder_model, model, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Program
from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.backend import Kit, check_stream_predictions, check_training
from benchsuite.measure.conformance.cases import Case, carry_cases, decoder_cases
from benchsuite.measure.conformance.decoding import check_generation, check_teacher_forcing
from benchsuite.measure.decoding import beam_search, greedy_search
from benchsuite.measure.parity import compare
from benchsuite.schema import ATTENTIONS, BUILTIN_CELLS, Execution, ModelSpec, Recipe
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.placement import PlacedBatch
from benchsuite_numpy.reference import ReferenceBackend

DOUBLE = Execution(precision="float64")
UNROLLS = ["dynamic", "static"]
PRECISIONS = ["float64", "float32"]
ROWS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 6)), min_size=1, max_size=9)
"""Length of the inputs and of the targets, row by row."""


def execution(unroll: str = "dynamic", precision: str = "float64") -> Execution:
    return Execution.model_validate({"unroll": unroll, "precision": precision})


def build(spec: ModelSpec, recipe: Recipe | None = None, ran: Execution = DOUBLE) -> Program:
    return NumpyBackend().build(spec, parameters(spec, dtype=ran.dtype), recipe or Recipe(), ran)


def hold(spec: ModelSpec, data: Batch, unroll: str, recipe: Recipe | None = None) -> None:
    """One backward pass agrees with the reference's."""
    fast = build(spec, recipe, execution(unroll))
    plain = ReferenceBackend().build(spec, parameters(spec), recipe or Recipe(), DOUBLE)
    comparison = compare(fast.gradients(fast.place(data)), plain.gradients(plain.place(data)), "float64")
    assert comparison.ok, comparison.sentence()


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    rows=ROWS,
    architecture=st.sampled_from(list(ARCHITECTURES)),
    inputs=st.sampled_from(["features", "tokens"]),
    truncation=st.sampled_from([None, 1, 3]),
    unroll=st.sampled_from(UNROLLS),
    more=st.integers(0, 2),
    hidden=st.integers(1, 5),
)
def test_any_lengths(
    cell: str,
    attention: str,
    rows: list[tuple[int, int]],
    architecture: str,
    inputs: str,
    truncation: int | None,
    unroll: str,
    more: int,
    hidden: int,
) -> None:
    spec = decoder_model(cell, architecture, attention, inputs, hidden=hidden)
    lengths, written = zip(*rows, strict=True)
    data = batch(spec, lengths, time=max(lengths) + more, target_lengths=written)
    data = replace(data, targets=np.pad(data.targets, [(0, 0), (0, more)]))
    hold(spec, data, unroll, Recipe(truncation=truncation))


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("kind", ATTENTIONS)
def test_batches_wide_and_narrow(kind: str, unroll: str) -> None:
    """More rows than a block of the attention's step holds, and more scores than a block of the loss does."""
    random = np.random.default_rng(0)
    spec = decoder_model("gru", "bidirectional", kind, hidden=40, vocabulary=700)
    data = batch(
        spec, random.integers(1, 13, 130).tolist(), target_lengths=random.integers(1, 8, 130).tolist()
    )
    hold(spec, data, unroll)


@pytest.mark.parametrize("unroll", UNROLLS)
def test_attention_that_keeps_nothing(monkeypatch: pytest.MonkeyPatch, unroll: str) -> None:
    """Over long inputs tanh is computed again in the backward pass."""
    monkeypatch.setattr("benchsuite_numpy.attention.KEPT", 0)
    hold(decoder_model("lstm", "deep"), batch(decoder_model(), [9, 2, 5], target_lengths=[2, 6, 4]), unroll)


def test_the_decoder_follows_the_lengths_of_the_targets() -> None:
    spec = decoder_model()
    data = batch(spec, [2, 6, 4], target_lengths=[5, 1, 3])
    placed, static = build(spec).place(data), build(spec, ran=execution("static")).place(data)
    assert isinstance(placed, PlacedBatch)
    assert isinstance(static, PlacedBatch)
    assert placed.decoder_targets is not None
    assert static.decoder_targets is not None
    assert placed.plan.live == (3, 3, 2, 2, 1, 1)
    assert placed.decoder_targets.plan.live == (3, 2, 2, 1, 1)
    assert static.decoder_targets.plan.widths == (3,) * 5
    assert [placed.order.tolist(), placed.decoder_targets.order.tolist()] == [[1, 2, 0], [0, 2, 1]]


TRAINED = [case for case in decoder_cases() if case.name.endswith(("-plain", "-deep_bidirectional"))]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", TRAINED, ids=[case.name for case in TRAINED])
def test_ten_steps_of_training(case: Case, precision: str) -> None:
    check_training(Kit(NumpyBackend(), ReferenceBackend(), execution(precision=precision)), case)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", carry_cases(), ids=[case.name for case in carry_cases()])
def test_predictions_of_a_stream(case: Case, precision: str) -> None:
    check_stream_predictions(Kit(NumpyBackend(), ReferenceBackend(), execution(precision=precision)), case)


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("case", decoder_cases(), ids=[case.name for case in decoder_cases()])
def test_what_it_generates_is_what_the_reference_generates(case: Case, unroll: str) -> None:
    kit = Kit(NumpyBackend(), ReferenceBackend(), execution(unroll))
    check_teacher_forcing(kit, case)
    check_generation(kit, case)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_generating_goes_on_while_the_program_works(attention: str) -> None:
    """Other batches, predictions and gradients in between change nothing of what is being generated."""
    spec = decoder_model("lstm", "deep", attention)
    data, other = batch(spec, [6, 2, 4]), batch(spec, [3, 7], seed=2)
    program = build(spec)
    placed = program.place(data)
    quiet, busy = (program.decoding(placed, 2, aligned=True) for _ in range(2))
    tokens, parents = np.full(6, 2, np.int32), np.array([1, 0, 2, 2, 5, 4])
    expected = [quiet.advance(tokens + t, parents, 3) for t in range(3)]
    for t, wanted in enumerate(expected):
        program.gradients(program.place(other))
        program.predict(program.place(other))
        found = busy.advance(tokens + t, parents, 3)
        np.testing.assert_array_equal(found.log_probabilities, wanted.log_probabilities)
        np.testing.assert_array_equal(found.tokens, wanted.tokens)
        if attention != "none":
            np.testing.assert_array_equal(found.alignment, wanted.alignment)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_padding_takes_no_attention_and_changes_nothing(attention: str) -> None:
    spec = decoder_model("gru", "bidirectional", attention)
    data = batch(spec, [5, 2, 3], time=8)
    decoder = spec.decoder
    assert decoder is not None
    for unroll in UNROLLS:
        program = build(spec, ran=execution(unroll))
        placed = program.place(data)
        greedy = greedy_search(program, placed, decoder, 3, aligned=True)
        wide = beam_search(program, placed, decoder, 3, 3, aligned=True)
        for row, length in enumerate(data.lengths):
            alone = replace(
                data,
                inputs=data.inputs[[row], :length],
                lengths=data.lengths[[row]],
                targets=data.targets[[row]],
                target_lengths=None if data.target_lengths is None else data.target_lengths[[row]],
            )
            found = greedy_search(program, program.place(alone), decoder, 1)
            np.testing.assert_array_equal(found.tokens[0], greedy.tokens[row])
        for generated in (greedy, wide):
            assert (generated.alignment is None) == (attention == "none")
            if generated.alignment is not None:
                assert generated.alignment.shape == (3, decoder.limit, 8)
                sums = generated.alignment.sum(axis=2)
                np.testing.assert_allclose(sums, np.round(sums), atol=1e-12)
                np.testing.assert_allclose(sums[generated.tokens > 0], 1)
                assert not generated.alignment[1, :, 2:].any()


@pytest.mark.parametrize("k", [1, 3, 6, 20])
@pytest.mark.parametrize("vocabulary", [6, 30])
def test_of_equal_scores_the_smaller_token_comes_first(vocabulary: int, k: int) -> None:
    """All tokens are equally likely; not more are told of than there are."""
    spec, told = decoder_model(vocabulary=vocabulary), min(k, vocabulary)
    weights = parameters(spec)
    weights |= {name: np.zeros_like(weights[name]) for name in ("out.W", "out.b")}
    program = NumpyBackend().build(spec, weights, Recipe(), DOUBLE)
    found = program.decoding(program.place(batch(spec, [3, 2]))).advance(np.full(2, 2), np.arange(2), k)
    np.testing.assert_allclose(found.log_probabilities, np.full((2, told), -np.log(vocabulary)), rtol=1e-14)
    assert found.log_probabilities.dtype == np.float64
    assert found.tokens.dtype == np.int32
    np.testing.assert_array_equal(found.tokens, [range(told)] * 2)


def test_a_model_without_a_decoder_generates_nothing() -> None:
    silent = build(model())
    with pytest.raises(UnsupportedError, match="no decoder"):
        silent.decoding(silent.place(batch(model(), [2])))
