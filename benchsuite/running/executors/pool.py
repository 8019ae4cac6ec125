"""Warm workers: kept while there is room, lent to one trial at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from benchsuite.running.executors.keys import WorkerKey
from benchsuite.running.executors.supervisor import WorkerProcess

MOST_IDLE = 6
"""Idle workers kept warm; each holds an imported framework in memory."""


class WorkerPool:
    """Lends workers; safe to use from several threads. With `most_idle` 0 every loan is a fresh process."""

    def __init__(self, module: str, most_idle: int = MOST_IDLE, unset: Sequence[str] = ()) -> None:
        """:param unset: environment variables of this process that no worker inherits."""
        self._module, self._most_idle, self._unset = module, most_idle, tuple(unset)
        self._idle: list[tuple[WorkerKey, WorkerProcess]] = []
        self._lent: dict[WorkerProcess, WorkerKey] = {}
        self._lock = threading.Lock()

    def lend(self, key: WorkerKey) -> WorkerProcess:
        """An idle worker of `key`, or a fresh one. Raises WorkerError when it cannot be started."""
        with self._lock:
            places = [place for place, (other, _) in enumerate(self._idle) if other == key]
            worker = self._idle.pop(places[-1])[1] if places else None
        if worker is not None and not worker.alive:
            worker.close()
            worker = None
        if worker is None:
            worker = WorkerProcess(key.python, self._module, key.backend, dict(key.variables), self._unset)
        with self._lock:
            self._lent[worker] = key
        return worker

    def take_back(self, worker: WorkerProcess) -> None:
        """End a loan: the worker waits for the next one; where there is no room the oldest one ends."""
        surplus: list[WorkerProcess] = []
        with self._lock:
            key = self._lent.pop(worker)
            if worker.fit:
                self._idle.append((key, worker))
            else:
                surplus.append(worker)
            while len(self._idle) > self._most_idle:
                surplus.append(self._idle.pop(0)[1])
        for one in surplus:
            one.close()

    @property
    def keeps_idle(self) -> bool:
        """Whether workers serve more than one trial."""
        return self._most_idle > 0

    def keep_idle(self, least: int) -> None:
        """Keep at least so many idle workers from now on, unless none is kept."""
        if self._most_idle:
            self._most_idle = max(self._most_idle, least)

    def idle_keys(self) -> set[WorkerKey]:
        """The kinds of worker that wait."""
        with self._lock:
            return {key for key, _ in self._idle}

    def lent_keys(self) -> set[WorkerKey]:
        """The kinds of worker that are lent."""
        with self._lock:
            return set(self._lent.values())

    def kill_lent(self) -> None:
        """End the workers that are lent, at once; a borrower sees that its worker has ended."""
        with self._lock:
            lent = list(self._lent)
        for worker in lent:
            worker.kill()

    def close(self) -> None:
        """End every idle worker; all are told first, so that they end at the same time."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, worker in idle:
            worker.dismiss()
        for _, worker in idle:
            worker.close()
