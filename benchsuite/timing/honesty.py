"""Checks that a timed program did its work inside the timed region."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchsuite.contracts import Program

SHARE = 0.25
"""Share of a block's work that may be left when synchronize() returns."""

LEAST_SECONDS = 0.02
MOST_CALLS = 200


def unsynchronised(program: Program, step: Callable[[], None], seconds: float) -> bool:
    """Whether synchronize() returns before the work is done.

    :param step: what was timed. :param seconds: what one call of it was timed to take.

    After a block of calls and a synchronize(), reading the parameters back must take no longer than reading
    them once more; if the first reading waits for a good share of the block, the program was still busy and
    its times are worth nothing.
    """
    calls = min(MOST_CALLS, max(1, int(LEAST_SECONDS / max(seconds, 1e-9))))
    begin = time.perf_counter()
    for _ in range(calls):
        step()
    program.synchronize()
    block = time.perf_counter() - begin
    first, second = _reading(program), _reading(program)
    return first - second > max(SHARE * (block + first), LEAST_SECONDS / 4)


def _reading(program: Program) -> float:
    begin = time.perf_counter()
    program.parameters()
    return time.perf_counter() - begin
