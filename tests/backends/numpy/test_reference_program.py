"""The reference's program around the decoder: generating, training, and predictions as a stream."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, parameters

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import Case, carry_cases, decoder_cases
from benchsuite.measure.conformance.decoding import check_generation, check_teacher_forcing
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram

EXECUTION = Execution(precision="float64")


def build(
    spec: ModelSpec, recipe: Recipe | None = None, weights: Parameters | None = None
) -> ReferenceProgram:
    start = parameters(spec) if weights is None else weights
    return ReferenceBackend().build(spec, start, recipe or Recipe(), EXECUTION)


@pytest.mark.parametrize("case", decoder_cases(), ids=lambda c: c.name)
def test_what_it_generates_is_what_it_predicts(case: Case) -> None:
    """Fed the targets, whichever hypotheses go on; and searches agree among themselves."""
    kit = Kit(ReferenceBackend(), ReferenceBackend(), EXECUTION)
    check_teacher_forcing(kit, case)
    check_generation(kit, case)


def test_hypotheses_go_on_from_their_parents() -> None:
    """Two hypotheses exchange their places: what each wrote goes with it."""
    spec = decoder_model("lstm", "deep", "additive")
    data = batch(spec, [4, 2])
    program, same, turned = build(spec), np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2])
    kept, moved = program.decoding(data, 2), program.decoding(data, 2)
    first = np.array([1, 4, 5, 0], np.int32)
    for decoding in (kept, moved):
        decoding.advance(np.full(4, 2, np.int32), same, 3)
        decoding.advance(first, same, 3)
    a, b = kept.advance(first, same, 6), moved.advance(first[turned], turned, 6)
    assert np.array_equal(a.log_probabilities[turned], b.log_probabilities)
    assert np.array_equal(a.tokens[turned], b.tokens)
    assert not np.allclose(a.log_probabilities[0], a.log_probabilities[1])


def test_the_likeliest_tokens_come_first_and_no_more_than_there_are() -> None:
    spec = decoder_model(vocabulary=6)
    data = batch(spec, [4, 2])
    for k in (1, 4, 6, 50):
        found = build(spec).decoding(data, 3).advance(np.full(6, 2, np.int32), np.arange(6), k)
        assert found.tokens.shape == found.log_probabilities.shape == (6, min(k, 6))
        assert found.tokens.dtype == np.int32
        assert found.log_probabilities.dtype == np.float64
        assert (np.diff(found.log_probabilities) <= 0).all()
        assert found.alignment is None
    assert np.exp(found.log_probabilities).sum(axis=1) == pytest.approx(np.ones(6))


def test_a_step_moves_every_parameter() -> None:
    spec = decoder_model("lstm", "deep", "additive", "tokens")
    data, start = batch(spec, [4, 2], target_lengths=[3, 2]), parameters(spec)
    recipe = Recipe(optimiser="sgd", learning_rate=0.1, clip="norm")
    program = build(spec, recipe)
    expected = program.gradients(data)
    program.step(data)
    log = program.drain()
    assert log.loss.tolist() == [expected.loss]
    shrunk = min(1.0, recipe.clip_at / log.norm[0])
    for name, value in program.parameters().items():
        np.testing.assert_allclose(value, start[name] - 0.1 * shrunk * expected.parameters[name], rtol=1e-12)
        assert not np.array_equal(value, start[name]), name


@pytest.mark.parametrize("case", carry_cases(), ids=lambda c: c.name)
def test_chunks_predicted_one_after_the_other_are_the_sequence_predicted_whole(case: Case) -> None:
    """Training in between, and the gradients, neither see nor touch the states."""
    chunks = [case.batch("float64", index) for index in range(3)]
    program = ReferenceBackend().build(case.model, case.parameters("float64"), case.recipe, EXECUTION)
    alone = [build(case.model, weights=case.parameters("float64")).gradients(chunk).loss for chunk in chunks]
    found, state = [], None
    for chunk, expected in zip(chunks, alone, strict=True):
        scores, state = program.predict(chunk, state)
        found.append(scores)
        assert program.gradients(chunk).loss == expected
        program.step(case.batch("float64", 9))
        program.load_parameters(case.parameters("float64"))
    assert not np.allclose(found[1], program.predict(case.batch("float64", 1))[0])
    if case.ragged:
        return
    whole = Batch(
        np.concatenate([chunk.inputs for chunk in chunks], axis=1),
        np.array([chunk.lengths for chunk in chunks]).sum(axis=0).astype(np.int32),
        np.concatenate([chunk.targets for chunk in chunks], axis=1),
    )
    np.testing.assert_allclose(
        np.concatenate(found, axis=1), program.predict(whole)[0], rtol=1e-12, atol=1e-14
    )


def test_a_model_without_a_decoder_generates_nothing() -> None:
    plain = carry_cases()[0]
    with pytest.raises(UnsupportedError, match="has no decoder"):
        build(plain.model).decoding(plain.batch("float64"))
