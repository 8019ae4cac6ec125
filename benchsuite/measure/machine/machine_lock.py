"""Who works on this machine, and who has it alone: trials train side by side, and each is timed alone.

A readers-writer lock over all benchsuite processes of the machine, made of locks on the bytes of one file, so
that the death of a holder releases it. Who works holds a byte of its own; who is timed holds all those bytes at
once. Byte QUEUE is the way to both: who waits to be timed holds it, and nobody new begins to work, so that it
need not wait longer than for those who work to come to a point where they can stop.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchsuite.errors import BenchsuiteError
from benchsuite.measure.machine.byte_locks import SUPPORTED, ByteLocks
from benchsuite.measure.machine.runtime import runtime_folder

LOCK_FILE = "machine.lock"

QUEUE = 0
WORKING, STARTING, TO_BE_TIMED = 1 << 40, 2 << 40, 3 << 40
"""Where the bytes begin of those that work, that start a worker, that wait to be timed."""
LENGTH = 1 << 40
"""How many bytes of each kind there are: everybody takes one by chance."""
BUSY_BYTES, BUSY_LENGTH = WORKING, 2 * LENGTH
"""The bytes of which none is held while a trial is timed."""

WANTED_SECONDS = 0.02
"""How often a training looks whether somebody waits to be timed."""

BESIDE_SECONDS = 1.0
"""How often it counts who works beside it."""

PATIENCE_SECONDS = 3.0
"""How long a trial waits for others that are to be timed, too: stopping everybody once for several costs less
than once for each."""


def _tell_nobody(waits: bool) -> None:
    del waits


class MachineLock:
    """One process's part in the lock. Where the system has no such locks nothing is ever waited for.

    supported  whether there is a lock at all; problem: why not, or ""
    waited     seconds that this process has waited for others since begin()
    beside     the most others that worked while this one did, since begin()
    """

    def __init__(self, folder: Path | None = None) -> None:
        """:param folder: by default runtime_folder()."""
        self.problem = "" if SUPPORTED else "this system has no locks on open files"
        self._locks: ByteLocks | None = None
        if SUPPORTED:
            try:
                self._locks = ByteLocks((folder or runtime_folder()) / LOCK_FILE)
            except (OSError, BenchsuiteError) as error:
                self.problem = str(error)
        self._own: int | None = None
        self._look = self._count = 0.0
        self.waited, self.beside = 0.0, 0
        self._tell: Callable[[bool], None] = _tell_nobody

    @property
    def supported(self) -> bool:
        return self._locks is not None

    def begin(self, tell: Callable[[bool], None] = _tell_nobody) -> None:
        """Begin to work, as soon as nobody is timed. `end()` must follow.

        :param tell: called with True when waiting for others begins, and with False when it ends.
        """
        self.waited, self.beside, self._tell = 0.0, 0, tell
        self._share()

    def end(self) -> None:
        """Work no longer."""
        if self._locks is not None and self._own is not None:
            self._locks.unlock(self._own)
        self._own = None

    def wanted(self) -> bool:
        """Whether somebody waits until this process stops. Asked at every step: most calls look at the clock
        alone."""
        now = time.perf_counter()
        if self._locks is None or now < self._look:
            return False
        self._look = now + WANTED_SECONDS
        if now >= self._count:
            self._count = now + BESIDE_SECONDS
            self._note_beside()
        return self._locks.is_held(QUEUE, alone=True)

    def step_aside(self) -> None:
        """Stop working until nobody waits to be timed any more."""
        if self._own is not None:
            self.end()
            self._share()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Have the machine alone for as long as the context lasts; where this process worked before, it works
        again afterwards."""
        if self._locks is None:
            yield
            return
        worked, locks = self._own is not None, self._locks
        self.end()
        got = _try_all(locks)
        with self._waiting(not got):
            if not got:
                _take_all(locks)
        try:
            yield
        finally:
            locks.unlock(BUSY_BYTES, BUSY_LENGTH)
            locks.unlock(QUEUE)
            if worked:
                self._share()

    def try_start(self) -> bool:
        """Begin to start a worker if nobody is timed or waits for that; returns whether it may. What is started
        counts as nobody's company: `end()` follows as soon as the worker says that it works itself."""
        return self._try_own(STARTING)

    def close(self) -> None:
        """Release everything."""
        if self._locks is not None:
            self._locks.close()
        self._locks = self._own = None

    def _share(self) -> None:
        if not self._try_own(WORKING):
            assert self._locks is not None
            with self._waiting():
                self._locks.lock(QUEUE, shared=True)
                self._own = _some(WORKING)
                self._locks.lock(self._own)
                self._locks.unlock(QUEUE)
        self._note_beside()

    def _try_own(self, kind: int) -> bool:
        if self._locks is None:
            return True
        if not self._locks.try_lock(QUEUE, shared=True):
            return False
        try:
            own = _some(kind)
            if self._locks.try_lock(own):
                self._own = own
            return self._own is not None
        finally:
            self._locks.unlock(QUEUE)

    @contextlib.contextmanager
    def _waiting(self, waits: bool = True) -> Iterator[None]:
        if not waits:
            yield
            return
        begin = time.perf_counter()
        self._tell(True)
        try:
            yield
        finally:
            self.waited += time.perf_counter() - begin
            self._tell(False)

    def _note_beside(self) -> None:
        if self._locks is not None:
            self.beside = max(self.beside, len(self._locks.held(WORKING, LENGTH)))


def _some(kind: int) -> int:
    return kind + secrets.randbelow(LENGTH)


def _try_all(locks: ByteLocks) -> bool:
    """Take the machine if it is free now."""
    if not locks.try_lock(QUEUE):
        return False
    if locks.try_lock(BUSY_BYTES, BUSY_LENGTH):
        return True
    locks.unlock(QUEUE)
    return False


def _take_all(locks: ByteLocks) -> None:
    waiting = _some(TO_BE_TIMED)
    locks.lock(waiting)
    try:
        _await_company(locks)
        locks.lock(QUEUE)
        locks.lock(BUSY_BYTES, BUSY_LENGTH)
    finally:
        locks.unlock(waiting)


def _await_company(locks: ByteLocks) -> None:
    """Wait until as many wait to be timed as still work, until somebody else is being timed, or for
    PATIENCE_SECONDS."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and not locks.is_held(QUEUE, alone=True):
        working = len(locks.held(WORKING, LENGTH))
        if 1 + len(locks.held(TO_BE_TIMED, LENGTH)) >= working:
            return
        time.sleep(WANTED_SECONDS)
