"""The workers of a race: one per racer, all kept loaded, one running at a time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchsuite.contracts import BackendEntry, Progress, RaceSample, Ready, RunOptions
from benchsuite.errors import BenchsuiteError, RequestError, WorkerError
from benchsuite.measure.machine import MachineLock
from benchsuite.measure.timing.cores import cores_of
from benchsuite.measure.worker.channel import CheckSupport, Content, PrepareRacer, TakeSample, WorkerCommand
from benchsuite.plugins import registry
from benchsuite.running.environments.registration import interpreters
from benchsuite.running.executors.endings import Ended
from benchsuite.running.executors.keys import worker_key
from benchsuite.running.executors.parallel import ask_all
from benchsuite.running.executors.pinning import core_pool, wanted_threads
from benchsuite.running.executors.pool import WorkerPool
from benchsuite.running.executors.starting import starting
from benchsuite.running.executors.supervisor import QUESTION_SECONDS, WorkerProcess
from benchsuite.schema import Trial

MOST_RACERS = 8
"""Racers that may race together; each holds an imported framework in memory."""

SAMPLE_SECONDS = 60.0
RACE_WAIT_SECONDS = 60.0
"""How long a race waits for cores of its own, and until no trial is timed; then it begins all the same."""
SLOWNESS = 100.0
"""A sample may take SAMPLE_SECONDS, or so many times as long as the warm-up foretold."""

ProgressListener = Callable[[Progress], None]


class RaceWorker:
    """One trial and the worker it has for the race.

    problem  why it cannot race, or ""; broken: that is a fault, not something this machine lacks
    ready    the worker's answer when it was ready
    """

    def __init__(
        self, trial: Trial, worker: WorkerProcess | None, machine: MachineLock, problem: str = ""
    ) -> None:
        self.trial, self.worker, self._machine = trial, worker, machine
        self.problem, self.broken = problem, bool(problem)
        self.ready = Ready(problem)

    def check_support(self) -> None:
        """Have the framework loaded, and ask whether the trial can run here."""
        answer = self._ask(CheckSupport(trials=(self.trial,)), QUESTION_SECONDS)
        if isinstance(answer, list) and answer[0].reason:
            self.problem, self.broken = answer[0].reason, answer[0].broken

    def get_ready(self, what: str, timeout: float | None, on_progress: ProgressListener) -> None:
        """Build, check parity, warm up: no other racer may run meanwhile."""
        answer = self._ask(PrepareRacer(trial=self.trial, what=what), timeout, on_progress)
        if isinstance(answer, Ready):
            self.ready = answer
            self.problem, self.broken = answer.problem, bool(answer.problem)

    def sample(self) -> RaceSample:
        """Have the machine alone for one sample. Raises WorkerError when the racer is out."""
        limit = max(
            SAMPLE_SECONDS, SLOWNESS * self.ready.seconds * self.ready.batches * (self.ready.calls + 1)
        )
        with self._machine.exclusive():
            answer = self._ask(TakeSample(calls=self.ready.calls), limit)
        if not isinstance(answer, RaceSample) or answer.problem:
            raise WorkerError(answer.problem if isinstance(answer, RaceSample) else self.problem)
        return answer

    def _ask(
        self, command: WorkerCommand, seconds: float | None, on_event: ProgressListener | None = None
    ) -> Content | None:
        """The worker's answer; None, and a problem, when it ended instead."""
        assert self.worker is not None
        for answer in self.worker.ask(command, seconds):
            if isinstance(answer, Progress):
                if on_event is not None:
                    on_event(answer)
            elif isinstance(answer, Ended):
                self.problem, self.broken = self.worker.explain(answer), True
            else:
                return answer
        return None


class RaceRunner:
    """Starts workers for races, one race after another, and keeps them between races.

    cores  what all racers share; () where they are kept on none. remark: why that is so, or ""

    Raises RequestError where workers cannot be supervised.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        options: RunOptions,
        backends: Mapping[str, BackendEntry] | None = None,
        module: str = "benchsuite.measure.worker",
    ) -> None:
        """`trials` are those of all races."""
        if os.name != "posix":
            raise RequestError("a race needs Linux, macOS or WSL: workers are process groups")
        self._options, self._pythons = options, interpreters(options.pythons)
        self._backends = registry().backends if backends is None else backends
        self._pool = WorkerPool(module, MOST_RACERS)
        self._threads = wanted_threads(trials) if options.pin else 0
        self._own = core_pool(1, self._threads)
        self.cores: tuple[int, ...] = ()
        self._machine = MachineLock()
        self.remark = self._own.problem
        if self._threads and cores_of() and not (self._own.kept or self._own.problem):
            self.remark = (
                f"racers are not kept on the same cores: {self._threads} threads need as many cores, and this "
                f"process may use {len(cores_of())}"
            )

    @contextlib.contextmanager
    def start(
        self, trials: Sequence[Trial], what: str, on_event: ProgressListener
    ) -> Iterator[list[RaceWorker]]:
        """A worker per trial, ready to race or with its problem, for as long as the context lasts."""
        end = time.monotonic() + RACE_WAIT_SECONDS
        with self._own.leased(self._threads, lambda: time.monotonic() > end) as kept:
            self.cores = kept.cores
            with self._started(trials, what, on_event) as racers:
                yield racers

    @contextlib.contextmanager
    def _started(
        self, trials: Sequence[Trial], what: str, on_event: ProgressListener
    ) -> Iterator[list[RaceWorker]]:
        racers: list[RaceWorker] = []
        try:
            with starting(RACE_WAIT_SECONDS):
                racers.extend(self._worker(trial) for trial in trials)
                self._prepare(racers, what, on_event)
            yield racers
        except BaseException:
            # a worker in the middle of a sample serves no other race
            self._pool.kill_lent()
            raise
        finally:
            for racer in racers:
                if racer.worker is not None:
                    self._pool.take_back(racer.worker)

    def _prepare(self, racers: Sequence[RaceWorker], what: str, on_event: ProgressListener) -> None:
        # frameworks load side by side; what is measured comes one by one
        ask_all(RaceWorker.check_support, _well(racers), os.cpu_count() or 1, self._pool.kill_lent)
        for racer in _well(racers):
            assert racer.worker is not None
            if self.cores and racer.trial.execution.device == "cpu":
                racer.worker.keep_on(self.cores[: racer.trial.execution.threads])
            racer.get_ready(what, self._options.timeout, on_event)

    def _worker(self, trial: Trial) -> RaceWorker:
        try:
            key = worker_key(self._backends, self._pythons, trial.backend, trial.execution)
            return RaceWorker(trial, self._pool.lend(key), self._machine)
        except BenchsuiteError as error:
            return RaceWorker(trial, None, self._machine, str(error))

    def close(self) -> None:
        self._pool.kill_lent()
        self._pool.close()
        self._machine.close()

    def __enter__(self) -> RaceRunner:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _well(racers: Sequence[RaceWorker]) -> list[RaceWorker]:
    return [racer for racer in racers if not racer.problem]
