"""How much memory there is for workers, and how much one uses with all that it started."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

FREE_SHARE = 0.9
"""Share of the memory that is available when a run begins that its trials may use together, by default."""

CHILDREN_SECONDS = 2.0
"""How often the processes that a worker started are looked for: that takes longer than to look at one."""

CONTROL_GROUP = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Bytes that new processes can use: what the system has, or what is left to this control group."""
    found = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        most = (CONTROL_GROUP / "memory.max").read_text().strip()
        if most != "max":
            used = int((CONTROL_GROUP / "memory.current").read_text())
            stat = (CONTROL_GROUP / "memory.stat").read_text().split()
            cache = int(stat[stat.index("inactive_file") + 1]) if "inactive_file" in stat else 0
            found = min(found, max(int(most) - used + cache, 0))
    return found


class MemoryWatch:
    """The resident memory of a process and of its children."""

    def __init__(self, process: int) -> None:
        self._id = process
        self._process: psutil.Process | None = None
        self._children: list[psutil.Process] = []
        self._looked = time.monotonic()

    def used(self) -> int:
        """Bytes. Memory that a child shares with others counts once; a process that is gone uses none."""
        now = time.monotonic()
        try:
            if self._process is None:
                self._process = psutil.Process(self._id)
            if now >= self._looked + CHILDREN_SECONDS:
                self._looked = now
                self._children = self._process.children(recursive=True)
        except psutil.Error:
            return 0
        return _resident(self._process) + sum(_resident(child, own=True) for child in self._children)


def _resident(process: psutil.Process, own: bool = False) -> int:
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - (getattr(memory, "shared", 0) if own else 0))
