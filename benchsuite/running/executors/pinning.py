"""Which processor cores each job is kept on: as many as its trials have threads, shared with no other job.

A core is kept free of the second hardware thread of another one as long as there are enough, and the quietest
ones go first: other programs may run on this machine, even another benchsuite.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from benchsuite.measure.timing.cores import cores_of
from benchsuite.schema import Trial

TOPOLOGY = Path("/sys/devices/system/cpu")
LOOK_SECONDS = 0.1
"""How long the cores' load is looked at."""
LOAD_STEP = 0.25
"""Steps in which a core's load counts: small differences are no reason to prefer one."""

Cores = tuple[int, ...]


def wanted_threads(trials: Iterable[Trial]) -> int:
    """Cores that one job needs: the most threads of the trials that run on the CPU. Trials on other devices are
    not pinned: frameworks feed a device from several threads."""
    return max((trial.execution.threads for trial in trials if trial.execution.device == "cpu"), default=0)


def slots(jobs: int, threads: int, order: Sequence[int]) -> list[Cores]:
    """`jobs` disjoint sets of `threads` cores each, from those in `order`; [] where there are not enough."""
    if threads < 1 or jobs * threads > len(order):
        return []
    return [tuple(order[job * threads : (job + 1) * threads]) for job in range(jobs)]


class Slots:
    """Hands each job its set of cores; safe to use from several threads."""

    def __init__(self, sets: Iterable[Cores]) -> None:
        self._free: queue.SimpleQueue[Cores] = queue.SimpleQueue()
        self._any = False
        for cores in sets:
            self._free.put(cores)
            self._any = True

    @contextlib.contextmanager
    def taken(self, trial: Trial) -> Iterator[Cores]:
        """As many cores as the trial has threads, its own for as long as the context lasts; () for none."""
        if not self._any or trial.execution.device != "cpu":
            yield ()
            return
        cores = self._free.get()
        try:
            yield cores[: trial.execution.threads]
        finally:
            self._free.put(cores)


def preferred(siblings: Mapping[int, str], load: Mapping[int, float]) -> list[int]:
    """Cores in the order in which they are to be used.

    :param siblings: core -> name of the physical core that it belongs to. :param load: its busy share, 0 to 1.

    One hardware thread of each physical core first, the quietest physical cores before others.
    """
    physical: dict[str, list[int]] = {}
    for core in sorted(siblings):
        physical.setdefault(siblings[core], []).append(core)
    groups = sorted(
        physical.values(),
        key=lambda group: (round(max(load.get(one, 0.0) for one in group) / LOAD_STEP), group),
    )
    rounds = max((len(group) for group in groups), default=0)
    return [group[place] for place in range(rounds) for group in groups if place < len(group)]


def available() -> list[int]:
    """The cores that this process may use, in the order of preferred(); [] where the system does not say."""
    cores = sorted(cores_of())
    if not cores:
        return []
    return preferred({core: _physical(core) for core in cores}, _load(cores))


def _physical(core: int) -> str:
    """A name that hardware threads of one physical core share."""
    try:
        return (TOPOLOGY / f"cpu{core}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(core)


def _load(cores: Sequence[int]) -> dict[int, float]:
    """Busy share of each core over a moment."""
    before = psutil.cpu_times(percpu=True)
    time.sleep(LOOK_SECONDS)
    after = psutil.cpu_times(percpu=True)
    found: dict[int, float] = {}
    for core in cores:
        if core < min(len(before), len(after)):
            idle = after[core].idle - before[core].idle
            found[core] = min(1.0, max(0.0, 1.0 - idle / LOOK_SECONDS))
    return found
