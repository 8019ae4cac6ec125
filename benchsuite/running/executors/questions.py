"""What workers are asked before any trial runs: what a backend has, and which trials it can run."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.contracts import BackendInfo, TrialSupport
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.worker.channel import CheckSupport, Content, DescribeBackend, WorkerCommand
from benchsuite.running.executors.endings import Ended
from benchsuite.running.executors.keys import WorkerKey
from benchsuite.running.executors.pool import WorkerPool
from benchsuite.running.executors.starting import starting
from benchsuite.running.executors.supervisor import QUESTION_SECONDS
from benchsuite.schema import Status, Trial

LEAST_QUESTION_SECONDS = 20.0
"""How long a worker may take to load its framework and to answer, however short a trial's time is."""

MOST_WAIT_SECONDS = 60.0
"""How long a question waits until no trial of the machine is timed; then it is asked all the same."""

MOST_LOST = 12
"""Workers of one kind that may be lost while they answer; after that its other trials are not asked about."""


class Questions:
    """Asks the workers of `pool`. An answer may take as long as a trial: at least LEAST_QUESTION_SECONDS, at
    most QUESTION_SECONDS."""

    def __init__(self, pool: WorkerPool, timeout: float | None) -> None:
        self._pool = pool
        self._seconds = QUESTION_SECONDS if timeout is None else timeout
        self._seconds = min(max(self._seconds, LEAST_QUESTION_SECONDS), QUESTION_SECONDS)

    def describe(self, key: WorkerKey) -> BackendInfo:
        """What a backend has; a worker that is lost is the answer's problem."""
        answer, _ = self.ask(key, DescribeBackend())
        if isinstance(answer, BackendInfo):
            return answer
        return BackendInfo(key.backend, str(answer), {}, {}, "", broken=True)

    def check_support(self, key: WorkerKey, trials: Sequence[Trial]) -> list[TrialSupport]:
        """Whether each trial can run, in their order.

        A worker that is lost while it answers costs only the trials that lose it: the others are asked about
        again, in halves. Where already the first one is lost to a question about no trial, or nothing came in
        time, nothing else is tried.
        """
        answer, lost = self.ask(key, CheckSupport(trials=tuple(trials)))
        if isinstance(answer, list):
            return answer
        reason = str(answer)
        if lost and not isinstance(self.ask(key, DescribeBackend())[0], str):
            return _Halving(self, key).answer(trials, reason)
        return [TrialSupport(reason, broken=True)] * len(trials)

    def ask(self, key: WorkerKey, command: WorkerCommand) -> tuple[Content | str, bool]:
        """The answer, or why there is none; and whether the worker was lost, which another one may not be."""
        with starting(MOST_WAIT_SECONDS):
            return self._ask(key, command)

    def _ask(self, key: WorkerKey, command: WorkerCommand) -> tuple[Content | str, bool]:
        try:
            worker = self._pool.lend(key)
        except BenchsuiteError as error:
            return str(error), False
        try:
            answer = next(worker.ask(command, self._seconds))
        except BaseException:
            worker.kill()
            raise
        finally:
            self._pool.take_back(worker)
        if not isinstance(answer, Ended):
            return answer, False
        text = f"the worker of backend {key.backend!r} did not answer: {worker.explain(answer)}"
        return text, answer.status is not Status.TIMEOUT


class _Halving:
    """Finds the trials whose question ends their worker."""

    def __init__(self, questions: Questions, key: WorkerKey) -> None:
        self._questions, self._key, self._lost = questions, key, 0

    def answer(self, trials: Sequence[Trial], reason: str) -> list[TrialSupport]:
        """Ask about `trials` again, about whom a worker was lost for `reason`."""
        if self._lost >= MOST_LOST:
            return [TrialSupport(reason, broken=True)] * len(trials)
        found, lost = self._questions.ask(self._key, CheckSupport(trials=tuple(trials)))
        if isinstance(found, list):
            return found
        self._lost += 1
        if not lost or len(trials) == 1:
            return [TrialSupport(str(found), broken=True)] * len(trials)
        middle = len(trials) // 2
        return self.answer(trials[:middle], str(found)) + self.answer(trials[middle:], str(found))
