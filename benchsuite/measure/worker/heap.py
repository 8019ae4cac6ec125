"""The process's heap between two trials."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from functools import cache


def freeze_gc() -> None:
    """Exempt what is in memory now from later garbage collections.

    A framework's modules are hundreds of thousands of objects that live as long as the process. Without this
    every collection looks at all of them: tens of milliseconds, after each trial and inside timed regions.
    """
    gc.collect()
    gc.freeze()


def trim_heap() -> None:
    """Return what the C library holds free to the system, where the library can (glibc's malloc_trim).

    A worker's allocator keeps freed memory. Without this the resident set of a small trial would be that of
    the largest one before it.
    """
    if (trim := _malloc_trim()) is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
