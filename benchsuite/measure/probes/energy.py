"""The energy of training, from the hardware's own counters."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from benchsuite.contracts import Probe
from benchsuite.measure.probes.counters import Counter

ASKED_BY = "BENCHSUITE_ENERGY"
"""The environment variable that asks for it; no field of a trial, for what is trained does not depend on it."""
PERIOD = 30.0
"""Seconds between two readings of a phase: counters of 65 kJ begin again after a minute of a kilowatt."""


class Energy(Probe):
    """Joules of `cpu`, `memory` and `gpu` during training, evaluation of its epochs included.

    Counters are those of whole packages: what else runs there is in them, and so is idling. A thread reads
    them twice a minute, so that none begins again unseen; a reading takes microseconds.
    """

    PHASE = "train"

    def __init__(self, counters: Sequence[Counter], period: float = PERIOD) -> None:
        self._counters, self._period = tuple(counters), period
        self._last = [0.0] * len(self._counters)
        self._joules = [0.0] * len(self._counters)
        self._lock = threading.Lock()
        self._left: threading.Event | None = None
        self._measured = False

    def enter(self, phase: str) -> None:
        if phase != self.PHASE:
            return
        self._last = [counter.read() for counter in self._counters]
        self._joules = [0.0] * len(self._counters)
        if any(counter.wraps for counter in self._counters):
            self._left = threading.Event()
            threading.Thread(target=self._watch, args=(self._left,), daemon=True).start()

    def leave(self, phase: str) -> None:
        if phase != self.PHASE:
            return
        if self._left is not None:
            self._left.set()
        self._read()
        self._measured = True

    def scalars(self) -> dict[str, float]:
        if not self._measured or not self._counters:
            return {}
        found: dict[str, float] = {}
        for counter, joules in zip(self._counters, self._joules, strict=True):
            name = f"energy/train_{counter.part}_joules"
            found[name] = found.get(name, 0.0) + joules
        return found | {"energy/train_joules": sum(self._joules)}

    def _watch(self, left: threading.Event) -> None:
        while not left.wait(self._period):
            try:
                self._read()
            except OSError:
                return  # leave() meets it too, and says so

    def _read(self) -> None:
        with self._lock:
            for place, counter in enumerate(self._counters):
                now = counter.read()
                grown = now - self._last[place]
                self._joules[place] += grown + counter.wraps if grown < 0 and counter.wraps else grown
                self._last[place] = now
