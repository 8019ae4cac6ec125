"""Ray as a scheduler: a task for each shard. Ray's tasks end with the process that asked for them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from benchsuite.contracts import RunOptions
from benchsuite.errors import RequestError
from benchsuite.running.cluster.executor import ClusterExecutor
from benchsuite.running.cluster.runs import RunFolder, ShardJobs
from benchsuite.running.cluster.scheduler import Need, Scheduler, ShardState
from benchsuite.running.cluster.settings import ClusterSettings
from benchsuite.running.cluster.task import run_shard

AUTO = "auto"
"""The address of the cluster that this machine is part of."""


def load(options: RunOptions) -> ClusterExecutor:
    """The executor `ray`. Raises RequestError where no cluster answers at the address."""
    settings = ClusterSettings(options.settings)
    shards = settings.number("shards")
    return ClusterExecutor("ray", options, RayScheduler(settings.text("address") or AUTO), shards)


class RayScheduler(Scheduler):
    """A task for each shard. Ray starts it again on another node when its node dies."""

    title = "Ray"
    detached = False
    look_seconds = 2.0
    settle_seconds = 10.0
    least_seconds = 60.0

    def __init__(self, address: str) -> None:
        import ray

        self._ray, self._tasks = ray, dict[str, list[Any]]()
        self._own = not ray.is_initialized()
        try:
            if self._own:
                ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # Ray raises errors of many kinds where nobody answers
            raise RequestError(
                f"no Ray cluster answers at {address!r} ({_first_line(error)}): start one with `ray start "
                "--head`, add nodes with `ray start --address=HOST:6379`, or give --executor-option address=..."
            ) from error

    def slots(self, need: Need) -> int:
        rooms = [_room(node["Resources"], need) for node in self._ray.nodes() if node["Alive"]]
        if not sum(rooms):
            gpus = f", {need.gpus} GPU" if need.gpus else ""
            memory = f", {need.memory / 2**30:.1f} GiB" if need.memory else ""
            raise RequestError(
                f"a shard needs {need.cores} cores{gpus}{memory}, and none of the {len(rooms)} nodes of the "
                "Ray cluster has them: add a node, or give fewer --jobs or less --memory"
            )
        return sum(rooms)

    def submit(
        self, folder: RunFolder, submission: ShardJobs, need: Need, minutes: int | None
    ) -> tuple[str, ...]:
        del minutes  # Ray's tasks have no time limit
        task = self._ray.remote(run_shard).options(
            num_cpus=need.cores,
            num_gpus=need.gpus,
            memory=need.memory,
            max_retries=-1,
            name=submission.name,
        )
        self._tasks[submission.name] = [task.remote(str(folder.path), shard) for shard in submission.shards]
        return ()

    def states(self, submissions: Sequence[ShardJobs]) -> Mapping[str, Sequence[ShardState]]:
        """Of tasks that another process asked for nothing is left."""
        found: dict[str, list[ShardState]] = {}
        for name, tasks in self._tasks.items():
            ended, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0)
            found[name] = ["gone" if task in ended else "running" for task in tasks]
        return {one.name: found.get(one.name, ["gone"] * len(one.shards)) for one in submissions}

    def cancel(self, submissions: Sequence[ShardJobs]) -> None:
        for one in submissions:
            self._end(one.name)

    def _end(self, submission: str) -> None:
        for task in self._tasks.pop(submission, []):
            with contextlib.suppress(Exception):  # it has ended
                self._ray.cancel(task, force=True)

    def close(self) -> None:
        for name in list(self._tasks):
            self._end(name)
        if self._own:
            self._ray.shutdown()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _room(resources: Mapping[str, float], need: Need) -> int:
    """How many shards fit a node at the same time."""
    rooms = [resources.get("CPU", 0.0) // need.cores]
    rooms += [resources.get("GPU", 0.0) // need.gpus] if need.gpus else []
    rooms += [resources.get("memory", 0.0) // need.memory] if need.memory else []
    return int(min(rooms))
