"""What a trial counts when shards are balanced."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchsuite.analysis.expected_time import TimeEstimator, asked_work
from benchsuite.schema import Record, Trial

MICROSECONDS = 1_000_000


def trial_weights(times: Sequence[Record] | None = None) -> Callable[[Trial], int]:
    """Trial -> its expected time in microseconds.

    It must be the same on every machine, so it depends on nothing that one machine has recorded: only on what
    the trial asks, or on the records `times`, which every shard must be given.
    """
    if not times:
        return lambda trial: round(MICROSECONDS * asked_work(trial))
    estimator = TimeEstimator()
    estimator.add(times)

    def weight(trial: Trial) -> int:
        expected = estimator.expected(trial)
        return round(MICROSECONDS * (expected.seconds if expected else asked_work(trial)))

    return weight
