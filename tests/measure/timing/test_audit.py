"""A program that queues its work and does not wait for it is caught; one that waits is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest
from fixtures.queueing import WORK_SECONDS, ForgetfulProgram, QueueingProgram, queueing
from fixtures.tiny import program, sign_batcher, sign_data, sign_model
from fixtures.two_threads import burn_in_threads, seen_while_two_cores_are_free

from benchsuite.contracts import Batch, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.measure.timing import (
    Samples,
    StepAudit,
    answers_from_memory,
    exceeds_threads,
    steady_state,
    too_many_threads,
    unsynchronised,
)
from benchsuite.measure.timing.cores import cores_of, keep_on
from benchsuite.schema import INVALID_TIMING, Protocol, Recipe
from benchsuite_numpy.reference import ReferenceProgram

Kind = TypeVar("Kind", bound=ReferenceProgram)


def made(kind: type[Kind]) -> Kind:
    """A program of this kind."""
    model = sign_model(hidden=2)
    return kind(model, program(model, Recipe()).parameters(), Recipe(), "float64")


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


def stepping(program: Program, batch: Batch) -> Callable[[], None]:
    def step() -> None:
        program.step(batch)

    return step


def test_a_program_that_waits_is_not(honest: QueueingProgram, batch: Batch) -> None:
    assert not unsynchronised(honest, lambda: honest.step(batch), WORK_SECONDS)


def test_a_program_that_works_at_once_is_not(batch: Batch) -> None:
    plain: Program = program(sign_model(hidden=2), Recipe())
    assert not unsynchronised(plain, stepping(plain, batch), 1e-3)


def test_an_expensive_readback_is_no_proof_of_guilt(batch: Batch) -> None:
    class Slow(ReferenceProgram):
        def parameters(self) -> Parameters:
            time.sleep(0.05)
            return super().parameters()

    slow = made(Slow)
    assert not unsynchronised(slow, stepping(slow, batch), 1e-3)


@pytest.mark.parametrize("slow", [1, 3])
def test_a_reading_that_was_interrupted_once_is_no_proof_of_guilt(batch: Batch, slow: int) -> None:
    """Another process had the core while the parameters were read: the next blocks show that all was done."""
    readings = iter(range(1, 100))

    class Interrupted(ReferenceProgram):
        def parameters(self) -> Parameters:
            if next(readings) == slow:
                time.sleep(0.2)
            return super().parameters()

    interrupted = made(Interrupted)
    assert not unsynchronised(interrupted, stepping(interrupted, batch), 1e-3)


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


class Idle(ReferenceProgram):
    """Goes forward and skips the way back."""

    def step(self, placed: Any, state: Any = None) -> None:
        before = self.parameters()
        super().step(placed, state)
        self.load_parameters(before)


class Forgetful(ReferenceProgram):
    """Skips every second step."""

    count = 0

    def step(self, placed: Any, state: Any = None) -> None:
        self.count += 1
        if self.count % 2:
            super().step(placed, state)


class Remembering(ReferenceProgram):
    """Answers from memory when it is asked the same again."""

    known: np.ndarray | None = None

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, object]:
        if self.known is None:
            self.known = super().predict(placed, state)[0]
        return self.known, None


class LooksUp(ReferenceProgram):
    """Answers from memory, and forgets its answers whenever the parameters change."""

    def __init__(self, *arguments: Any) -> None:
        self.known: dict[int, tuple[np.ndarray, object]] = {}
        super().__init__(*arguments)

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, object]:
        if id(placed) not in self.known:
            self.known[id(placed)] = super().predict(placed, state)
        return self.known[id(placed)]

    def load_parameters(self, parameters: Parameters) -> None:
        self.known.clear()
        super().load_parameters(parameters)


@pytest.mark.parametrize(("kind", "remembered"), [(ReferenceProgram, False), (LooksUp, True)])
def test_predictions_that_are_looked_up_are_noticed(
    kind: type[ReferenceProgram], remembered: bool, batch: Batch
) -> None:
    predicting = made(kind)
    before = predicting.parameters()

    def predict() -> None:
        predicting.predict(batch)

    found = steady_state(predict, predicting.synchronize, Protocol(rounds=5, round_seconds=0.01))
    assert answers_from_memory(predicting, [batch], found.summary.median) is remembered
    after = predicting.parameters()
    assert all(np.array_equal(after[name], value) for name, value in before.items())


class Replaying(ReferenceProgram):
    """Reports the first loss ever after."""

    def drain(self) -> StepLog:
        log = super().drain()
        return StepLog(np.full_like(log.loss, log.loss[:1].sum()), log.norm, log.peak)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (ReferenceProgram, ""),
        (Idle, "idle"),
        (Forgetful, "incomplete"),
        (Remembering, "cached"),
        (Replaying, "cached"),
    ],
)
def test_steps_that_are_none_are_named(kind: type[ReferenceProgram], word: str, batch: Batch) -> None:
    stepped = made(kind)
    audit = StepAudit(stepped, batch)
    for _ in range(20):
        stepped.step(batch)
    assert audit.problem(20) == word
    assert word in ("", *INVALID_TIMING)


@pytest.mark.parametrize(("busy", "threads", "expected"), [(0.9, 1, False), (1.9, 1, True), (1.9, 2, False)])
def test_more_processor_time_than_the_threads_have_is_noticed(
    busy: float, threads: int, expected: bool
) -> None:
    wall = np.array([0.1, 0.12, 0.11])
    assert too_many_threads(Samples(wall, busy * wall, 1, 3, True), threads) is expected


class Burning(ReferenceProgram):
    """Computes hashes in `threads` threads in place of a step."""

    threads = 1

    def step(self, placed: Any, state: Any = None) -> None:
        del placed, state
        burn_in_threads(*[4] * self.threads)


@pytest.fixture
def kept_on_one_core() -> Iterator[None]:
    everywhere = cores_of()
    if len(everywhere) < 2:
        pytest.skip("needs Linux and two cores")
    keep_on([min(everywhere)])
    yield
    keep_on(everywhere)


@pytest.mark.usefixtures("kept_on_one_core")
def test_threads_beyond_the_trials_are_caught_on_a_core_that_hides_them(batch: Batch) -> None:
    burning = made(Burning)
    assert not any(exceeds_threads(burning, [batch], 1) for _ in range(5))
    burning.threads = 2
    assert seen_while_two_cores_are_free(lambda: exceeds_threads(burning, [batch], 1))
    assert not exceeds_threads(burning, [batch], 2)


class Bursting(Burning):
    """Has a second thread for a tenth of the time, 20 ms at once, as a collection of garbage might."""

    def step(self, placed: Any, state: Any = None) -> None:
        self.threads = 1 if int(time.perf_counter() * 50) % 10 else 2
        super().step(placed, state)


class HandingOver(ReferenceProgram):
    """Computes in a thread of its own, and does something else for a third of that time, as JAX does."""

    def step(self, placed: Any, state: Any = None) -> None:
        del placed, state
        burn_in_threads(1, 3)


@pytest.mark.usefixtures("kept_on_one_core")
@pytest.mark.parametrize("kind", [Bursting, HandingOver])
def test_what_is_done_beside_the_steps_is_no_proof(kind: type[ReferenceProgram], batch: Batch) -> None:
    assert not any(exceeds_threads(made(kind), [batch], 1) for _ in range(10))


def test_a_process_that_is_kept_nowhere_is_judged_by_its_rounds_alone(batch: Batch) -> None:
    burning = made(Burning)
    burning.threads = 2
    assert not exceeds_threads(burning, [batch], 1)
