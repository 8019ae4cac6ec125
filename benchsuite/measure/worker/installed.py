"""Whether what a plugin needs is installed in this interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from benchsuite.contracts import TaskEntry
from benchsuite.errors import MissingFrameworkError


def check_installed(what: str, requirements: Sequence[str], extra: str | None) -> None:
    """Raises MissingFrameworkError, which names the distributions that are missing and how to get them."""
    missing = [name for name in requirements if not _installed(name)]
    if missing:
        raise MissingFrameworkError(what, missing, extra)


def check_task_installed(entry: TaskEntry, source: str) -> None:
    """As check_installed(), of what a task needs for one of its sources."""
    check_installed(f"task {entry.name!r} with source {source!r}", entry.required(source), entry.extra)


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
