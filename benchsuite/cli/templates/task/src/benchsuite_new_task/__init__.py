"""The task `new_task`. Every benchsuite command imports this module: it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_new_task.task import NewTask

    return NewTask()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="new_task",
            load=_load,
            summary="does a random walk end above where it began?",
            sources={"generated": "random walks of several lengths; needs no download"},
            offline=("generated",),
            options={"longest": Option(12, "steps of the longest walk", least=4, most=1000)},
            requirements=("numpy",),  # distributions that loading the data needs
        )
    ]
