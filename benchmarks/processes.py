"""Commands in processes of their own, and what they cost with everything they start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NULL = Path(__file__).parent / "null"


@dataclass(frozen=True)
class Cost:
    """Medians over runs: wall seconds, CPU seconds of the process and of the children it waited for; the last
    run's output."""

    wall: float
    cpu: float
    output: str


def environment(cache: Path, **more: str) -> dict[str, str]:
    """This process's environment with compiled modules kept in `cache`, as an installed package has them."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache), **more}


def cost(command: Sequence[str], variables: Mapping[str, str], runs: int, ends_with: int = 0) -> Cost:
    """Medians over `runs` runs. Raises CalledProcessError for an exit code other than `ends_with`."""
    seen = [_once(command, variables, ends_with) for _ in range(runs)]
    wall, cpu = np.median([(each.wall, each.cpu) for each in seen], axis=0)
    return Cost(float(wall), float(cpu), seen[-1].output)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def suite(*arguments: str) -> list[str]:
    """A benchsuite command."""
    return [str(Path(sys.executable).with_name("benchsuite")), *arguments]


def _once(command: Sequence[str], variables: Mapping[str, str], ends_with: int) -> Cost:
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != ends_with:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Cost(time.perf_counter() - begin, used.ru_utime + used.ru_stime, output)


def install_null(folder: Path) -> str:
    """Metadata that make the null plugin an installed distribution; returns the PYTHONPATH it is found on."""
    info = folder / "benchsuite_null-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: benchsuite-null\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[benchsuite]\nnull = benchsuite_null\n")
    return os.pathsep.join([str(folder), str(NULL)])
