"""Ends what a run's workers leave behind: processes are known by a mark in their environment, whichever session
or process group they moved to.

Run as a program, `python guardian.py MARK PARENT` waits until its standard input ends or the process PARENT is
gone, then ends every process with the mark. It needs nothing but the standard library on Linux, and cannot be
held up by what a worker does: a worker that holds the interpreter's lock, or is stopped, ends all the same.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "BENCHSUITE_WORKER"
"""The environment variable of workers and of everything they start: `RUN/NUMBER`."""

PROC = Path("/proc")
ROUNDS, ROUND_SECONDS = 20, 0.05
"""A process may start another one while it is being ended: how often is looked again, and when."""


def marked(mark: str) -> Iterator[int]:
    """Ids of the processes whose environment has the mark or begins with it."""
    wanted = f"{VARIABLE}={mark}".encode()
    if not (PROC / "self").is_dir():
        yield from _marked_elsewhere(mark)
        return
    for folder in PROC.iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):  # gone in the meantime, or another user's
                if b"\0" + wanted in b"\0" + (folder / "environ").read_bytes():
                    yield int(folder.name)


def _marked_elsewhere(mark: str) -> Iterator[int]:
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(VARIABLE, "").startswith(mark):
                yield process.pid


def end_marked(mark: str) -> None:
    """End every process with the mark, and what those start in the meantime."""
    for _ in range(ROUNDS):
        found = list(marked(mark))
        if not found:
            return
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(ROUND_SECONDS)


def _guard(mark: str, parent: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # a process that the parent forked may hold the pipe open: the parent's id is asked, too
    while os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], 1.0)
        if ready and not os.read(0, 1):
            break
    end_marked(mark)


if __name__ == "__main__":
    _guard(sys.argv[1], int(sys.argv[2]))
