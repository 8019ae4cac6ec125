"""`python -m benchmarks.warm BACKEND TRIALS`: the smallest trials, one by one in a warm worker's session.

Prints the thread's CPU seconds of each trial as JSON: {"total": [...], "own": [...], "phases": {phase: [...]}}.
`own` is what is spent in the backend's and the reference's methods (building, stepping, predicting, gradients,
products, taking down): steps, evaluation, parity and timing rounds proper. `phases` is the rest of it by phase;
`release` (what a trial held is collected) and `record` (until it is encoded for the parent) are among them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from benchmarks.meter import Meter
from benchmarks.processes import NULL
from benchsuite.analysis.validity import is_ranked
from benchsuite.contracts import Backend, Progress
from benchsuite.measure.worker.channel import (
    ProgressMade,
    RunTrial,
    TrialFinished,
    decode_command,
    encode,
)
from benchsuite.measure.worker.runner import Session
from benchsuite.plugins import registry
from benchsuite.running.matrix import expand, load_matrix
from benchsuite.schema import Trial

WARM = 3
"""First trials, which are not counted."""


class MeteredSession(Session):
    """A session whose trials are given metered backends. `mark` is called when a phase begins."""

    def __init__(self, backend: str, meter: Meter, mark: Callable[[str], None]) -> None:
        super().__init__(backend)
        self._meter, self._mark = meter, mark

    def _load(self) -> Backend:
        if self._backend is None:
            self._backend = self._meter.methods(super()._load())
        assert self._backend is not None
        return self._backend

    def load_reference(self) -> Backend:
        reference: Backend = self._meter.methods(super().load_reference())
        return reference

    def _release(self, left: Trial | None = None) -> dict[str, str]:
        self._mark("release")
        self._meter.let_go()
        found = super()._release(left)
        self._mark("record")
        return found


def trials(backend: str) -> Iterator[Trial]:
    matrix = load_matrix(NULL / "null.toml")
    for trial in expand(matrix, registry()).trials:
        yield trial.model_copy(update={"backend": backend})


def measure(backend: str, count: int) -> dict[str, Any]:
    meter = Meter()
    marks: list[tuple[str, float]] = []

    def mark(phase: str) -> None:
        if not marks or marks[-1][0] != phase:
            marks.append((phase, time.thread_time() - meter.seconds))

    def report(progress: Progress) -> None:
        mark(progress.phase)
        encode(ProgressMade(content=progress))

    session = MeteredSession(backend, meter, mark)
    found: dict[str, Any] = {"total": [], "own": [], "phases": {}}
    for number, trial in zip(range(count + WARM), trials(backend), strict=False):
        marks.clear()
        begin, own = time.thread_time(), meter.seconds
        mark("start")
        command = decode_command(encode(RunTrial(trial=trial)))
        assert isinstance(command, RunTrial)
        record = session.run(command.trial, report)
        encode(TrialFinished.of(record))
        mark("end")
        assert is_ranked(record), record.reason
        if number >= WARM:
            found["total"].append(time.thread_time() - begin)
            found["own"].append(meter.seconds - own)
            for (phase, start), (_, end) in pairwise(marks):
                found["phases"].setdefault(phase, []).append(end - start)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
