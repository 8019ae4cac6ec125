"""How many trials run at the same time where nobody says it."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.running.executors.memory import available_memory
from benchsuite.running.executors.pinning import wanted_threads
from benchsuite.running.executors.topology import Topology
from benchsuite.schema import Trial

TRIAL_BYTES = 3 * 2**29
"""Memory that a trial is given room for: a framework, its compiler and a small model take less."""


def fitting_jobs(trials: Sequence[Trial], topology: Topology) -> int:
    """As many as there are physical cores for their threads, and memory; at least one.

    One where a trial runs on another device than the CPU: two would share it, and neither would be trained as
    fast as alone.
    """
    threads = wanted_threads(trials)
    if threads < 1 or any(trial.execution.device != "cpu" for trial in trials):
        return 1
    room = available_memory() // TRIAL_BYTES
    return max(1, min(topology.whole // threads, room, len(trials)))
