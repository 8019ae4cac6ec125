"""Steady state: warm up until stable, then timed rounds; every sample is kept.

The device is waited for inside the timed region, at the end of each round: an asynchronous step looks tens
of times faster than it is. Wall time and CPU time of the process are taken side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from benchsuite.spec import Protocol

STABLE = 0.05
"""Warm-up ends when the last three blocks differ by less than this share of their median."""

UNSTABLE = 0.15
"""Interquartile range over median above which a figure is marked unstable."""

RESAMPLES = 2000


@dataclass(frozen=True)
class Summary:
    """Of a set of samples: median, quartile distance, and a 95 % bootstrap interval of the median."""

    median: float
    iqr: float
    low: float
    high: float

    @property
    def unstable(self) -> bool:
        return not self.iqr <= UNSTABLE * self.median


@dataclass(frozen=True)
class Samples:
    """Seconds per call, one entry a round. `calls` is how often a round called, `total` how often all did,
    warming up included."""

    wall: np.ndarray
    cpu: np.ndarray
    calls: int
    total: int
    warm: bool
    """Whether warm-up became stable within its time."""

    @cached_property
    def summary(self) -> Summary:
        """Of the wall times."""
        return summarise(self.wall)

    @property
    def cpu_median(self) -> float:
        return float(np.median(self.cpu))


def summarise(samples: np.ndarray) -> Summary:
    """Median, IQR and percentile-bootstrap interval (RESAMPLES, fixed seed) of at least one sample."""
    ordered = np.sort(samples)
    count = len(ordered)
    median = float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    if count < 2 or ordered[0] == ordered[-1]:
        return Summary(median, 0.0, median, median)
    below, above = _median_ranks(count)
    medians = np.sort((ordered[below] + ordered[above]) / 2)
    iqr = _quantile(ordered, 0.75) - _quantile(ordered, 0.25)
    return Summary(median, iqr, _quantile(medians, 0.025), _quantile(medians, 0.975))


def _quantile(ordered: np.ndarray, share: float) -> float:
    """As numpy.quantile, of numbers already in order: for a dozen of them its own care takes longer."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)


@cache
def _median_ranks(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Of n ordered samples: which two the median of each resample lies between, twice the same one for odd n.
    Resamples are drawn by rank, so they are the same ones for every n samples."""
    drawn = np.sort(np.random.default_rng(0).integers(0, n, (RESAMPLES, n)), axis=1)
    return drawn[:, (n - 1) // 2], drawn[:, n // 2]


def steady_state(call: Callable[[], None], synchronize: Callable[[], None], protocol: Protocol) -> Samples:
    """Time `call`, which may return before its work is done; `synchronize` waits for it."""
    total = 0

    def counted() -> None:
        nonlocal total
        total += 1
        call()

    first = _block(counted, synchronize, 1)[0]
    calls = max(1, int(np.ceil(protocol.round_seconds / max(first, 1e-7))))
    calls, warm = _warm_up(counted, synchronize, protocol, calls)
    total += calls * protocol.rounds  # counted here, so that counting is not timed
    rounds = [_block(call, synchronize, calls) for _ in range(protocol.rounds)]
    wall, cpu = np.array(rounds).T
    return Samples(wall, cpu, calls, total, warm)


def _block(call: Callable[[], None], synchronize: Callable[[], None], calls: int) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        call()
    synchronize()
    return (time.perf_counter() - wall) / calls, (time.process_time() - cpu) / calls


def _warm_up(
    call: Callable[[], None], synchronize: Callable[[], None], protocol: Protocol, calls: int
) -> tuple[int, bool]:
    """Run blocks until three in a row agree or the time is up; returns (calls a round, became stable)."""
    end = time.perf_counter() + protocol.warmup_seconds
    seen: list[float] = []
    while True:
        seen.append(_block(call, synchronize, calls)[0])
        calls = max(1, int(np.ceil(protocol.round_seconds / max(seen[-1], 1e-7))))
        last = seen[-3:]
        if len(last) == 3 and max(last) - min(last) < STABLE * float(np.median(last)):
            return calls, True
        if time.perf_counter() > end:
            return calls, False
