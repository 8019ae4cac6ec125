"""Facts of a process that may change while it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable


def process_facts() -> dict[str, str]:
    """`process.affinity`: the processor cores that this process may use, where the system says so."""
    if sys.platform != "linux":
        return {}
    return {"process.affinity": format_cores(os.sched_getaffinity(0))}


def format_cores(cores: Iterable[int]) -> str:
    """`0-3,6`: cores as Linux writes them."""
    parts: list[list[int]] = []
    for core in sorted(cores):
        if parts and core == parts[-1][-1] + 1:
            parts[-1].append(core)
        else:
            parts.append([core])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
