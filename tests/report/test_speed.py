"""Ten thousand trials in one report: in memory's bounds, and in a time that is printed.

How long it takes is a matter of the machine and of what else it does; on two cores it was 37 seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from fixtures import synthetic

TRIALS = 10_000
MOST_BYTES = 2 * 2**30


def memory(process: psutil.Process) -> int:
    """Bytes that a process and its children hold; what several of them share counts once."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.Error:  # it has ended
            continue
    return total


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="proportional memory is a figure of Linux")
def test_ten_thousand_trials_are_reported_within_two_gibibytes(tmp_path: Path) -> None:
    study = synthetic.study(tmp_path / "large", TRIALS, 10, 5)
    command = [sys.executable, "-m", "benchsuite", "report", str(study), "-o", str(tmp_path / "site")]
    begin, peak = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, memory(watched))
            time.sleep(1)
    print(f"{TRIALS} trials: {time.monotonic() - begin:.0f} s, {peak / 2**20:.0f} MiB")
    assert process.returncode == 0
    assert peak < MOST_BYTES
    assert len(list((tmp_path / "site" / "trials").iterdir())) == TRIALS
    assert (tmp_path / "site" / "trials.html").stat().st_size < 8 * 2**20
