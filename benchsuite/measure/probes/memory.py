"""Peak resident memory by phase."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from benchsuite.contracts import Probe

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""What clear_refs is told to start VmHWM anew (proc(5))."""


class PeakMemory(Probe):
    """Peak resident set of the worker during `build`, `train` and `time`, in bytes.

    On Linux the kernel's high-water mark is reset at the start of each phase, so a warm worker's earlier
    trials do not count. Elsewhere only the resident set at the end of a phase is known, and it is recorded
    under another name.
    """

    PHASES = ("build", "train", "time")

    def __init__(self) -> None:
        self._peaks: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._exact = sys.platform == "linux" and CLEAR.exists()

    def enter(self, phase: str) -> None:
        if phase not in self.PHASES:
            return
        self._before[phase] = _resident()
        if self._exact:
            try:
                CLEAR.write_text(RESET_PEAK)
            except OSError:  # a locked-down container: fall back to the resident set
                self._exact = False

    def leave(self, phase: str) -> None:
        if phase in self.PHASES:
            self._peaks[phase] = _high_water() if self._exact else _resident()

    def scalars(self) -> dict[str, float]:
        kind = "peak" if self._exact else "resident"
        found = {f"memory/{phase}_{kind}_bytes": float(peak) for phase, peak in self._peaks.items()}
        if "train" in self._peaks:
            found[f"memory/{kind}_bytes"] = float(self._peaks["train"])
            base = self._before.get("build", self._before["train"])
            found["memory/train_extra_bytes"] = float(max(0, self._peaks["train"] - base))
        return found


def _resident() -> int:
    return _status("VmRSS") or int(psutil.Process().memory_info().rss)


def _high_water() -> int:
    return _status("VmHWM") or _resident()


def _status(field: str) -> int | None:
    """Bytes of a field of Linux's /proc/self/status; None where there is none of it."""
    try:
        text = STATUS.read_bytes()
    except OSError:
        return None
    _, _, behind = text.partition(f"\n{field}:".encode())
    return int(behind.split(maxsplit=1)[0]) * 1024 if behind else None
