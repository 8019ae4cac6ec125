"""What a framework compiled or traced for a program, told by the program itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Compilation:
    """One function, compiled or traced for batches of one shape.

    function     `step`, `predict`, `gradients`, or another word of the backend's, such as for what generation
                 needs
    shape        of its inputs, as the backend lays them out: `28x32x8`; `any` for an axis of any length
    seconds      wall seconds that this took; cpu_seconds: processor seconds of this process, without those of
                 a compiler that it starts
    """

    function: str
    shape: str
    seconds: float
    cpu_seconds: float


class CompilationTimer:
    """Runs from where it is made, just before something is compiled."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self, function: str, shape: str) -> Compilation:
        """What has been compiled since, with the seconds that it took."""
        seconds, cpu_seconds = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Compilation(function, shape, seconds, cpu_seconds)


def compilation_notes(made: Sequence[Compilation]) -> dict[str, str]:
    """For Program.notes(): how many there were, and their wall seconds together."""
    return {
        "compilations": str(len(made)),
        "compile_seconds": f"{sum(one.seconds for one in made):.3f}",
    }
