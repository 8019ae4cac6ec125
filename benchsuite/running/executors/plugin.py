"""Registers the local executor."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.contracts import Executor, ExecutorEntry, RunOptions
from benchsuite.hookspecs import hookimpl


def _load(options: RunOptions) -> Executor:
    from benchsuite.running.executors.local import LocalExecutor

    return LocalExecutor(options)


@hookimpl
def benchsuite_register_executors() -> Iterable[ExecutorEntry]:
    return [ExecutorEntry("local", _load, "worker processes on this machine")]
