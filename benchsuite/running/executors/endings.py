"""How a worker ended, and what that says: the status, the cause and the reason of its trial's record."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from benchsuite.schema import Cause, Status

_COUNTERS = (("/proc/vmstat", "oom_kill"), ("/sys/fs/cgroup/memory.events", "oom_kill"))
"""Files of the system and of this control group that count processes killed for want of memory."""

_INTERRUPTS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


@dataclass(frozen=True)
class Ended:
    """A worker died or was ended before its answer: what its trial's record says of it."""

    status: Status
    reason: str
    cause: Cause = "lost"


def describe_exit(code: int, memory_kills: int | None = None) -> Ended:
    """What the exit code of a worker says, as subprocess gives it: negative for a signal.

    :param memory_kills: how many processes the system has killed for want of memory while the worker worked;
        None where it does not say.
    """
    if code >= 0:
        return Ended(Status.FAILED, f"the worker exited with code {code} before the trial's end", "exit")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    if -code == signal.SIGKILL:
        if memory_kills == 0:
            return Ended(Status.KILLED, "the worker was killed (SIGKILL), and not for want of memory", "lost")
        cause: Cause = "lost" if memory_kills is None else "memory"
        return Ended(Status.KILLED, "the worker was killed (SIGKILL), probably because memory ran out", cause)
    if -code in _INTERRUPTS:
        return Ended(Status.KILLED, f"the worker was ended by signal {-code} ({name})", "interrupted")
    if -code == signal.SIGXCPU:
        return Ended(Status.KILLED, f"the worker was ended by signal {-code} ({name})", "timeout")
    return Ended(Status.FAILED, f"the worker died with signal {-code} ({name})", "crash")


def memory_kills() -> int | None:
    """How many processes the system has killed for want of memory since it started; None where it does not
    say."""
    found = [count for path, name in _COUNTERS if (count := _counter(Path(path), name)) is not None]
    return max(found, default=None)


def _counter(path: Path, name: str) -> int | None:
    try:
        rows = path.read_text().splitlines()
        return next((int(row.split()[1]) for row in rows if row.split()[:1] == [name]), None)
    except (OSError, ValueError, IndexError):
        return None
