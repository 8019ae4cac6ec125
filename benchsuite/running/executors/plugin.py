"""Registers the executors. These are cards: what an executor needs is imported when it is chosen."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.contracts import Executor, ExecutorEntry, RunOptions
from benchsuite.hookspecs import hookimpl
from benchsuite.running.cluster import settings


def _local(options: RunOptions) -> Executor:
    from benchsuite.running.executors.local import LocalExecutor

    return LocalExecutor(options)


def _slurm(options: RunOptions) -> Executor:
    from benchsuite.running.cluster.slurm import load

    return load(options)


def _ray(options: RunOptions) -> Executor:
    from benchsuite.running.cluster.ray import load

    return load(options)


@hookimpl
def benchsuite_register_executors() -> Iterable[ExecutorEntry]:
    return [
        ExecutorEntry("local", _local, "worker processes on this machine"),
        ExecutorEntry(
            "slurm",
            _slurm,
            "shards as arrays of Slurm jobs, which go on without this command",
            ("submitit",),
            "slurm",
            settings.SLURM,
            settings.SLURM_REPEATABLE,
        ),
        ExecutorEntry("ray", _ray, "shards as tasks of a Ray cluster", ("ray",), "ray", settings.RAY),
    ]
