"""How much sooner a matrix ends with several jobs, what bounds that, and whether timings stay what they are
alone.

    python -m benchmarks.parallel_jobs quick 1 2               # the whole matrix; an hour on two cores
    python -m benchmarks.parallel_jobs quick 1 2 --every 12    # one of twelve trials

Every run has an empty study and fresh workers. What is timed is timed alone, so that no run ends before the sum
of that; beside it stands what the run would take if nothing were ever waited for. The steps' ratio is that of
each trial's seconds per step to those of the first run, by the clock that ranks; the training's ratio that of
the processor seconds of its training: the median over trials, and the quartiles.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchsuite.analysis.validity import seconds
from benchsuite.contracts import Finished, Progress, RunOptions, Started
from benchsuite.plugins import registry
from benchsuite.running.executors.local import LocalExecutor
from benchsuite.running.matrix import load_matrix, select
from benchsuite.running.study import Begun, StudyEvent, run_study
from benchsuite.schema import Record, Trial

TIME = "time"


@dataclass
class Run:
    """One run of the trials: wall seconds, those in which a trial was timed, and the records."""

    jobs: int
    wall: float = 0.0
    timed: float = 0.0
    waited: float = 0.0
    records: dict[str, Record] = field(default_factory=dict)
    _phase: dict[str, tuple[str, float]] = field(default_factory=dict)
    _begun: float = 0.0

    def hear(self, event: StudyEvent) -> None:
        now = time.monotonic()
        if isinstance(event, Begun):
            self._begun = now
        elif isinstance(event, Started):
            self._enter(event.trial.id, "start", now)
        elif isinstance(event, Progress):
            self._enter(event.trial.id, event.phase, now)
        elif isinstance(event, Finished):
            self._enter(event.record.trial_id, "", now)
            self.records[event.record.trial_id] = event.record
            self.waited += float(event.record.environment.get("run.waited_seconds", "0"))
            self.wall = now - self._begun

    def _enter(self, trial: str, phase: str, now: float) -> None:
        before, since = self._phase.get(trial, ("", now))
        if before == TIME:
            self.timed += now - since
        self._phase[trial] = (phase, now)


def run(trials: Sequence[Trial], jobs: int) -> Run:
    """Run the trials in an empty study; the planning is not in its seconds."""
    found = Run(jobs)
    with tempfile.TemporaryDirectory() as folder, LocalExecutor(RunOptions(jobs=jobs)) as executor:
        settings = {"tracking_uri": "none"}
        run_study(
            f"jobs-{jobs}", trials, executor, registry(), Path(folder), settings=settings, on_event=found.hear
        )
    return found


def ratios(found: Run, first: Run, training: bool = False) -> str:
    """`1.002 (0.991 to 1.013)`: of what both runs have of one trial."""
    values = []
    for name, record in found.records.items():
        pair = [_figure(one, training) for one in (record, first.records.get(name)) if one is not None]
        if len(pair) == 2 and pair[0] and pair[1]:
            values.append(pair[0] / pair[1])
    if not values:
        return "-"
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def _figure(record: Record, training: bool) -> float | None:
    return record.scalars.get("train/cpu_seconds") if training else seconds(record)


def main() -> None:
    parser = argparse.ArgumentParser(description="The wall time of a matrix by the number of jobs.")
    parser.add_argument("matrix")
    parser.add_argument("jobs", nargs="+", type=int)
    parser.add_argument("--every", type=int, default=1, metavar="K", help="one of K trials of the matrix")
    parser.add_argument("--backend", default="", help="comma list")
    asked = parser.parse_args()
    filters = {"backend": asked.backend.split(",")} if asked.backend else None
    trials = select(load_matrix(asked.matrix), registry(), filters, ()).trials[:: asked.every]
    print(f"{len(trials)} trials of {asked.matrix}, {os.cpu_count()} processors")
    print("jobs  wall s  of first  timed s  bound s  waited s  seconds per step  seconds of training")
    first: Run | None = None
    for jobs in asked.jobs:
        one = run(trials, jobs)
        first = first or one
        bound = first.timed + (first.wall - first.timed) / jobs
        print(
            f"{jobs:4}  {one.wall:6.1f}  {one.wall / first.wall:8.2f}  {one.timed:7.1f}  {bound:7.1f}  "
            f"{one.waited:8.1f}  {ratios(one, first)}  {ratios(one, first, training=True)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
