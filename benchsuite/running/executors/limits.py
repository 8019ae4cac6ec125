"""What the system lets a process use: a trial that lowers that for itself must not do so for the next one."""

from __future__ import annotations

import resource
from collections.abc import Mapping

_NAMES = [name for name in dir(resource) if name.startswith("RLIMIT_")]


def own_limits() -> dict[int, int]:
    """Kind of limit -> this process's soft limit, which the processes that it starts inherit."""
    return {kind: resource.getrlimit(kind)[0] for name in _NAMES if (kind := getattr(resource, name)) >= 0}


def lowered(process: int, before: Mapping[int, int]) -> bool:
    """Whether a process has a lower soft limit than `before`. False where the system does not say."""
    try:
        return any(_less(resource.prlimit(process, kind)[0], limit) for kind, limit in before.items())
    except (AttributeError, OSError, ValueError):  # not on macOS; gone
        return False


def _less(limit: int, before: int) -> bool:
    if limit == resource.RLIM_INFINITY:
        return False
    return before == resource.RLIM_INFINITY or limit < before
