"""Trials that are built, at parity and warm, one at a time, in workers that the whole test run shares."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from typing import Any

import pytest

from benchsuite.analysis.validity import clock
from benchsuite.contracts import Progress, RaceSample, RunOptions
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.provenance import trial_fingerprint
from benchsuite.running.races.workers import RaceRunner, RaceWorker
from benchsuite.schema import Trial

_elapsed = 0.0


def measured_seconds() -> float:
    """A clock for pytest-benchmark that moves on by what workers measured, and by nothing else."""
    return _elapsed


class TrialRacer:
    """A trial that may be timed: parity holds."""

    def __init__(self, trial: Trial, worker: RaceWorker) -> None:
        self.trial, self._worker = trial, worker
        self.kernel = worker.ready.kernel
        """The kernel that ran the recurrence."""
        self.samples: list[RaceSample] = []
        """What was measured so far: seconds per batch."""

    def step(self) -> float:
        """Time some training steps in the worker; seconds per step (processor time where that is the trial's
        time, see analysis.validity.clock). Moves the clock measured_seconds() on by them.

        Raises WorkerError where the program does not take all its steps.
        """
        global _elapsed
        sample = self._worker.sample()
        self.samples.append(sample)
        seconds: float = getattr(sample, clock([self.trial]))
        _elapsed += seconds
        return seconds

    def facts(self) -> dict[str, Any]:
        """For pytest-benchmark's extra_info: what tells this figure from others, and that parity held."""
        trial = self.trial
        facts: dict[str, Any] = {
            "trial": trial.id,
            "fingerprint": trial_fingerprint(trial, trial.backend),
            "kernel": self.kernel,
            "parity": "ok",
            "clock": clock([trial]),
        }
        if self.samples:
            facts["cpu_seconds"] = statistics.median(sample.cpu for sample in self.samples)
            facts["wall_seconds"] = statistics.median(sample.wall for sample in self.samples)
        return facts


class Racers:
    """The workers of a test run, by how many threads their trials have: those share cores."""

    def __init__(self) -> None:
        self._runners: dict[int, RaceRunner] = {}

    @contextlib.contextmanager
    def ready(self, trial: Trial) -> Iterator[TrialRacer]:
        """`trial`, ready to be timed.

        Skips the test where this machine cannot run the trial, with the reason. Fails it, without timing
        anything, where the program breaks parity, where its timing cannot be believed, or where it is broken.
        """
        threads = trial.execution.threads
        if threads not in self._runners:
            self._runners[threads] = RaceRunner([trial], RunOptions())
        with self._runners[threads].start([trial], "step", _ignore) as workers:
            (worker,) = workers
            # these leave through the context, so that the worker is taken back
            if worker.problem and worker.broken:
                pytest.fail(worker.problem, pytrace=False)
            if worker.problem:
                pytest.skip(worker.problem)
            try:
                yield TrialRacer(trial, worker)
            except BenchsuiteError as error:
                pytest.fail(str(error), pytrace=False)

    def close(self) -> None:
        for runner in self._runners.values():
            runner.close()
        self._runners.clear()


def _ignore(_progress: Progress) -> None:
    """Test runs show no progress within an item."""
