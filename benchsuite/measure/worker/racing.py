"""A trial's program in a race: built, at parity, warm, and timed whenever it is its turn."""

from __future__ import annotations

import time

from benchsuite.contracts import Progress, RaceSample, Ready, State
from benchsuite.errors import RequestError, WorkerError
from benchsuite.measure.provenance import process_facts
from benchsuite.measure.timing import StepAudit, answers_from_memory, steady_state
from benchsuite.measure.worker.building import Loader, build, first_batches, load
from benchsuite.measure.worker.calibrating import choose_way
from benchsuite.measure.worker.heap import trim_heap
from benchsuite.measure.worker.kernels import check_kernel
from benchsuite.measure.worker.measuring import step_verdict, timing_batches
from benchsuite.measure.worker.parity_check import ParityCheck
from benchsuite.measure.worker.trial import Reporter
from benchsuite.schema import INVALID_TIMING, Trial

RACE_KINDS = ("step", "inference")
"""What can be raced: training steps, or predict()."""

LEAST_ROUND_SECONDS, LEAST_WARM_UP_SECONDS = 0.05, 0.5
"""A sample may not be shorter: it would measure caches that the others have emptied."""

SIZING_ROUNDS = 3


class RacingProgram:
    """One program in a race."""

    def __init__(self, session: Loader, trial: Trial, what: str, report: Reporter) -> None:
        """Raises RequestError for another `what` than RACE_KINDS."""
        if what not in RACE_KINDS:
            raise RequestError(f"a race is of {' or '.join(RACE_KINDS)}, not {what!r}")
        self._session, self._trial, self._what, self._report = session, trial, what, report

    def ready(self) -> Ready:
        """Build, check parity as a trial does, warm up, find out how many calls make a sample.

        Raises what backends and tasks do; what keeps a program that works from racing is its `problem`.
        """
        trial = self._trial
        self._phase("calibrate")
        loaded, choice = choose_way(load(self._session, trial), trial)
        self._phase("build")
        program, weights, _ = build(loaded, trial)
        self._phase("parity")
        chunks = first_batches(loaded, trial)
        parity_check = ParityCheck(
            self._session.load_reference(),
            loaded.model,
            weights,
            loaded.recipe,
            trial.execution.precision,
            chunks,
        )
        parity_check.hold_gradients(program)
        state: State | None = None
        for batch, begins in chunks:
            state = program.step(program.place(batch), None if begins else state)
        check_kernel(program.kernel(), loaded.execution, loaded.model)
        parity_check.hold_steps(program.drain().loss.tolist())
        trim_heap()
        if not parity_check.comparison.ok:
            return Ready(parity_check.comparison.sentence())
        self._phase("warm up")
        timed = timing_batches(trial, loaded.batcher, loaded.task.train, loaded.model)
        self._program, self._placed = program, [program.place(batch) for batch in timed]
        least = {
            "rounds": SIZING_ROUNDS,
            "round_seconds": max(trial.protocol.round_seconds, LEAST_ROUND_SECONDS),
            "warmup_seconds": max(trial.protocol.warmup_seconds, LEAST_WARM_UP_SECONDS),
        }
        protocol = trial.protocol.model_copy(update=least)
        audit = StepAudit(program, self._placed[0])
        found = steady_state(self._steps, program.synchronize, protocol)
        word = step_verdict(program, audit, self._placed, self._steps, found, trial)
        if self._what == "inference" and word not in INVALID_TIMING:
            found = steady_state(self._predictions, program.synchronize, protocol)
            word = "cached" if answers_from_memory(program, self._placed, found.summary.median) else word
        if word in INVALID_TIMING:
            return Ready(f"{word}: {INVALID_TIMING[word]}")
        program.drain()
        self._start = program.parameters()
        self._rested = time.process_time()
        return Ready(
            "",
            found.calls,
            len(self._placed),
            found.summary.median / len(self._placed),
            found.warm,
            program.kernel(),
            process_facts()
            | {f"backend.{name}": text for name, text in loaded.backend.versions().items()}
            | {f"backend.{name}": text for name, text in program.notes().items()}
            | choice.facts(),
        )

    def sample(self, calls: int) -> RaceSample:
        """Time `calls` calls and the wait for the device that ends them.

        Every sample begins at the same parameters, and with a call that is not timed: the racer that ran
        before has filled the caches. Raises WorkerError where the steps were fewer than they should be.
        """
        idle = time.process_time() - self._rested
        program = self._program
        if self._what == "step":
            program.load_parameters(self._start)
        self._call()
        program.synchronize()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            self._call()
        program.synchronize()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        batches = calls * len(self._placed)
        if self._what == "step" and len(program.drain().loss) != batches + len(self._placed):
            raise WorkerError(INVALID_TIMING["incomplete"])
        self._rested = time.process_time()
        return RaceSample(wall / batches, cpu / batches, idle)

    def _call(self) -> None:
        if self._what == "step":
            self._steps()
        else:
            self._predictions()

    def _steps(self) -> None:
        state: State | None = None
        for each in self._placed:
            state = self._program.step(each, state)

    def _predictions(self) -> None:
        state: State | None = None
        for each in self._placed:
            _, state = self._program.predict(each, state)

    def _phase(self, name: str) -> None:
        self._report(Progress(self._trial, name))
