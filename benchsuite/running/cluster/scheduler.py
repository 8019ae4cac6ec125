"""Scheduler: what a cluster offers to those who want shards to run."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchsuite.contracts import RunOptions
from benchsuite.running.cluster.runs import RunFolder, ShardJobs
from benchsuite.schema import Trial
from benchsuite.schema.device import DeviceName

ShardState = Literal["waiting", "running", "gone", "cancelled"]
"""Of a shard's job. `gone`: it has ended, or nobody knows of it; `cancelled`: a user has ended it."""

MIB = 1 << 20
PARENT_BYTES = 1 << 30
"""Memory of a job beside that of its trials."""


@dataclass(frozen=True)
class Need:
    """What a shard needs of its node: processor cores, GPUs, bytes of memory (None: whatever a job gets)."""

    cores: int
    gpus: int = 0
    memory: int | None = None


def shard_need(trials: Iterable[Trial], options: RunOptions) -> Need:
    """What trials that run as `options` say need together: cores for `jobs` trials at a time, GPUs up to the
    last one that is named, memory where the options limit it."""
    threads, gpus = 1, 0
    for trial in trials:
        device = DeviceName.parse(trial.execution.device)
        threads = max(threads, trial.execution.threads)
        gpus = max(gpus, 0 if device.kind == "cpu" else device.number + 1)
    memory, jobs = None, options.jobs or 1
    if options.memory is not None and options.memory < float("inf"):
        memory = int(jobs * options.memory) + PARENT_BYTES
    return Need(jobs * threads, gpus, memory)


class Scheduler(abc.ABC):
    """Gives shards to a cluster.

    title           what users call it
    detached        whether what it was given goes on without the process that gave it
    look_seconds    how often states() may be asked
    settle_seconds  how long the files of a node that has ended may need until they are seen here
    least_seconds   work that a shard should have at least, for its start costs time, too
    most_minutes    the longest time that a job can have; None for no limit
    most_shards     shards that one submission can have
    """

    title: str
    detached = True
    look_seconds = 10.0
    settle_seconds = 20.0
    least_seconds = 300.0
    most_minutes: int | None = None
    most_shards = 1000

    @abc.abstractmethod
    def slots(self, need: Need) -> int:
        """How many shards of this need can run at the same time, at least 1. Raises RequestError where none can
        ever run."""

    @abc.abstractmethod
    def submit(
        self, folder: RunFolder, submission: ShardJobs, need: Need, minutes: int | None
    ) -> tuple[str, ...]:
        """Have node.start_shard() called for each shard, on a node that has what it needs, and again when that
        node dies; returns the ids that states() and cancel() need. Raises RequestError where it is refused.

        :param minutes: what a job may take, None for the longest time that it can have.
        """

    @abc.abstractmethod
    def states(self, submissions: Sequence[ShardJobs]) -> Mapping[str, Sequence[ShardState]] | None:
        """Name of a submission -> the state of each of its shards; None where the scheduler does not answer."""

    @abc.abstractmethod
    def cancel(self, submissions: Sequence[ShardJobs]) -> None:
        """End the jobs of these submissions. Raises RequestError where the scheduler refuses."""

    def close(self) -> None:  # noqa: B027
        """Give up what this process holds of the scheduler."""
