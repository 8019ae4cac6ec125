"""The track of a race: a worker for each racer, all alive together, one of them at work at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchsuite.contracts import BackendEntry, Progress, RaceSample, Ready, RunOptions
from benchsuite.errors import BenchsuiteError, RequestError, WorkerError
from benchsuite.measure.worker.channel import Answer, AskExamine, AskReady, AskSample, Command
from benchsuite.plugins import registry
from benchsuite.running.executors.keys import worker_key
from benchsuite.running.executors.parallel import ask_all
from benchsuite.running.executors.pinning import available, slots, wanted_threads
from benchsuite.running.executors.pool import WorkerPool
from benchsuite.running.executors.supervisor import QUESTION_SECONDS, Ended, WorkerProcess
from benchsuite.schema import Trial

MOST_RACERS = 8
"""Racers that may be at the start together; each holds an imported framework in memory."""

LAP_SECONDS = 60.0
SLOWNESS = 100.0
"""A lap may take LAP_SECONDS, or so many times as long as the warm-up foretold."""

Listener = Callable[[Progress], None]


class RaceWorker:
    """One trial and the worker it has for the race.

    problem  why it is not at the start, or ""; broken: that is a fault, not something this machine lacks
    ready    what the worker said of it at the start
    """

    def __init__(self, trial: Trial, worker: WorkerProcess | None, problem: str = "") -> None:
        self.trial, self.worker = trial, worker
        self.problem, self.broken = problem, bool(problem)
        self.ready = Ready(problem)

    def examine(self) -> None:
        """Have the framework loaded, and ask whether the trial can run here."""
        answer = self._ask(AskExamine((self.trial,)), QUESTION_SECONDS)
        if isinstance(answer, list) and answer[0].reason:
            self.problem, self.broken = answer[0].reason, answer[0].broken

    def get_ready(self, what: str, timeout: float | None, on_progress: Listener) -> None:
        """Build, prove parity, warm up: nobody else may be at work."""
        answer = self._ask(AskReady(self.trial, what), timeout, on_progress)
        if isinstance(answer, Ready):
            self.ready = answer
            self.problem, self.broken = answer.problem, bool(answer.problem)

    def lap(self) -> RaceSample:
        """Raises WorkerError when the racer is out."""
        limit = max(LAP_SECONDS, SLOWNESS * self.ready.seconds * self.ready.batches * (self.ready.calls + 1))
        answer = self._ask(AskSample(self.ready.calls), limit)
        if not isinstance(answer, RaceSample) or answer.problem:
            raise WorkerError(answer.problem if isinstance(answer, RaceSample) else self.problem)
        return answer

    def _ask(self, command: Command, seconds: float | None, hear: Listener | None = None) -> Answer | None:
        """The worker's answer; None, and a problem, when it ended instead."""
        assert self.worker is not None
        for answer in self.worker.ask(command, seconds):
            if isinstance(answer, Progress):
                if hear is not None:
                    hear(answer)
            elif isinstance(answer, Ended):
                said = f"; it said: {line}" if (line := self.worker.telling_line) else ""
                self.problem, self.broken = f"{answer.reason}{said}", True
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
        self._options, self._pythons = options, dict(options.pythons)
        self._backends = registry().backends if backends is None else backends
        self._pool = WorkerPool(module, MOST_RACERS)
        self.cores: tuple[int, ...] = ()
        self.remark = ""
        threads = wanted_threads(trials) if options.pin else 0
        if threads:
            order = available()
            self.cores = next(iter(slots(1, threads, order)), ())
            if order and not self.cores:
                self.remark = (
                    f"racers are not kept on the same cores: {threads} threads need as many cores, and this "
                    f"process may use {len(order)}"
                )

    @contextlib.contextmanager
    def start(self, trials: Sequence[Trial], what: str, hear: Listener) -> Iterator[list[RaceWorker]]:
        """The trials at the start, each with its problem if it has one, for as long as the context lasts."""
        entrants: list[RaceWorker] = []
        try:
            entrants.extend(self._enter(trial) for trial in trials)
            # frameworks load side by side; what is measured comes one by one
            ask_all(RaceWorker.examine, _well(entrants), os.cpu_count() or 1, self._pool.kill_lent)
            for entrant in _well(entrants):
                assert entrant.worker is not None
                if self.cores and entrant.trial.execution.device == "cpu":
                    entrant.worker.keep_on(self.cores[: entrant.trial.execution.threads])
                entrant.get_ready(what, self._options.timeout, hear)
            yield entrants
        except BaseException:
            # a worker in the middle of a lap serves no other race
            self._pool.kill_lent()
            raise
        finally:
            for entrant in entrants:
                if entrant.worker is not None:
                    self._pool.take_back(entrant.worker)

    def _enter(self, trial: Trial) -> RaceWorker:
        try:
            key = worker_key(self._backends, self._pythons, trial.backend, trial.execution)
            return RaceWorker(trial, self._pool.lend(key))
        except BenchsuiteError as error:
            return RaceWorker(trial, None, str(error))

    def close(self) -> None:
        self._pool.kill_lent()
        self._pool.close()

    def __enter__(self) -> RaceRunner:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _well(entrants: Sequence[RaceWorker]) -> list[RaceWorker]:
    return [entrant for entrant in entrants if not entrant.problem]
