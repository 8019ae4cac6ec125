"""Programs timed in turn, so that what else the machine does meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

MOST_TURNS = 12
"""Times that each candidate is timed, where CALIBRATION_SECONDS allow."""
TURN_SECONDS = 0.01
"""Least time of one candidate in one round; shorter calls are repeated."""
CALIBRATION_SECONDS = 3.0
"""Wall time after which no further round begins; LEAST_TURNS are made in any case."""
LEAST_TURNS = 3
HOPELESS = 1.5
"""A candidate that takes this many times the fastest one's time in its first rounds is not timed further."""

ReadClock = Callable[[], float]


def interleaved(
    calls: Mapping[str, Callable[[], None]], clock: ReadClock, budget: float = CALIBRATION_SECONDS
) -> dict[str, np.ndarray]:
    """Seconds per call of each of `calls`, (rounds,): entry i of all was taken in the same round. Those that
    are much slower than the fastest have fewer entries.

    :param calls: by name; each returns when its work is done, and was called before.
    :param clock: seconds; of the process where it runs on one thread of a CPU, else of the wall.
    """
    end = time.perf_counter() + budget
    repeats = {name: _repeats(call, clock) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    left = list(calls)
    for index in range(MOST_TURNS):
        if index >= LEAST_TURNS and time.perf_counter() > end:
            break
        for name in left:
            seconds[name].append(_timed(calls[name], repeats[name], clock))
        if index < LEAST_TURNS:
            least = min(min(seconds[name]) for name in left)
            left = [name for name in left if min(seconds[name]) <= HOPELESS * least]
    return {name: np.array(taken) for name, taken in seconds.items()}


def _repeats(call: Callable[[], None], clock: ReadClock) -> int:
    return max(1, int(np.ceil(TURN_SECONDS / max(_timed(call, 1, clock), 1e-6))))


def _timed(call: Callable[[], None], repeats: int, clock: ReadClock) -> float:
    begin = clock()
    for _ in range(repeats):
        call()
    return (clock() - begin) / repeats


LEAST_GAIN = 0.02
"""The share of the time that another candidate must save, in three quarters of the rounds."""


def winner(seconds: Mapping[str, np.ndarray]) -> str:
    """The candidate to take: the first is the default, and each later one replaces the one taken so far only
    where it saves LEAST_GAIN of its time in three of four rounds. So what makes no difference stays as it is.

    :param seconds: what interleaved() gave.
    """
    taken, *others = seconds
    for name in others:
        rounds = min(len(seconds[name]), len(seconds[taken]))
        ratios = seconds[name][:rounds] / seconds[taken][:rounds]
        if np.percentile(ratios, 75) < 1 - LEAST_GAIN:
            taken = name
    return taken
