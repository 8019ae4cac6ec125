"""Trials that wait for others: their time limit does not count, and whoever stops the run stops the waiting."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest
from fixtures.scripted import scripted_executor, scripted_trial

from benchsuite.contracts import Finished, Progress, Started
from benchsuite.measure.machine import MachineLock, runtime_folder
from benchsuite.measure.machine.byte_locks import SUPPORTED, ByteLocks
from benchsuite.measure.timing.cores import cores_of
from benchsuite.running.executors.pinning import CORES_FILE
from benchsuite.running.executors.topology import MOST_CORES
from benchsuite.schema import Status

locks = pytest.mark.skipif(not SUPPORTED, reason="needs locks on open files")


def test_the_time_limit_does_not_count_while_a_trial_waits() -> None:
    trials = [scripted_trial("wait", seconds=3.0), scripted_trial("sleep", backend="scripted2", seconds=60.0)]
    with scripted_executor(jobs=2, timeout=2.0) as executor:
        executor.check_support(trials)  # so that no worker has to start
        found = {
            event.record.trial_id: event.record.status
            for event in executor.run(trials)
            if isinstance(event, Finished)
        }
    assert found == {trials[0].id: Status.OK, trials[1].id: Status.TIMEOUT}


@locks
def test_no_worker_is_started_while_a_trial_is_timed() -> None:
    with closing(MachineLock()) as timed, scripted_executor(jobs=2) as executor:
        with timed.exclusive():
            events = executor.run([scripted_trial()])
            assert isinstance(next(events), Started)
            time.sleep(0.1)
            begin = time.monotonic()
            events.close()  # type: ignore[attr-defined]  # a generator
            assert time.monotonic() - begin < 10
        found = list(executor.run([scripted_trial()]))
    assert [type(event) for event in found] == [Started, Progress, Finished]


@locks
@pytest.mark.skipif(len(cores_of()) < 2, reason="needs Linux and two cores")
def test_a_run_that_waits_for_cores_can_be_left() -> None:
    with closing(ByteLocks(runtime_folder() / CORES_FILE)) as others:
        assert others.try_lock(0, MOST_CORES)
        executor = scripted_executor(jobs=2)
        events = executor.run([scripted_trial(), scripted_trial(seed=1)])
        executor.close()
        assert list(events) == []


@locks
def test_workers_have_no_binding_of_their_own_where_they_are_kept_on_cores(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOMP_CPU_AFFINITY", str(min(os.sched_getaffinity(0))))
    for pin, bound in ((True, ""), (False, os.environ["GOMP_CPU_AFFINITY"])):
        log = tmp_path / str(pin)
        with scripted_executor(pin=pin) as executor:
            list(executor.run([scripted_trial("binding", log=str(log))]))
        assert log.read_text() == f"[{bound}]"
