"""The processor cores that this process is kept on, where the system offers that (Linux)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path


def cores_of(process: int = 0) -> frozenset[int]:
    """The cores that a process may use, by default this one; empty where the system does not say."""
    if sys.platform != "linux":
        return frozenset()
    try:
        return frozenset(os.sched_getaffinity(process))
    except OSError:  # it ended
        return frozenset()


def keep_on(cores: Iterable[int], process: int | None = None) -> bool:
    """Keep every thread of a process on `cores`, by default this one's; those it starts later inherit that.
    Returns whether the system did."""
    if sys.platform != "linux":
        return False
    wanted, done = set(cores), set[str]()
    folder = Path(f"/proc/{process or 'self'}/task")
    try:
        # until no thread is new: one that is not moved yet may have started another
        while rest := {thread.name for thread in folder.iterdir()} - done:
            for thread in rest:
                with contextlib.suppress(ProcessLookupError):  # it ended
                    os.sched_setaffinity(int(thread), wanted)
            done |= rest
    except OSError:
        return False
    return True


@contextlib.contextmanager
def released() -> Iterator[bool]:
    """Lift what keeps this process on fewer cores than its parent has, for as long as the context lasts. Yields
    whether there was something to lift."""
    own, parents = cores_of(), cores_of(os.getppid())
    if not own < parents:
        yield False
        return
    keep_on(parents)
    try:
        yield True
    finally:
        keep_on(own)
