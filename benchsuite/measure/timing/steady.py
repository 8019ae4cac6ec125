"""Steady state: warm up until stable, then timed rounds; every sample is kept.

The device is waited for inside the timed region, at the end of each round: an asynchronous step looks tens
of times faster than it is. Wall time and CPU time of the process are taken side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchsuite.schema import Protocol
from benchsuite.schema.samples import Summary, summarise
from benchsuite.schema.thresholds import STABLE


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
