"""How fast this processor runs Python: goals in seconds mean the same on every machine."""

from __future__ import annotations

import time
from statistics import median

REFERENCE_SECONDS = 0.065
"""CPU seconds in which the processor that the goals are set for adds a million squares in CPython 3.11."""
LOOPS = 25
"""Two seconds of them: a shared core changes between two paces, 1.8 apart, for half a second at a time."""


def slowness() -> float:
    """How many times as long as the reference this processor takes for Python, right now: processors that are
    shared change their pace."""
    return median(_seconds() for _ in range(LOOPS)) / REFERENCE_SECONDS


def _seconds() -> float:
    begin = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number * number
    return time.process_time() - begin
