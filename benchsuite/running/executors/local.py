"""LocalExecutor: trials in worker processes on this machine, supervised by the standard library alone."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing

from benchsuite.contracts import (
    BackendEntry,
    BackendInfo,
    Event,
    Executor,
    Finished,
    Progress,
    RunOptions,
    Started,
    TrialSupport,
)
from benchsuite.errors import BenchsuiteError, RequestError
from benchsuite.measure.worker.channel import RunTrial
from benchsuite.plugins import registry
from benchsuite.running.environments.registration import interpreters
from benchsuite.running.executors.capacity import fitting_jobs
from benchsuite.running.executors.endings import Ended
from benchsuite.running.executors.keys import WorkerKey, worker_key
from benchsuite.running.executors.memory import FREE_SHARE, available_memory
from benchsuite.running.executors.parallel import ItemT, ResultT, ask_all, run_parallel
from benchsuite.running.executors.pinning import CorePool, Kept, core_pool, wanted_threads
from benchsuite.running.executors.pool import MOST_IDLE, WorkerPool
from benchsuite.running.executors.questions import Questions
from benchsuite.running.executors.starting import starting
from benchsuite.running.executors.supervisor import WorkerProcess
from benchsuite.running.executors.topology import BINDING_VARIABLES, read_topology
from benchsuite.running.executors.trial_queue import TrialQueue
from benchsuite.schema import Cause, Execution, Record, Status, Trial

RETRIED: tuple[Cause, ...] = ("lost", "crash", "exit", "memory", "timeout", "interrupted")
"""Causes for which a trial can be tried again. An exception comes again."""


class LocalExecutor(Executor):
    """Serves trials from warm workers, one per interpreter, backend, device and environment variables.

    backends  the known backends, by default those of the installed plugins
    module    what `python -m` runs as a worker

    With one job the trials run in the caller's own thread and the next one starts only when the caller asks
    for the next event: what an observer does between two trials is never on the timed path.
    Raises RequestError for options out of range and where workers cannot be supervised.
    """

    def __init__(
        self,
        options: RunOptions,
        backends: Mapping[str, BackendEntry] | None = None,
        module: str = "benchsuite.measure.worker",
    ) -> None:
        if os.name != "posix":
            raise RequestError("the local executor needs Linux, macOS or WSL: workers are process groups")
        if options.isolation not in ("worker", "trial"):
            raise RequestError(f"isolation is 'worker' or 'trial', not {options.isolation!r}")
        if options.jobs is not None and options.jobs < 1:
            raise RequestError(f"jobs must be at least 1, not {options.jobs}")
        if options.timeout is not None and not options.timeout > 0:
            raise RequestError(f"a timeout is a number of seconds above 0, not {options.timeout}")
        if options.memory is not None and not options.memory > 0:
            raise RequestError(f"memory is a number of bytes above 0, not {options.memory}")
        for cause, times in options.retries:
            if cause not in RETRIED or times < 0:
                raise RequestError(
                    f"{cause} is retried {times} times: give one of {', '.join(RETRIED)}, and 0 or more times"
                )
        self._options = options
        self._pythons = interpreters(options.pythons)
        self._backends = registry().backends if backends is None else backends
        idle = MOST_IDLE if options.isolation == "worker" else 0
        self._pool = WorkerPool(module, idle, BINDING_VARIABLES if options.pin else ())
        self._questions = Questions(self._pool, options.timeout)
        self._stopping = threading.Event()

    def describe_backends(self, backends: Sequence[str]) -> list[BackendInfo]:
        return self._ask_all(self._describe_backend, backends)

    def _describe_backend(self, backend: str) -> BackendInfo:
        try:
            key = self._key(backend, Execution())
        except BenchsuiteError as error:
            return BackendInfo(backend, str(error), {}, {}, "", broken=True)
        return self._questions.describe(key)

    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]:
        groups: dict[WorkerKey, list[Trial]] = {}
        found: dict[str, TrialSupport] = {}
        for trial in trials:
            try:
                groups.setdefault(self._key(trial.backend, trial.execution), []).append(trial)
            except BenchsuiteError as error:
                found[trial.id] = TrialSupport(str(error), broken=True)
        answers = self._ask_all(lambda group: self._questions.check_support(*group), list(groups.items()))
        for group, supported in zip(groups.values(), answers, strict=True):
            found.update((trial.id, one) for trial, one in zip(group, supported, strict=True))
        return [found[trial.id] for trial in trials]

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        jobs = self.jobs(trials)
        self._stopping.clear()
        self._pool.keep_idle(jobs)
        memory = _memory_limit(self._options, jobs)
        cores = core_pool(jobs, wanted_threads(trials) if self._options.pin else 0)
        queue = TrialQueue([(trial, self._key_or_none(trial)) for trial in trials], self._pool, jobs)

        def run(trial: Trial) -> Iterator[Event]:
            with cores.taken(trial, self._stopping.is_set) as kept:
                if self._stopping.is_set():
                    return
                facts = _facts(jobs, cores, kept)
                for event in self._run(trial, kept.cores, memory):
                    yield Finished(_with_facts(event.record, facts)) if isinstance(event, Finished) else event

        if jobs > 1:
            return run_parallel(jobs, queue.take, run, self._stop)
        return _in_turn(queue.take, run)

    def jobs(self, trials: Sequence[Trial]) -> int:
        if self._options.jobs is not None:
            return self._options.jobs
        return fitting_jobs(trials, read_topology(look=False)) if trials else 1

    def remarks(self, trials: Sequence[Trial]) -> list[str]:
        """Whether there are too few cores to keep trials on cores of their own."""
        jobs, threads = self.jobs(trials), wanted_threads(trials)
        if not self._options.pin or not threads:
            return []
        found = read_topology(look=False)
        cores = CorePool(found, jobs, threads)
        several = f"{jobs} jobs of " if jobs > 1 else ""
        need = f"{several}{threads} thread{'s' * (threads > 1)} need {jobs * threads} cores"
        usable = min(len(found.order), found.allowed)
        if cores.problem:
            return [cores.problem]
        if found.order and not cores.kept:
            return [f"trials are not kept on cores of their own: {need}, and this process may use {usable}"]
        if found.order and jobs * threads > found.groups:
            return [
                f"two hardware threads of one core work at the same time: {need}; there are {found.groups}"
            ]
        return []

    def _stop(self) -> None:
        """End what runs, and what waits to run."""
        self._stopping.set()
        self._pool.kill_lent()

    def _run(self, trial: Trial, cores: Sequence[int], memory: int | None) -> Iterator[Event]:
        """One trial: what happens, and its record, that of the last attempt where it was tried again."""
        yield Started(trial)
        left, earlier = dict(self._options.retries), list[Record]()
        while True:
            record: Record | None = None
            with closing(self._attempt(trial, cores, memory)) as events:
                for event in events:
                    if isinstance(event, Finished):
                        record = event.record
                    else:
                        yield event
            assert record is not None, "an attempt ends with its record"
            if left.get(record.cause, 0) < 1:
                yield Finished(_after(earlier, record))
                return
            left[record.cause] -= 1
            earlier.append(record)

    def _attempt(
        self, trial: Trial, cores: Sequence[int], memory: int | None
    ) -> Generator[Event, None, None]:
        started = time.time()
        with starting(stopped=self._stopping.is_set) as works:
            try:
                worker = self._pool.lend(self._key(trial.backend, trial.execution))
            except BenchsuiteError as error:
                yield Finished(_record(trial, Ended(Status.FAILED, str(error), "lost"), "", started))
                return
            try:
                if cores:
                    worker.keep_on(cores)
                for answer in worker.ask(RunTrial(trial=trial), self._options.timeout, memory=memory):
                    works()
                    match answer:
                        case Progress():
                            yield answer
                        case Record():
                            yield Finished(_with_output(answer, worker))
                        case Ended():
                            yield Finished(_record(trial, answer, worker.output_tail, started))
            except BaseException:
                # interrupted, or the caller wants no more: a worker in the middle of a trial serves no other
                worker.kill()
                raise
            finally:
                self._pool.take_back(worker)

    def _ask_all(self, ask: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> list[ResultT]:
        """At the same time as far as there are processors: loading a framework takes seconds."""
        return ask_all(ask, items, os.cpu_count() or 1, self._pool.kill_lent)

    def close(self) -> None:
        self._stop()
        self._pool.close()

    def _key(self, backend: str, execution: Execution) -> WorkerKey:
        return worker_key(self._backends, self._pythons, backend, execution)

    def _key_or_none(self, trial: Trial) -> WorkerKey | None:
        try:
            return self._key(trial.backend, trial.execution)
        except BenchsuiteError:
            return None


def _in_turn(take: Callable[[], Trial | None], run: Callable[[Trial], Iterator[Event]]) -> Iterator[Event]:
    while (trial := take()) is not None:
        yield from run(trial)


def _with_output(record: Record, worker: WorkerProcess) -> Record:
    """The worker's last words belong to every trial that did not end well."""
    if record.status is Status.OK or record.output_tail:
        return record
    return record.model_copy(update={"output_tail": worker.output_tail})


