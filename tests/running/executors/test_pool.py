"""Which workers stay warm, and which are started anew."""

from __future__ import annotations

import psutil
from fixtures.scripted import scripted_executor, scripted_trial, wait_until, workers

from benchsuite.contracts import Finished
from benchsuite.running.executors.pool import MOST_IDLE
from benchsuite.schema import Record, Status, Trial


def records_of(trials: list[Trial], **options: object) -> list[Record]:
    """Run trials and return their records in the order in which they ended."""
    with scripted_executor(**options) as executor:
        return [event.record for event in executor.run(trials) if isinstance(event, Finished)]


def test_isolation_by_trial_gives_every_trial_a_fresh_process() -> None:
    found = records_of([scripted_trial(), scripted_trial(seed=1)], isolation="trial")
    assert len({record.scalars["scripted/process"] for record in found}) == 2
    assert [record.scalars["scripted/served"] for record in found] == [1, 1]


def test_no_more_workers_stay_than_there_is_room_for_and_scarce_ones_are_used_while_warm() -> None:
    kinds = MOST_IDLE + 1
    trials = [scripted_trial(seed=seed, threads=1 + kind) for seed in range(2) for kind in range(kinds)]
    with scripted_executor() as executor:
        done = 0
        for event in executor.run(trials):
            if isinstance(event, Finished):
                done += 1
                assert len(workers()) <= MOST_IDLE + 1
        assert done == len(trials)
        assert len(workers()) == MOST_IDLE
    assert wait_until(lambda: not workers())


def test_a_warm_worker_that_died_while_idle_is_replaced() -> None:
    with scripted_executor() as executor:
        list(executor.run([scripted_trial()]))
        (idle,) = workers()
        idle.kill()
        assert wait_until(lambda: not psutil.pid_exists(idle.pid) or idle.status() == psutil.STATUS_ZOMBIE)
        found = [
            event.record for event in executor.run([scripted_trial(seed=1)]) if isinstance(event, Finished)
        ]
    assert found[0].status is Status.OK
