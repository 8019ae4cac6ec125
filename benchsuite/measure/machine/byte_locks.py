"""Locks on single bytes of a file. The system releases them when their holder ends, however it ends.

They are the "open file description" locks of Linux: two objects of this class exclude each other, also in two
threads of one process. The file stays empty; a byte need not exist to be locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
from pathlib import Path

SUPPORTED = sys.platform == "linux" and struct.calcsize("P") == 8
"""Whether this system has such locks, in the layout that is used here."""

_LAYOUT = struct.Struct("hhqqi4x")
"""struct flock: type, whence, start, length, process (0)."""


class ByteLocks:
    """The locks that one holder has on the bytes of `path`. Raises OSError where the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError):  # what cleans /tmp by age must see that the file is in use
            os.utime(self._file)

    def lock(self, start: int, length: int = 1, *, shared: bool = False) -> None:
        """Wait until nobody else holds any of the bytes, or, `shared`, nobody else alone; then hold them."""
        self._call(fcntl.F_OFD_SETLKW, fcntl.F_RDLCK if shared else fcntl.F_WRLCK, start, length)

    def try_lock(self, start: int, length: int = 1, *, shared: bool = False) -> bool:
        """As lock(), without waiting; returns whether the bytes are held now."""
        try:
            self._call(fcntl.F_OFD_SETLK, fcntl.F_RDLCK if shared else fcntl.F_WRLCK, start, length)
        except BlockingIOError:
            return False
        except PermissionError:  # POSIX allows either answer
            return False
        return True

    def unlock(self, start: int, length: int = 1) -> None:
        self._call(fcntl.F_OFD_SETLK, fcntl.F_UNLCK, start, length)

    def is_held(self, start: int, length: int = 1, *, alone: bool = False) -> bool:
        """Whether somebody else holds any of the bytes. :param alone: not shared."""
        return self._holder(start, length, fcntl.F_RDLCK if alone else fcntl.F_WRLCK) is not None

    def held(self, start: int, length: int) -> list[range]:
        """The bytes in that range that others hold, one entry by lock; those of one holder that are neighbours
        are one lock."""
        found: list[range] = []
        ranges = [(start, length)]
        while ranges:  # which lock of several is told is not defined: look on both sides of it
            begin, count = ranges.pop()
            holder = self._holder(begin, count, fcntl.F_WRLCK) if count > 0 else None
            if holder is not None:
                first, size = holder
                end = begin + count if not size else min(first + size, begin + count)
                found.append(range(max(first, begin), end))
                ranges += [(begin, first - begin), (end, begin + count - end)]
        return found

    def close(self) -> None:
        """Release every lock of this holder."""
        os.close(self._file)

    def _holder(self, start: int, length: int, kind: int) -> tuple[int, int] | None:
        """(first byte, number of bytes) of a lock of somebody else's that stands against `kind`."""
        answer = self._call(fcntl.F_OFD_GETLK, kind, start, length)
        found, _, first, size, _ = _LAYOUT.unpack(answer)
        return None if found == fcntl.F_UNLCK else (first, size)

    def _call(self, command: int, kind: int, start: int, length: int) -> bytes:
        answer = fcntl.fcntl(self._file, command, _LAYOUT.pack(kind, os.SEEK_SET, start, length, 0))
        assert isinstance(answer, bytes)
        return answer
