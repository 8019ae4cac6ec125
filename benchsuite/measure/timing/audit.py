"""Checks that a timed program did all its work inside the timed region. Each has its word in INVALID_TIMING."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

import numpy as np

from benchsuite.contracts import Program, State
from benchsuite.measure.timing.cores import released
from benchsuite.measure.timing.steady import Samples

SHARE = 0.25
"""Share of a block's work that may be left when synchronize() returns."""

ATTEMPTS = 3
LEAST_SECONDS = 0.02
MOST_CALLS = 200


def unsynchronised(program: Program, step: Callable[[], None], seconds: float) -> bool:
    """Whether synchronize() returns before the work is done.

    :param step: what was timed. :param seconds: what one call of it was timed to take.

    After a block of calls and a synchronize(), reading the parameters back must take no longer than reading
    them once more; if the first reading waits for a good share of the block, the program was still busy and
    its times are worth nothing. A reading that another process interrupted looks the same, so it counts only
    where every one of ATTEMPTS blocks shows it.
    """
    return all(_waits(program, step, seconds) for _ in range(ATTEMPTS))


def _waits(program: Program, step: Callable[[], None], seconds: float) -> bool:
    """Whether the parameters have to be waited for after one block of calls."""
    calls = min(MOST_CALLS, max(1, int(LEAST_SECONDS / max(seconds, 1e-9))))
    begin = time.perf_counter()
    for _ in range(calls):
        step()
    program.synchronize()
    block = time.perf_counter() - begin
    first, second = _reading(program), _reading(program)
    return first - second > max(SHARE * (block + first), LEAST_SECONDS / 4)


class StepAudit:
    """Sees a program before its steps are timed, and says afterwards whether they were steps at all."""

    def __init__(self, program: Program, placed: object) -> None:
        """`placed` is one of the batches that will be timed."""
        self._program, self._placed = program, placed
        self._parameters, self._answer = program.parameters(), program.predict(placed)[0]

    def problem(self, steps: int) -> str:
        """What is wrong with the `steps` steps since, in a word of INVALID_TIMING, or "". Drains the program.

        A step that skips its backward pass or its update moves nothing; one that answers from memory gives the
        same loss and the same scores although the parameters have moved.
        """
        losses = self._program.drain().loss
        if len(losses) != steps:
            return "incomplete"
        after = self._program.parameters()
        if all(np.array_equal(after[name], before) for name, before in self._parameters.items()):
            return "idle"
        remembered = bool(losses.any()) and len(np.unique(losses)) < len(losses) / LEAST_STEPS
        if remembered or np.array_equal(self._program.predict(self._placed)[0], self._answer):
            return "cached"
        return ""


MEMORY_RATIO = 10.0
"""A prediction that has to be computed takes about as long as the next one. Memory, caches and what a backend
prepares after new parameters explain a few times that, not ten."""


def answers_from_memory(program: Program, placed: Sequence[object], seconds: float) -> bool:
    """Whether predict() looks its answers up: it is slow only where the parameters have just changed.

    :param placed: the batches that were predicted. :param seconds: what one round over them was timed to take.

    The shortest of several first rounds counts, so that one that was interrupted is no proof. The parameters
    are the same afterwards.
    """
    own = program.parameters()
    changed = {name: value * value.dtype.type(1 - 2**-10) for name, value in own.items()}
    first: list[float] = []
    for attempt in range(2 * ATTEMPTS):
        program.load_parameters(own if attempt % 2 else changed)
        program.synchronize()
        begin = time.perf_counter()
        state: State | None = None
        for each in placed:
            _, state = program.predict(each, state)
        program.synchronize()
        first.append(time.perf_counter() - begin)
    return min(first) > MEMORY_RATIO * seconds


LEAST_STEPS = 8
"""Losses of so many steps cannot repeat by accident, each on its batch, while the parameters move."""

SPARE_THREADS = 0.5
"""Processor seconds by wall second that may pass above the trial's threads: the system's own work, and what a
framework does beside a step that a thread of its own computes."""

BUSY_SECONDS = 0.05
"""Wall seconds of a block of steps, at least."""


def too_many_threads(samples: Samples, threads: int) -> bool:
    """Whether the rounds took more processor time than `threads` threads have."""
    return bool(np.median(samples.cpu / samples.wall) > threads + SPARE_THREADS)


def exceeds_threads(program: Program, placed: Sequence[object], threads: int) -> bool:
    """Whether a program that is kept on few cores would take more than `threads` of them if it could: kept
    there it shows no more processor time than they have. Takes steps over the batches `placed`.

    The process is unpinned for a moment, and every one of ATTEMPTS blocks of steps must show it. A framework
    that computes in a thread of its own hands each step over, and what it does meanwhile overlaps the
    computation: JAX's small steps show up to 1.4 threads, and more for some milliseconds. So a block is long,
    and each step is waited for, or a step that is prepared while another one is computed would count as well.
    Where others have the cores a program may pass that should not; its timing was taken on the cores that it
    may use. False where the process is not kept on fewer cores.
    """
    steps = _steps(program, placed)
    with released() as free:
        return free and all(_busy(program, steps) > threads + SPARE_THREADS for _ in range(ATTEMPTS))


def _steps(program: Program, placed: Sequence[object]) -> Iterator[None]:
    """Takes a step, on one batch after another, each time it is asked."""
    state: State | None = None
    for each in cycle(placed):
        state = program.step(each, state)
        yield


def _busy(program: Program, steps: Iterator[None]) -> float:
    """Processor seconds by wall second over a block of steps."""
    cpu, wall = time.process_time(), time.perf_counter()
    end = wall + BUSY_SECONDS
    while (now := time.perf_counter()) < end:
        next(steps)
        program.synchronize()
    return (time.process_time() - cpu) / (now - wall)


def _reading(program: Program) -> float:
    begin = time.perf_counter()
    program.parameters()
    return time.perf_counter() - begin
