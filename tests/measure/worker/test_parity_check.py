"""Where a gradient cancels, single precision is held to what it can give; a wrong formula is not excused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.tiny import trial

from benchsuite.contracts import Batch, Gradients
from benchsuite.measure.batching import Chunk
from benchsuite.measure.initialisation import initial_parameters
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
    assert proof.widened > 1
    assert proof.comparison.ok, proof.comparison.sentence()
    assert proof.scalars()["parity/widened"] == proof.widened


def test_a_gradient_that_does_not_is_held_to_the_tolerances() -> None:
    proof = prove(batch(3))
    assert proof.widened == 1
    assert proof.comparison.ok


@pytest.mark.parametrize("ones", [3, 32])
def test_a_wrong_gradient_is_a_breach_whatever_cancels(ones: int) -> None:
    assert not prove(batch(ones), Wrong).comparison.ok
