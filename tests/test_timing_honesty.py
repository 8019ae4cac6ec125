"""A program that queues its work and does not wait for it is caught; one that waits is not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from queueing import WORK_SECONDS, ForgetfulProgram, QueueingProgram, queueing
from tiny import program, sign_batcher, sign_data, sign_model

from benchsuite.contracts import Batch, Program
from benchsuite.contracts.backend import Parameters
from benchsuite.spec import Protocol, Recipe
from benchsuite.timing import steady_state, unsynchronised
from benchsuite_numpy.reference import ReferenceProgram


@pytest.fixture
def batch() -> Batch:
    data = sign_data()
    return next(sign_batcher(data, rows=4).epoch(data.train, 0, 0))


@pytest.fixture
def honest() -> Iterator[QueueingProgram]:
    made = queueing(QueueingProgram, sign_model(hidden=2), Recipe())
    yield made
    made.stop()


@pytest.fixture
def forgetful() -> Iterator[QueueingProgram]:
    made = queueing(ForgetfulProgram, sign_model(hidden=2), Recipe())
    yield made
    made.stop()


def test_a_program_that_forgets_to_wait_is_caught(forgetful: QueueingProgram, batch: Batch) -> None:
    assert unsynchronised(forgetful, lambda: forgetful.step(batch), 1e-4)


def test_a_program_that_waits_is_not(honest: QueueingProgram, batch: Batch) -> None:
    assert not unsynchronised(honest, lambda: honest.step(batch), WORK_SECONDS)


def test_a_program_that_works_at_once_is_not(batch: Batch) -> None:
    plain: Program = program(sign_model(hidden=2), Recipe())
    assert not unsynchronised(plain, lambda: plain.step(batch), 1e-3)


def test_an_expensive_readback_is_no_proof_of_guilt(batch: Batch) -> None:
    class Slow(ReferenceProgram):
        def parameters(self) -> Parameters:
            time.sleep(0.05)
            return super().parameters()

    model = sign_model(hidden=2)
    slow = Slow(model, program(model, Recipe()).parameters(), Recipe(), "float64")
    assert not unsynchronised(slow, lambda: slow.step(batch), 1e-3)


def test_the_forgetful_one_would_have_looked_far_too_fast(
    honest: QueueingProgram, forgetful: QueueingProgram, batch: Batch
) -> None:
    """What the check guards against: the same work, timed by the same protocol."""
    protocol = Protocol(rounds=3, round_seconds=0.004, warmup_seconds=0.02)
    true = steady_state(lambda: honest.step(batch), honest.synchronize, protocol).summary.median
    assert true >= WORK_SECONDS
    begin = time.perf_counter()
    for _ in range(20):
        forgetful.step(batch)
    forgetful.synchronize()
    assert (time.perf_counter() - begin) / 20 < WORK_SECONDS / 2
