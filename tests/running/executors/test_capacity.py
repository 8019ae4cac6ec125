"""How many trials run at the same time where nobody says it."""

from __future__ import annotations

import pytest
from fixtures.scripted import scripted_executor, scripted_trial

from benchsuite.contracts import Finished
from benchsuite.running.executors import capacity
from benchsuite.running.executors.capacity import TRIAL_BYTES, fitting_jobs
from benchsuite.running.executors.topology import Topology

EIGHT = Topology(tuple(range(8)), {core: str(core % 4) for core in range(8)}, 8)
"""Four physical cores with two hardware threads each."""


@pytest.mark.parametrize(
    ("threads", "count", "room", "topology", "jobs"),
    [
        ([1], 9, 100, EIGHT, 4),
        ([1], 3, 100, EIGHT, 3),
        ([1, 2], 9, 100, EIGHT, 2),
        ([5], 9, 100, EIGHT, 1),
        ([1], 9, 2, EIGHT, 2),
        ([1], 9, 0, EIGHT, 1),
        ([1], 9, 100, Topology(EIGHT.order, EIGHT.physical, 2), 2),
        ([1], 9, 100, Topology((), {}, 1), 1),
    ],
)
def test_cores_memory_and_trials_bound_it(
    threads: list[int],
    count: int,
    room: int,
    topology: Topology,
    jobs: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capacity, "available_memory", lambda: room * TRIAL_BYTES)
    trials = [scripted_trial(seed=seed, threads=threads[seed % len(threads)]) for seed in range(count)]
    assert fitting_jobs(trials, topology) == jobs


def test_a_device_is_used_by_one_trial_at_a_time() -> None:
    assert fitting_jobs([scripted_trial(), scripted_trial(device="gpu")], EIGHT) == 1


def test_an_executor_finds_it_itself() -> None:
    trials = [scripted_trial(seed=seed) for seed in range(3)]
    with scripted_executor(jobs=None) as executor:
        records = [event.record for event in executor.run(trials) if isinstance(event, Finished)]
        assert {record.environment["run.jobs"] for record in records} == {str(executor.jobs(trials))}
