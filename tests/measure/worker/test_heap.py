"""A worker's allocator keeps what is freed; what it keeps must not count as the next trial's memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchsuite.plugins import registry
from benchsuite.running.executors.variables import glibc_version, worker_variables
from benchsuite.schema import Execution

BLOCKS = """
import numpy, psutil
from benchsuite.measure.worker.heap import trim_heap
resident = lambda: psutil.Process().memory_info().rss >> 20
blocks = [numpy.ones(1 << 17) for _ in range(150)]
del blocks
kept = resident()
trim_heap()
print(kept - resident())
"""

SETTLED = """
import gc
from benchsuite.measure.worker.heap import freeze_gc
freeze_gc()
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


@pytest.mark.skipif(glibc_version() is None, reason="another C library than glibc, whose heap is its own")
def test_free_memory_goes_back_to_the_system() -> None:
    variables = worker_variables(registry().backend("numpy"), Execution(allocator="tuned"))
    environment = os.environ | variables
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 100  # MiB, of the 150 that were freed


def test_what_is_settled_is_no_longer_looked_at() -> None:
    done = subprocess.run([sys.executable, "-c", SETTLED], capture_output=True, text=True, check=True)
    frozen, left = map(int, done.stdout.split())
    assert frozen > 10 * left
