"""The machine's load while trials run, as MLflow's system metrics: sampled by a thread, where a run asks for
it. It is the load of the whole machine. Names are those of MLflow's own sampler.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import psutil

PERIOD_SECONDS = 1.0
MOST_SAMPLES = 100_000
"""Samples that are kept, the last ones: a day and more."""
MOST_SENT = 100
"""Samples of one trial that are sent."""
MEGABYTE = 1e6


class Sample(NamedTuple):
    """The figures of one moment; `when` in POSIX seconds."""

    when: float
    figures: dict[str, float]


class Sampler:
    """Samples from its start to stop()."""

    def __init__(self, period: float = PERIOD_SECONDS) -> None:
        self._period, self._over = period, threading.Event()
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)
        psutil.cpu_percent()  # the next call gives the load since this one
        self._thread = threading.Thread(target=self._work, name="benchsuite system metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sample no more. What was sampled stays."""
        self._over.set()
        self._thread.join()

    def between(self, started: float, finished: float) -> Sequence[Sample]:
        """The samples of a time, at most MOST_SENT of them, evenly."""
        found = [one for one in list(self._samples) if started <= one.when <= finished]
        if len(found) <= MOST_SENT:
            return found
        return [found[place * (len(found) - 1) // (MOST_SENT - 1)] for place in range(MOST_SENT)]

    def _work(self) -> None:
        while not self._over.wait(self._period):
            memory = psutil.virtual_memory()
            self._samples.append(
                Sample(
                    time.time(),
                    {
                        "system/cpu_utilization_percentage": psutil.cpu_percent(),
                        "system/system_memory_usage_megabytes": memory.used / MEGABYTE,
                        "system/system_memory_usage_percentage": memory.percent,
                    },
                )
            )