def _after(earlier: Sequence[Record], record: Record) -> Record:
    """The record of the last attempt, which says how those before it ended."""
    if not earlier:
        return record
    facts = {"run.attempts": str(len(earlier) + 1)}
    facts |= {f"run.attempt_{n}": f"{one.cause}: {one.reason}" for n, one in enumerate(earlier, 1)}
    return record.model_copy(update={"environment": record.environment | facts})


def _memory_limit(options: RunOptions, jobs: int) -> int | None:
    """Bytes that each trial may use; None for no limit."""
    if options.memory is None:
        return int(FREE_SHARE * available_memory() / jobs)
    return None if math.isinf(options.memory) else int(options.memory)


def _record(trial: Trial, ended: Ended, output: str, started: float) -> Record:
    return Record(
        trial=trial,
        status=ended.status,
        cause=ended.cause,
        reason=ended.reason,
        output_tail=output,
        started=started,
        finished=time.time(),
    )


def _facts(jobs: int, cores: CorePool, kept: Kept) -> dict[str, str]:
    """What a record says of the run: `run.jobs`, and `run.cores`.

    That is `own`, `hardware threads` where another one of a physical core was taken too, or `any` where the
    trial was not kept on cores.
    """
    words = "any" if not (cores.kept and kept.cores) else "hardware threads" if kept.shared else "own"
    return {"run.jobs": str(jobs), "run.cores": words}


def _with_facts(record: Record, facts: Mapping[str, str]) -> Record:
    return record.model_copy(update={"environment": {**record.environment, **facts}})
