"""How many shards, and how much time: from what is expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.running.cluster.sizing import TIME_MARGIN, job_minutes, shard_count


@pytest.mark.parametrize(
    ("hours", "slots", "minutes", "count"),
    [
        (0.01, 400, None, 1),  # a job for less than five minutes of work is not worth its start
        (1.0, 400, None, 12),
        (1000.0, 400, None, 400),  # as many as run at the same time
        (1000.0, 400, 24 * 60, 400),
        (1000.0, 4, 24 * 60, 86),  # as many as end within a job's time
        (0.0, 4, 24 * 60, 1),
    ],
)
def test_shards_are_worth_their_start_and_end_in_a_jobs_time(
    hours: float, slots: int, minutes: int | None, count: int
) -> None:
    assert shard_count(3600 * hours, slots, 300.0, minutes) == count


@given(st.floats(0, 1e8), st.integers(1, 2000), st.integers(1, 10_000))
def test_a_shard_of_a_mean_load_ends_within_what_is_asked_for(
    seconds: float, slots: int, minutes: int
) -> None:
    count = shard_count(seconds, slots, 300.0, minutes)
    assert count >= 1
    asked = job_minutes([seconds / count])
    assert asked is not None
    assert TIME_MARGIN * seconds / count <= 60 * min(asked, minutes) * (1 + 1e-9)


def test_a_job_asks_for_the_longest_of_its_shards_and_for_all_where_one_is_unknown() -> None:
    assert job_minutes([60.0, 3600.0]) == 150
    assert job_minutes([60.0, None]) is None
