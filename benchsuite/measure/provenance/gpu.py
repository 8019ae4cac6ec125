"""The NVIDIA GPUs of this machine, as their driver names them."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter

QUERY = ("--query-gpu=name,driver_version", "--format=csv,noheader")
PATIENCE = 20


def gpu_facts() -> dict[str, str]:
    """`hardware.gpu` (`NVIDIA H100 80GB HBM3`, `2 x ...`) and `hardware.gpu_driver`; empty where nvidia-smi is
    not to be found or names none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    try:
        done = subprocess.run([program, *QUERY], capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    found = [line.rsplit(",", 1) for line in done.stdout.splitlines() if "," in line]
    if not found:
        return {}
    names = Counter(name.strip() for name, _ in found)
    drivers = dict.fromkeys(driver.strip() for _, driver in found)
    told = [name if count == 1 else f"{count} x {name}" for name, count in names.items()]
    return {"hardware.gpu": ", ".join(told), "hardware.gpu_driver": ", ".join(drivers)}
