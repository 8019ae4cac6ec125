"""The process's heap between two trials."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Return what the C library holds free to the system, where the library can (glibc's malloc_trim).

    A worker's allocator keeps freed memory. Without this the resident set of a small trial would be that of
    the largest one before it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
