"""Who is timed is alone: among threads here, among processes, also where one of them is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import RequestError
from benchsuite.measure.machine import machine_lock
from benchsuite.measure.machine.byte_locks import SUPPORTED, ByteLocks
from benchsuite.measure.machine.machine_lock import MachineLock
from benchsuite.measure.machine.runtime import RUNTIME_VARIABLE, runtime_folder

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="needs locks on open files")


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@given(st.dictionaries(st.integers(0, 60), st.integers(1, 5), max_size=8))
def test_every_byte_that_others_hold_is_found(held: dict[int, int]) -> None:
    path = runtime_folder() / "bytes.lock"
    looks, first, other = (ByteLocks(path) for _ in range(3))
    with closing(looks), closing(first), closing(other):
        own: set[int] = set()
        for number, (start, length) in enumerate(held.items()):
            if (first, other)[number % 2].try_lock(start, length):
                own |= set(range(start, start + length))
        assert {byte for lock in looks.held(0, 100) for byte in lock} == own
        assert {byte for lock in looks.held(10, 20) for byte in lock} == own & set(range(10, 30))
        assert all(looks.is_held(byte) == (byte in own) for byte in range(70))


def test_a_timing_waits_for_those_who_work_and_they_for_it(tmp_path: Path) -> None:
    worker, timed, late = (MachineLock(tmp_path) for _ in range(3))
    told: list[bool] = []
    worker.begin()
    alone, done, begun = threading.Event(), threading.Event(), threading.Event()

    def time_it() -> None:
        timed.begin(told.append)
        with timed.exclusive():
            alone.set()
            done.wait(20)

    def begin_late() -> None:
        late.begin()
        begun.set()

    with ThreadPoolExecutor() as threads:
        timing = threads.submit(time_it)
        wait_until(worker.wanted)
        assert not alone.is_set()
        beginning = threads.submit(begin_late)
        time.sleep(0.05)
        assert not begun.is_set()  # or a stream of new ones would keep the timing waiting for ever
        aside = threads.submit(worker.step_aside)
        assert alone.wait(20)
        assert not late.try_start()
        time.sleep(0.05)
        assert not begun.is_set()
        assert not aside.done()
        done.set()
        for one in (timing, beginning, aside):
            one.result(20)
    assert told == [True, False]
    assert worker.waited > 0.04
    assert worker.beside >= 1
    assert not worker.wanted()
    for lock in (worker, timed, late):
        lock.end()
        lock.close()


def test_one_alone_waits_for_nobody_and_has_nobody_beside_it(tmp_path: Path) -> None:
    lock, told = MachineLock(tmp_path), list[bool]()
    lock.begin(told.append)
    with lock.exclusive():
        pass
    lock.step_aside()
    assert (told, lock.waited, lock.beside) == ([], 0.0, 0)
    lock.close()


def test_several_that_wait_are_timed_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_lock, "PATIENCE_SECONDS", 60.0)
    locks = [MachineLock(tmp_path) for _ in range(4)]
    spans: list[tuple[float, float]] = []
    for lock in locks:
        lock.begin()

    def time_it(lock: MachineLock) -> None:
        with lock.exclusive():
            begin = time.monotonic()
            time.sleep(0.02)
            spans.append((begin, time.monotonic()))
        lock.end()

    with ThreadPoolExecutor() as threads:
        first = threads.submit(time_it, locks[0])
        time.sleep(0.1)
        assert not locks[3].wanted()  # one of four: it waits for company
        rest = [threads.submit(time_it, lock) for lock in locks[1:3]]
        wait_until(locks[3].wanted)
        while not all(one.done() for one in (first, *rest)):  # as a training does between its steps
            if locks[3].wanted():
                locks[3].step_aside()
    spans.sort()
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


HOLDER = """
import sys, time
from pathlib import Path
from benchsuite.measure.machine import MachineLock
lock = MachineLock(Path(sys.argv[1]))
lock.begin()
with lock.exclusive():
    print("alone", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


def test_the_death_of_who_is_timed_frees_the_machine(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    assert holder.stdout is not None
    assert holder.stdout.readline() == "alone\n"
    lock = MachineLock(tmp_path)
    assert not lock.try_start()
    holder.kill()
    lock.begin()
    with lock.exclusive():
        pass
    lock.close()


def test_a_system_without_the_folder_says_so_and_waits_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path / "file" / "below"))
    lock = MachineLock()
    assert not lock.supported
    assert lock.problem
    lock.begin()
    assert lock.try_start()
    with lock.exclusive():
        assert not lock.wanted()
    lock.step_aside()
    lock.end()
    lock.close()


def test_the_folder_is_this_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path / "own"))
    assert runtime_folder() == tmp_path / "own"
    monkeypatch.delenv(RUNTIME_VARIABLE)
    monkeypatch.setattr("os.getuid", lambda: 987_654_321)
    folder = Path("/tmp/benchsuite-987654321")
    try:
        with pytest.raises(RequestError, match="is not a folder of this user's"):
            runtime_folder()
    finally:
        folder.rmdir()
