"""Which processor cores each trial is kept on: as many as it has threads, for as long as it runs, shared with
no other trial of any benchsuite process of this machine.

Who has a core holds a lock on the core's byte in a file; the system releases it when the holder ends. A trial
waits until there are cores for it. The second hardware thread of a physical core is taken only where more
threads are asked for than there are physical cores.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchsuite.errors import BenchsuiteError
from benchsuite.measure.machine import runtime_folder
from benchsuite.measure.machine.byte_locks import SUPPORTED, ByteLocks
from benchsuite.running.executors.quota import group_name
from benchsuite.running.executors.topology import (
    MOST_CORES,
    Cores,
    Topology,
    choose,
    on_one_physical_core,
    read_topology,
)
from benchsuite.schema import Trial

CORES_FILE = "cores.lock"
TURN = MOST_CORES
"""The byte that is held by who chooses: one after the other, so that a trial of many threads gets its turn."""
CORES_SECONDS = 0.02
"""How often it is looked whether cores are free."""


def wanted_threads(trials: Iterable[Trial]) -> int:
    """Cores that one job needs: the most threads of the trials that run on the CPU. Trials on other devices are
    not pinned: frameworks feed a device from several threads."""
    return max((trial.execution.threads for trial in trials if trial.execution.device == "cpu"), default=0)


@dataclass(frozen=True)
class Kept:
    """The cores that a trial is kept on; () for all.

    shared  whether another hardware thread of one of them is taken, too
    """

    cores: Cores = ()
    shared: bool = False


class CorePool:
    """Gives cores to the trials of one run; safe to use from several threads.

    kept     whether trials are kept on cores at all
    problem  why they are not although they should be, or ""
    """

    def __init__(self, topology: Topology, jobs: int, threads: int, folder: Path | None = None) -> None:
        """:param jobs: trials at the same time. :param threads: the most that one of them has."""
        self._topology, self._folder, self.problem = topology, folder, ""
        self._share = jobs * threads > topology.groups
        fits = 0 < jobs * threads <= min(len(topology.order), topology.allowed)
        self.kept = fits and SUPPORTED
        if self.kept:
            try:
                self._folder = folder or runtime_folder()
                self._open(CORES_FILE).close()
            except (OSError, BenchsuiteError) as error:
                self.kept, self.problem = False, f"trials are not kept on cores of their own: {error}"

    @contextlib.contextmanager
    def taken(self, trial: Trial, stopped: Callable[[], bool] = lambda: False) -> Iterator[Kept]:
        """As many cores as the trial has threads, its own for as long as the context lasts.

        :param stopped: asked while there are none; waiting ends without any when it says so.
        """
        threads = trial.execution.threads if trial.execution.device == "cpu" else 0
        with self.leased(threads, stopped) as kept:
            yield kept

    @contextlib.contextmanager
    def leased(self, threads: int, stopped: Callable[[], bool] = lambda: False) -> Iterator[Kept]:
        """As taken(), by the number of threads; none are kept on nothing."""
        if not self.kept or threads < 1:
            yield Kept()
            return
        with contextlib.closing(self._open(CORES_FILE)) as locks, contextlib.ExitStack() as limit:
            kept = self._take(locks, threads, stopped)
            if kept.cores and self._topology.allowed < len(self._topology.order):
                slots = self._open(f"quota-{group_name()}.lock")
                limit.enter_context(contextlib.closing(slots))
                _take_any(slots, self._topology.allowed, threads, stopped)
            yield kept

    def _open(self, name: str) -> ByteLocks:
        assert self._folder is not None
        return ByteLocks(self._folder / name)

    def _take(self, locks: ByteLocks, threads: int, stopped: Callable[[], bool]) -> Kept:
        own = self._topology
        with _in_turn(locks, stopped) as turn:
            while turn and not stopped():
                busy = _bytes(locks, MOST_CORES)
                cores = choose(threads, own.order, own.physical, busy, self._share)
                if cores and all(locks.try_lock(core) for core in cores):
                    return Kept(cores, on_one_physical_core(cores, own.physical, busy))
                for core in cores:  # a program of another version may have taken one in the meantime
                    locks.unlock(core)
                time.sleep(CORES_SECONDS)
        return Kept()


def _bytes(locks: ByteLocks, count: int) -> set[int]:
    """Of the first `count` bytes those that others hold."""
    return {byte for lock in locks.held(0, count) for byte in lock}


def _take_any(locks: ByteLocks, count: int, wanted: int, stopped: Callable[[], bool]) -> None:
    """Hold `wanted` of the first `count` bytes, as soon as so many are free."""
    with _in_turn(locks, stopped) as turn:
        while turn and not stopped():
            free = sorted(set(range(count)) - _bytes(locks, count))[:wanted]
            if len(free) == wanted and all(locks.try_lock(one) for one in free):
                return
            for one in free:
                locks.unlock(one)
            time.sleep(CORES_SECONDS)


@contextlib.contextmanager
def _in_turn(locks: ByteLocks, stopped: Callable[[], bool]) -> Iterator[bool]:
    """Have byte TURN for as long as the context lasts; False where waiting was stopped."""
    while not (held := locks.try_lock(TURN)) and not stopped():
        time.sleep(CORES_SECONDS)
    try:
        yield held
    finally:
        if held:
            locks.unlock(TURN)


def core_pool(jobs: int, threads: int) -> CorePool:
    """The pool of a run on this machine's cores."""
    nothing = Topology((), {}, 1)
    return CorePool(read_topology() if threads else nothing, jobs, threads)
