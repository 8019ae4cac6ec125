"""Where the time of a trial goes: one part at a time, so that the parts add up to the whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchsuite.contracts.compilation import Compilation
from benchsuite.schema.time_parts import TIME_PARTS, time_scalar

Compiled = Callable[[], Sequence[Compilation]]
"""All that a program has compiled so far, in order."""

USED = ("parity", "training", "evaluation", "snapshots")
"""Parts in which a function is compiled that training or evaluation needs anyhow. What is compiled while ways
are calibrated or timed is of those parts."""
FOR_STATISTICS = ("gradients", "outputs")
"""Functions that training and evaluation never call: compiling them is of the part that asks for them."""


def _nothing() -> Sequence[Compilation]:
    return ()


class Stopwatch:
    """Adds up wall and processor seconds by part. What is in no part is counted nowhere.

    Parts nest: inside `with watch.of("evaluation")` the clock of the part around it does not run. Seconds in
    which the program compiled a function of its training or evaluation are those of `compile`, wherever that
    was.
    """

    def __init__(self) -> None:
        self._compiled: Compiled = _nothing
        self._seen = 0
        self._parts: list[str] = []
        self._wall, self._cpu = dict.fromkeys(TIME_PARTS, 0.0), dict.fromkeys(TIME_PARTS, 0.0)
        self._at = time.perf_counter(), time.process_time()

    def watch(self, compiled: Compiled) -> None:
        """Ask `compiled` from now on what has been compiled."""
        self._compiled, self._seen = compiled, len(compiled())

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """What runs inside is of `part`, one of TIME_PARTS."""
        self.enter(part)
        try:
            yield
        finally:
            self.leave()

    def enter(self, part: str) -> None:
        """From now on, until leave(), time is of `part`."""
        self._add()
        self._parts.append(part)

    def leave(self) -> None:
        """Time is of the part around the latest one again."""
        self._add()
        self._parts.pop()

    def scalars(self) -> dict[str, float]:
        """Seconds of every part so far."""
        self._add()
        wall = {time_scalar(part): seconds for part, seconds in self._wall.items()}
        return wall | {time_scalar(part, cpu=True): seconds for part, seconds in self._cpu.items()}

    def facts(self) -> dict[str, str]:
        """`compiled.<function>`: the shapes that it was compiled for, with wall seconds each."""
        found: dict[str, list[str]] = {}
        for one in self._compiled():
            found.setdefault(one.function, []).append(f"{one.shape} {one.seconds:.3f} s")
        return {f"compiled.{function}": ", ".join(shapes) for function, shapes in found.items()}

    def _add(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        taken, used = wall - self._at[0], cpu - self._at[1]
        self._at = wall, cpu
        made = self._compiled()
        new, self._seen = made[self._seen :], len(made)
        if not self._parts:
            return
        part = self._parts[-1]
        if part in USED:
            wanted = [one for one in new if one.function not in FOR_STATISTICS]
            compiling = min(taken, sum(one.seconds for one in wanted))
            busy = min(used, sum(one.cpu_seconds for one in wanted))
            self._wall["compile"] += compiling
            self._cpu["compile"] += busy
            taken, used = taken - compiling, used - busy
        self._wall[part] += taken
        self._cpu[part] += used
