"""Where a gradient cancels, single precision is held to what it can give; a wrong formula is not excused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.numpy_cases import batch as decoder_batch
from fixtures.numpy_cases import decoder_model, parameters
from fixtures.tiny import trial

from benchsuite.contracts import Batch, Gradients
from benchsuite.contracts.decoding import Advance, Decoding
from benchsuite.errors import ContractError
from benchsuite.measure.batching import Chunk
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.parity import Widening
from benchsuite.measure.worker.parity_check import ParityCheck
from benchsuite.schema import Dense, Execution, ModelSpec, Recurrent, Tokens
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.program import NumpyProgram
from benchsuite_numpy.reference import ReferenceBackend

MODEL = ModelSpec(Tokens(50, 16), Recurrent("gru", 24), Dense(2), "cross_entropy")


def batch(ones: int) -> Batch:
    """64 texts filled up with padding that is read, `ones` of them of class one."""
    random = np.random.default_rng(0)
    ids = random.integers(1, 50, (64, 150))
    ids[np.arange(150) >= random.integers(5, 20, 64)[:, None]] = 0
    classes = np.arange(64) < ones
    return Batch(ids.astype(np.int32), np.full(64, 150, np.int32), classes.astype(np.int32))


def prove(given: Batch, kind: type[NumpyProgram] = NumpyProgram) -> ParityCheck:
    one = trial(execution={"precision": "float32"})
    weights = initial_parameters(MODEL, 0, "float32")
    # a bias that makes both classes likely almost alike: nearly all of the gradient cancels
    weights["out.b"] = _balancing(weights)
    proof = ParityCheck(ReferenceBackend(), MODEL, weights, one.recipe, "float32", [Chunk(given)])
    program = kind(MODEL, weights, one.recipe, Execution(precision="float32"))
    proof.hold_gradients(program)
    return proof


def _balancing(weights: dict[str, np.ndarray]) -> np.ndarray:
    program = NumpyBackend().build(MODEL, weights, trial().recipe, Execution(precision="float32"))
    scores = program.predict(program.place(batch(32)))[0].mean(axis=0)
    return np.array([0.0, scores[0] - scores[1] + 5e-3], np.float32)


class Wrong(NumpyProgram):
    """A gradient that is one per cent too long."""

    def gradients(self, placed: object) -> Gradients:
        found = super().gradients(placed)
        return replace(found, parameters={name: 1.01 * g for name, g in found.parameters.items()})


def test_a_gradient_that_cancels_is_held_to_the_digits_it_keeps() -> None:
    proof = prove(batch(32))
    assert proof.widened.backward > 1
    assert proof.comparison.ok, proof.comparison.sentence()
    assert proof.scalars()["parity/widened"] == proof.widened.backward


def test_a_gradient_that_does_not_is_held_to_the_tolerances() -> None:
    proof = prove(batch(3))
    assert proof.widened == Widening()
    assert proof.comparison.ok


@pytest.mark.parametrize("ones", [3, 32])
def test_a_wrong_gradient_is_a_breach_whatever_cancels(ones: int) -> None:
    assert not prove(batch(ones), Wrong).comparison.ok


def changed(change: Callable[[np.ndarray], Any]) -> type[NumpyProgram]:
    """Programs whose predict() gives `change` of the scores; their gradients() are right."""

    class Changed(NumpyProgram):
        def predict(self, placed: Any, state: Any = None) -> tuple[Any, Any]:
            scores, final = super().predict(placed, state)
            return change(scores), final

    return Changed


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda scores: scores[:, ::-1].copy(), id="classes reversed"),
        pytest.param(lambda scores: scores * np.float32(1.001), id="scaled"),
        pytest.param(lambda scores: scores * np.float32("nan"), id="not a number"),
        pytest.param(np.zeros_like, id="nothing"),
    ],
)
def test_other_scores_than_the_references_are_a_breach(change: Callable[[np.ndarray], Any]) -> None:
    found = prove(batch(3), changed(change)).comparison
    assert found.breaches == ["predictions/predict"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda scores: np.concatenate([scores, scores], axis=1),
            r"another shape .* \(64, 4\) given, \(64, 2\)",
        ),
        (lambda scores: scores[:-1], "another shape"),
        (lambda scores: scores.astype(np.float16), "predict.. gave float16, an array of float32"),
        (lambda scores: scores.astype(np.float64), "gave float64, an array of float32"),
        (lambda scores: scores.astype(np.complex64), "gave complex64"),
        (lambda scores: scores.astype(object), "gave object"),
        (lambda scores: scores.tolist(), "gave list"),
    ],
)
def test_another_shape_or_type_of_scores_is_against_the_contract(
    change: Callable[[np.ndarray], Any], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        prove(batch(3), changed(change))


class OddDecoding(Decoding):
    """Passes on what `inner` says, changed."""

    def __init__(self, inner: Decoding, change: Callable[[Advance], Advance]) -> None:
        self._inner, self._change = inner, change

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        return self._change(self._inner.advance(tokens, parents, k))


def generate(change: Callable[[Advance], Advance]) -> ParityCheck:
    """The check of a program whose decoding says `change` of what it should."""

    class Generates(NumpyProgram):
        def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
            return OddDecoding(super().decoding(placed, width, aligned), change)

    model = decoder_model("gru")
    one = trial(execution={"precision": "float64"})
    weights = parameters(model)
    proof = ParityCheck(
        ReferenceBackend(), model, weights, one.recipe, "float64", [Chunk(decoder_batch(model, (3, 5, 2)))]
    )
    proof.hold_gradients(Generates(model, weights, one.recipe, Execution(precision="float64")))
    return proof


def test_a_timing_may_come_between_any_two_functions() -> None:
    """Each of them may have to be compiled."""
    model, one, calls = decoder_model("gru"), trial(), list[str]()
    weights = parameters(model)

    class Telling(NumpyProgram):
        def gradients(self, placed: Any) -> Gradients:
            calls.append("gradients")
            return super().gradients(placed)

        def predict(self, placed: Any, state: Any = None) -> Any:
            calls.append("predict")
            return super().predict(placed, state)

        def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
            calls.append("decoding")
            return super().decoding(placed, width, aligned)

    chunk = Chunk(decoder_batch(model, (3, 5, 2)))
    proof = ParityCheck(ReferenceBackend(), model, weights, one.recipe, "float64", [chunk])
    program = Telling(model, weights, one.recipe, Execution(precision="float64"))
    proof.hold_gradients(program, lambda: calls.append("between"))
    assert calls == ["between", "gradients", "between", "predict", "between", "decoding"]


def test_generated_tokens_are_at_parity() -> None:
    found = generate(lambda said: said).comparison
    assert found.ok, found.sentence()
    assert "predictions/generated" in found.errors


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda said: replace(said, tokens=1 + said.tokens % 5), id="other tokens"),
        pytest.param(lambda said: replace(said, tokens=said.tokens[::-1].copy()), id="rows reversed"),
        pytest.param(lambda said: replace(said, log_probabilities=said.log_probabilities * 1.01), id="ln p"),
        pytest.param(lambda said: replace(said, log_probabilities=said.log_probabilities * np.nan), id="nan"),
    ],
)
def test_other_tokens_than_the_references_are_a_breach(change: Callable[[Advance], Advance]) -> None:
    assert generate(change).comparison.breaches == ["predictions/generated"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said: replace(said, tokens=said.tokens[:-1]), "advance.. gave tokens int32"),
        (lambda said: replace(said, tokens=said.tokens.astype(np.float32)), "gave tokens float32"),
        (lambda said: replace(said, tokens=said.tokens + 1000), "outside of the vocabulary"),
        (lambda said: replace(said, tokens=said.tokens - 1000), "outside of the vocabulary"),
    ],
)
def test_tokens_that_are_none_are_against_the_contract(
    change: Callable[[Advance], Advance], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        generate(change)
