"""A task whose data are zeros and a backend that does nothing: all that is left of a trial is the suite itself.

Inputs, targets and initial biases are zeros, so every state, prediction, loss and gradient of a recurrent model
is exactly zero: a backend that answers zeros is in parity, and its trials go through every phase. The timing
rounds find it idle, as they should.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Backend, BackendEntry, Task, TaskEntry


def _load_backend() -> Backend:
    from benchsuite_null.backend import NullBackend

    return NullBackend()


def _load_task() -> Task:
    from benchsuite_null.task import NullTask

    return NullTask()


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    return [BackendEntry("null", _load_backend, "does nothing, and answers zeros", ("numpy",), None)]


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    sources = {"zeros": "zeros that are to be mapped to zeros"}
    return [TaskEntry("null", _load_task, "nothing to learn", sources, ("zeros",))]
