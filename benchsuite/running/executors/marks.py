"""The marks of this process's workers, and the guardian that ends them should this process be killed."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import subprocess
import sys
import threading
import uuid

from benchsuite.running.executors import guardian

GUARDIAN_SECONDS = 2.0
"""How long the guardian may take to end."""

_lock = threading.Lock()
_numbers = itertools.count()
_runs: dict[int, str] = {}
"""Id of this process -> its mark. A process that was forked from it has a mark and a guardian of its own."""
_guardians: dict[int, subprocess.Popen[bytes]] = {}


def new_mark() -> str:
    """A mark for one worker. The first one starts this process's guardian."""
    with _lock:
        here = os.getpid()
        if here not in _runs:
            _runs[here] = uuid.uuid4().hex
            _guardians[here] = _start(_runs[here], here)
            atexit.register(_dismiss, here)
        return f"{_runs[here]}/{next(_numbers)}."


def _dismiss(process: int) -> None:
    """Let the guardian look once more, and wait for its end."""
    guard = _guardians.pop(process, None)
    if guard is None or process != os.getpid():
        return
    assert guard.stdin is not None
    guard.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        guard.wait(GUARDIAN_SECONDS)


def _start(run: str, here: int) -> subprocess.Popen[bytes]:
    # -S and -I: nothing is imported that could fail or take long; psutil is needed where there is no /proc
    flags = ["-I", "-S"] if (guardian.PROC / "self").is_dir() else ["-I"]
    return subprocess.Popen(
        [sys.executable, *flags, guardian.__file__, f"{run}/", str(here)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
