"""How many shards trials are cut into, and how long their jobs may run, by the time that is expected."""

from __future__ import annotations

import math
from collections.abc import Iterable

TIME_MARGIN = 2.0
"""How much longer than expected a shard may take within the time that its job asks for."""
STARTING_MINUTES = 30
"""Minutes of a job beside its trials: its start, loading data, the first compilation of each framework."""


def shard_count(seconds: float, slots: int, least: float, minutes: int | None) -> int:
    """How many shards serve trials that take so many seconds on one node.

    As many as can run at the same time, but fewer where they would have less than `least` seconds to do,
    because a job that starts costs time, too; and more where one would need more than the time that a job can
    have.

    :param slots: how many can run at the same time.
    :param minutes: the longest time of a job, None for no limit.
    """
    count = min(slots, math.ceil(seconds / least)) if least > 0 else slots
    if minutes is not None:
        useful = max(minutes - STARTING_MINUTES, minutes / 2)
        count = max(count, math.ceil(TIME_MARGIN * seconds / 60 / useful))
    return max(1, count)


def job_minutes(seconds: Iterable[float | None]) -> int | None:
    """Minutes to ask for a job that runs one of these shards, of each of which the expected seconds are given;
    None, which asks for all that is allowed, where nothing is known of one."""
    longest = 0.0
    for one in seconds:
        if one is None:
            return None
        longest = max(longest, one)
    return STARTING_MINUTES + math.ceil(TIME_MARGIN * longest / 60)
