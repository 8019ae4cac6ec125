"""The processor cores that this process may use, and what is known of each."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchsuite.measure.timing.cores import cores_of
from benchsuite.running.executors.quota import allowed_processors

TOPOLOGY = Path("/sys/devices/system/cpu")
LOOK_SECONDS = 0.1
"""How long the cores' load is looked at."""
LOAD_STEP = 0.25
"""Steps in which a core's load counts: small differences are no reason to prefer one."""
MOST_CORES = 1 << 16
"""More than any machine has."""

BINDING_VARIABLES = ("GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_PLACES", "OMP_PROC_BIND")
"""By these OpenMP would bind the threads of a worker itself, to cores that are not the worker's."""

Cores = tuple[int, ...]


@dataclass(frozen=True)
class Topology:
    """Cores in the order in which they are to be used; [] where the system does not say.

    physical   core -> a name that hardware threads of one physical core share
    allowed    how many of them may work at the same time, by the control group's limit; at least one
    """

    order: Cores
    physical: Mapping[int, str]
    allowed: int

    @property
    def groups(self) -> int:
        """How many physical cores there are."""
        return len(set(self.physical.values()))

    @property
    def whole(self) -> int:
        """How many threads can work with a physical core of their own."""
        return min(self.groups, self.allowed)


def read_topology(look: bool = True) -> Topology:
    """The cores of this process, quiet ones first: of its affinity (`taskset`), and of GOMP_CPU_AFFINITY.

    :param look: whether their load is looked at, for LOOK_SECONDS; otherwise all are taken to be quiet.
    """
    cores = cores_of()
    asked = parse_gomp(os.environ.get("GOMP_CPU_AFFINITY", ""))
    cores = frozenset(cores & asked) or cores
    physical = {core: _physical(core) for core in sorted(cores)}
    order = preferred(physical, _load(sorted(cores)) if look else {}) if cores else []
    allowed = min(allowed_processors(), float(max(len(cores), 1)))
    return Topology(tuple(order), physical, max(1, math.floor(allowed)))


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


_GOMP = re.compile(r"(\d{1,6})(?:-(\d{1,6})(?::(\d{1,6}))?)?")


def parse_gomp(text: str) -> frozenset[int]:
    """The cores that a value of GOMP_CPU_AFFINITY names, as in `0 3 1-2 4-15:2`; empty for what names none."""
    found: set[int] = set()
    for word in re.split(r"[\s,]+", text.strip()) if text.strip() else ():
        match = _GOMP.fullmatch(word)
        if match is None:
            return frozenset()
        first, last, stride = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if stride < 1 or not first <= last < MOST_CORES:
            return frozenset()
        found.update(range(first, last + 1, stride))
    return frozenset(found)


def choose(
    threads: int, order: Sequence[int], physical: Mapping[int, str], busy: Iterable[int], share: bool
) -> Cores:
    """`threads` cores that nobody has, () where there are not as many.

    :param busy: the cores that others have. :param share: whether a core may be taken although another hardware
        thread of its physical core is taken, by others or by this choice.
    """
    taken = set(busy)
    used = {physical[core] for core in taken if core in physical}
    whole: dict[str, int] = {}
    for core in order:
        if core not in taken and physical[core] not in used:
            whole.setdefault(physical[core], core)
    chosen = list(whole.values())[:threads]
    if len(chosen) < threads and share:
        rest = [core for core in order if core not in taken and core not in chosen]
        chosen += rest[: threads - len(chosen)]
    return tuple(chosen) if threads > 0 and len(chosen) == threads else ()


def on_one_physical_core(cores: Iterable[int], physical: Mapping[int, str], busy: Iterable[int]) -> bool:
    """Whether one of the cores shares its physical core with another one of them, or with one that is busy."""
    own = [physical[core] for core in cores]
    return len(set(own)) < len(own) or bool({physical[core] for core in busy if core in physical} & set(own))


def _physical(core: int) -> str:
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
