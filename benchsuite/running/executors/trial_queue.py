"""In which order trials are taken."""

from __future__ import annotations

from collections import Counter

from benchsuite.running.executors.keys import WorkerKey
from benchsuite.running.executors.pool import MOST_IDLE, WorkerPool
from benchsuite.schema import Trial


class TrialQueue:
    """The trials that wait, each with the kind of worker that it needs.

    They are taken in the given order; but with several jobs, or more kinds of worker than can be kept warm,
    those first for which a warm worker waits: starting another one takes seconds. With several jobs the kind
    goes first of which most are left, so that the last trials are of several kinds.
    """

    def __init__(self, waiting: list[tuple[Trial, WorkerKey | None]], pool: WorkerPool, jobs: int) -> None:
        self._waiting, self._pool, self._jobs = waiting, pool, jobs
        self._left = Counter(key for _, key in waiting)
        self._scarce = pool.keeps_idle and len(self._left) > MOST_IDLE

    def take(self) -> Trial | None:
        if not self._waiting:
            return None
        trial, key = self._waiting.pop(self._place())
        self._left[key] -= 1
        return trial

    def _place(self) -> int:
        if not self._pool.keeps_idle or (self._jobs == 1 and not self._scarce):
            return 0
        warm = self._pool.idle_keys()
        wanted: list[WorkerKey | None] = [key for key, left in self._left.items() if left and key in warm]
        if not wanted and self._jobs > 1:
            lent = self._pool.lent_keys()
            wanted = [key for key, left in self._left.items() if left and key not in lent]
        if self._jobs > 1 and wanted:
            wanted = [max(wanted, key=lambda key: self._left[key])]
        return next((place for place, (_, key) in enumerate(self._waiting) if key in wanted), 0)
