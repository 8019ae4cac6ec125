"""What a scheduler's job calls on a node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


def run_shard(folder: str, shard: int) -> int:
    """Run one attempt of a shard in a process of its own; gives its exit code. Records are in its journal."""
    from benchsuite.running.cluster.node import start_shard

    return start_shard(Path(folder), shard)


@dataclass(frozen=True)
class ShardTask:
    """run_shard() with its arguments: submitit stores it, and nothing but it, as a pickle."""

    folder: str
    shard: int

    def __call__(self) -> int:
        return run_shard(self.folder, self.shard)

    def checkpoint(self) -> Any:
        """Called when the job's time ends or it must make room: it is queued again, and goes on from the
        shard's journals.

        None, which ends the job, where its attempts record nothing: a trial takes longer than the job's time.
        The driver submits the shard again, with all the time that is allowed.
        """
        from submitit.helpers import DelayedSubmission

        from benchsuite.running.cluster.attempts import gets_further
        from benchsuite.running.cluster.runs import RunFolder

        if not gets_further(RunFolder(Path(self.folder)), self.shard):
            return None
        return DelayedSubmission(self)
