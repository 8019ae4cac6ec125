"""Whether what a task needs is installed in this interpreter."""

from __future__ import annotations

from benchsuite.contracts import TaskEntry
from benchsuite.plugins import check_installed


def check_task_installed(entry: TaskEntry, source: str) -> None:
    """Raises MissingFrameworkError where something that the task needs for one of its sources is missing."""
    check_installed(f"task {entry.name!r} with source {source!r}", entry.required(source), entry.extra)
