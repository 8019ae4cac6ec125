"""Cores: a process is kept on them with all its threads, and let go for a moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchsuite.measure.timing.cores import cores_of, keep_on

several = pytest.mark.skipif(len(cores_of()) < 2, reason="needs Linux and two cores")

LET_GO = """
import json, threading, time
from benchsuite.measure.timing.cores import cores_of, keep_on, released

waiting = threading.Event()
other = threading.Thread(target=waiting.wait)
other.start()
one = [min(cores_of())]
assert keep_on(one)
seen = [sorted(cores_of()), sorted(cores_of(other.native_id))]
with released() as free:
    seen += [free, sorted(cores_of()), sorted(cores_of(other.native_id))]
seen += [sorted(cores_of()), sorted(cores_of(other.native_id))]
waiting.set()
print(json.dumps(seen))
"""


@several
def test_all_threads_are_kept_and_let_go_to_what_the_parent_has() -> None:
    done = subprocess.run([sys.executable, "-c", LET_GO], capture_output=True, text=True, check=True)
    everywhere, one = sorted(cores_of()), [min(cores_of())]
    assert json.loads(done.stdout) == [one, one, True, everywhere, everywhere, one, one]


@several
def test_another_process_is_kept_with_its_threads() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert keep_on([max(cores_of())], child.pid)
        assert cores_of(child.pid) == {max(cores_of())}
        child.communicate(b"\n")
    assert not keep_on([0], child.pid)
    assert cores_of(child.pid) == frozenset()


def test_what_is_not_kept_is_not_let_go() -> None:
    script = "from benchsuite.measure.timing.cores import released\nwith released() as free: print(free)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_core_that_there_is_not_is_refused() -> None:
    assert not keep_on([os.cpu_count() or 1, 10_000])
