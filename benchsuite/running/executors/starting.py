"""Starting a worker, which loads a framework: not while a trial of this machine is timed."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator

from benchsuite.measure.machine import MachineLock

WAIT_SECONDS = 0.02
"""How often it is looked whether nobody is timed any more."""


@contextlib.contextmanager
def starting(
    most_seconds: float = math.inf, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Callable[[], None]]:
    """Nobody is timed from now on until the context ends, or what it yields is called: by then the worker says
    itself that it works.

    :param most_seconds: how long to wait for those that are timed. :param stopped: whether to wait no longer.
    """
    lock, end = MachineLock(), time.monotonic() + most_seconds
    try:
        while not lock.try_start() and not stopped() and time.monotonic() < end:
            time.sleep(WAIT_SECONDS)
        yield lock.end
    finally:
        lock.close()
