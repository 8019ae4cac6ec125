"""The pages of trials, written by several processes where there are thousands of them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess

MANY = 1000
"""Trials above which it is worth starting processes."""
MOST = 3
"""Processes that are started: each of them holds its own copy of much of the records."""


def helpers(trials: int) -> int:
    """How many processes to start for so many pages. They are forks, so that nothing need be handed over, which
    is sound on Linux alone."""
    if trials < MANY or sys.platform != "linux":
        return 0
    return min(MOST, len(os.sched_getaffinity(0)))


class Shares:
    """Work that is split: share k of n is done by process k, and by this one where that process failed.

    :param work: does share k of n.
    """

    def __init__(self, work: Callable[[int, int], None], processes: int) -> None:
        self._work = work
        self._processes: list[BaseProcess] = []
        if not processes:
            return
        gc.freeze()  # what is there already is not looked at, and so not copied, in a fork
        try:
            context = multiprocessing.get_context("fork")
            for share in range(processes):
                process = context.Process(target=work, args=(share, processes), daemon=True)
                process.start()
                self._processes.append(process)
        finally:
            gc.unfreeze()

    def finish(self) -> None:
        """Wait for all shares. Raises what the work raises."""
        if not self._processes:
            self._work(0, 1)
        for share, process in enumerate(self._processes):
            process.join()
            if process.exitcode != 0:
                self._work(share, len(self._processes))
