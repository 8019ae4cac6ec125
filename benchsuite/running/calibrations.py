"""Calibrations for their own sake: the ways in which the trials of a matrix run on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.contracts import CalibratedTrial
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.worker.channel import CalibrateTrial
from benchsuite.plugins import registry
from benchsuite.running.checks import WORKER
from benchsuite.running.environments import interpreters
from benchsuite.running.executors.keys import worker_key
from benchsuite.running.executors.pool import WorkerPool
from benchsuite.running.executors.questions import Questions
from benchsuite.schema import Trial


def calibrate(
    trials: Sequence[Trial], pythons: Sequence[tuple[str, str]] = (), since: float = 0.0
) -> Iterator[tuple[Trial, CalibratedTrial]]:
    """Each trial with the way in which it runs, one after the other. What keeps one from being measured is its
    answer's problem.

    :param pythons: (backend, interpreter) pairs, as RunOptions has them.
    :param since: seconds since 1970; what was measured before is measured again.
    """
    used, pool = interpreters(pythons), WorkerPool(WORKER)
    questions = Questions(pool, None)
    try:
        for trial in trials:
            try:
                key = worker_key(registry().backends, used, trial.backend, trial.execution)
            except BenchsuiteError as error:
                yield trial, CalibratedTrial(str(error))
                continue
            answer, _ = questions.ask(key, CalibrateTrial(trial=trial, since=since))
            yield trial, answer if isinstance(answer, CalibratedTrial) else CalibratedTrial(str(answer))
    finally:
        pool.kill_lent()
        pool.close()
