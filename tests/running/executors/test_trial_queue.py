"""In which order trials are taken."""

from __future__ import annotations

import pytest
from fixtures.scripted import scripted_trial

from benchsuite.running.executors.keys import WorkerKey
from benchsuite.running.executors.pool import WorkerPool
from benchsuite.running.executors.trial_queue import TrialQueue
from benchsuite.schema import Trial

KINDS = {name: WorkerKey("python", name, "cpu", ()) for name in "abc"}


class Pool(WorkerPool):
    """Says which kinds wait and which are lent."""

    def __init__(self, idle: str, lent: str, most_idle: int = 6) -> None:
        super().__init__("none", most_idle)
        self.idle, self.given = idle, lent

    def idle_keys(self) -> set[WorkerKey]:
        return {KINDS[name] for name in self.idle}

    def lent_keys(self) -> set[WorkerKey]:
        return {KINDS[name] for name in self.given}


def order(kinds: str, pool: Pool, jobs: int) -> str:
    waiting: list[tuple[Trial, WorkerKey | None]] = [
        (scripted_trial(seed=place), KINDS[name]) for place, name in enumerate(kinds)
    ]
    queue, found = TrialQueue(waiting, pool, jobs), ""
    while (trial := queue.take()) is not None:
        found += kinds[trial.seed]
    return found


@pytest.mark.parametrize(
    ("pool", "jobs", "expected"),
    [
        (Pool("", ""), 1, "abcabb"),
        (Pool("b", ""), 1, "abcabb"),
        (Pool("b", "a"), 2, "bbbcaa"),
        (Pool("ab", "c"), 2, "bababc"),
        (Pool("", "ab"), 2, "cababb"),
        (Pool("b", "a", 0), 2, "abcabb"),
    ],
)
def test_warm_workers_first_and_of_those_the_kind_with_most_trials(
    pool: Pool, jobs: int, expected: str
) -> None:
    assert order("abcabb", pool, jobs) == expected


def test_an_empty_queue_gives_nothing() -> None:
    assert TrialQueue([], Pool("", ""), 2).take() is None
