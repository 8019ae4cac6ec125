"""A probe: how often and for how long Python's garbage collector stopped a phase."""

from __future__ import annotations

import gc
import time
from typing import Any

from benchsuite.contracts import Probe


class CollectorPauses(Probe):
    """Counts collections and their seconds by phase, as `collector/train_pauses` and `..._seconds`."""

    def __init__(self) -> None:
        self._phase = ""
        self._begin = 0.0
        self._pauses: dict[str, int] = {}
        self._seconds: dict[str, float] = {}

    def enter(self, phase: str) -> None:
        self._phase = phase
        self._pauses[phase], self._seconds[phase] = 0, 0.0
        gc.callbacks.append(self._notice)

    def leave(self, phase: str) -> None:  # noqa: ARG002 - the phase that was entered
        gc.callbacks.remove(self._notice)

    def scalars(self) -> dict[str, float]:
        counts = {f"collector/{phase}_pauses": float(count) for phase, count in self._pauses.items()}
        return counts | {f"collector/{phase}_seconds": spent for phase, spent in self._seconds.items()}

    def _notice(self, moment: str, _facts: dict[str, Any]) -> None:
        if moment == "start":
            self._begin = time.perf_counter()
        else:
            self._pauses[self._phase] += 1
            self._seconds[self._phase] += time.perf_counter() - self._begin
