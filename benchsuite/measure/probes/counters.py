"""Counters of energy that the hardware keeps: RAPL of processors and memory (Linux), NVML of NVIDIA GPUs.

Only counters are read. Where there are none nothing is estimated: a processor's rated power times seconds would
tell nothing that the seconds do not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
MICROJOULE, MILLIJOULE = 1e-6, 1e-3


@dataclass(frozen=True)
class Counter:
    """A count of energy that only grows, until it begins again at zero.

    part   `cpu`, `memory` or `gpu`
    name   what the system calls it: `package-0`
    read   joules, from an arbitrary zero. Raises OSError where it may not be read
    wraps  joules at which it begins again; None: never
    """

    part: str
    name: str
    read: Callable[[], float]
    wraps: float | None = None


def rapl_counters(powercap: Path = POWERCAP) -> list[Counter]:
    """Packages and their memory. Cores and graphics are parts of their package, `psys` holds all of it, and
    `intel-rapl-mmio` shows the same packages once more.

    Raises OSError, with its reason, where a counter is there and may not be read.
    """
    found = []
    for folder in sorted(powercap.glob("intel-rapl:*")):
        name = (folder / "name").read_text().strip()
        part = "cpu" if name.startswith("package") else "memory" if name == "dram" else ""
        if part:
            wraps = float((folder / "max_energy_range_uj").read_text()) * MICROJOULE
            counter = Counter(part, name, _file(folder / "energy_uj"), wraps)
            counter.read()
            found.append(counter)
    return found


def _file(path: Path) -> Callable[[], float]:
    return lambda: float(path.read_text()) * MICROJOULE


def gpu_counter(nvml: Any, device: str, visible: str = "") -> Counter:
    """The energy of the GPU that a trial calls `gpu` or `gpu:1`.

    :param nvml: the module pynvml. :param visible: CUDA_VISIBLE_DEVICES, which renumbers GPUs for the
        frameworks and not for NVML. Raises nvml.NVMLError where the GPU keeps no such count (before Volta).
    """
    place = int(device.partition(":")[2] or 0)
    named = [one.strip() for one in visible.split(",") if one.strip()]
    which = named[place] if place < len(named) else str(place)
    nvml.nvmlInit()
    if which.isdigit():
        handle = nvml.nvmlDeviceGetHandleByIndex(int(which))
    else:
        handle = nvml.nvmlDeviceGetHandleByUUID(which)

    def read() -> float:
        return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) * MILLIJOULE

    read()
    return Counter("gpu", f"gpu {which}", read)


def counters(device: str, powercap: Path = POWERCAP) -> tuple[list[Counter], list[str]]:
    """Every counter that can be read here for a trial on `device`, and why others cannot."""
    found: list[Counter] = []
    problems: list[str] = []
    try:
        found += rapl_counters(powercap)
        if not found:
            problems.append(f"cpu: no RAPL domain in {powercap}")
    except OSError as error:
        problems.append(f"cpu: {error.filename} cannot be read: {error.strerror}")
    if device != "cpu":
        try:
            import pynvml

            found.append(gpu_counter(pynvml, device, os.environ.get("CUDA_VISIBLE_DEVICES", "")))
        except ImportError:
            problems.append("gpu: nvidia-ml-py is not installed (the extra `energy`)")
        except Exception as error:  # NVML's errors are classes that it makes when it is imported
            problems.append(f"gpu: {error}")
    return found, problems
