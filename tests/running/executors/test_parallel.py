"""Several trials at a time, and how they end early."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from fixtures.scripted import scripted_executor, scripted_trial, wait_until, workers

from benchsuite.contracts import Finished, Progress, Started
from benchsuite.schema import Status


def test_two_jobs_run_at_the_same_time_and_every_trial_ends_once() -> None:
    trials = [scripted_trial("sleep", seed=seed, seconds=0.3) for seed in range(4)] + [
        scripted_trial("segfault")
    ]
    with scripted_executor(jobs=2) as executor:
        running, most, found = 0, 0, []
        for event in executor.run(trials):
            running += isinstance(event, Started)
            most = max(most, running)
            if isinstance(event, Finished):
                running -= 1
                found.append(event.record)
    assert most == 2
    assert sorted(record.trial_id for record in found) == sorted(trial.id for trial in trials)
    assert sorted(record.status for record in found) == ["failed", "ok", "ok", "ok", "ok"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_leaving_early_ends_what_runs(jobs: int) -> None:
    with scripted_executor(jobs=jobs) as executor:
        events = executor.run([scripted_trial("hang"), scripted_trial("hang", seed=1)])
        next(event for event in events if isinstance(event, Progress))
        begin = time.monotonic()
        events.close()  # type: ignore[attr-defined]  # both are generators
        assert time.monotonic() - begin < 5
        assert wait_until(lambda: not workers())
        # and the executor can still be used
        after = [event for event in executor.run([scripted_trial()]) if isinstance(event, Finished)]
        assert after[0].record.status is Status.OK


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_reaches_the_caller_and_ends_the_workers(jobs: int) -> None:
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), scripted_executor(jobs=jobs) as executor:
        list(executor.run([scripted_trial("hang")]))
    assert time.monotonic() - begin < 8
    assert wait_until(lambda: not workers())
