"""Resident memory of real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
from fixtures.scripted import wait_until

from benchsuite.running.executors.memory import MemoryWatch, available_memory


def test_available_memory_is_no_more_than_the_machine_has() -> None:
    assert 0 < available_memory() <= psutil.virtual_memory().total


def test_a_process_uses_what_its_children_use() -> None:
    make = "import os, time; kept = os.urandom(1 << 20) * 100; print('made', flush=True); time.sleep(60)"
    watch = MemoryWatch(os.getpid())
    before = watch.used()
    with subprocess.Popen([sys.executable, "-c", make], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert wait_until(lambda: watch.used() - before > 80 << 20)
        assert MemoryWatch(child.pid).used() > 100 << 20
        child.kill()
    assert MemoryWatch(child.pid).used() == 0
