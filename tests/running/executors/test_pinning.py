"""Which trial has which cores: those of its own, as long as it runs, among all processes of the machine."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fixtures.scripted import scripted_executor, scripted_trial

from benchsuite.contracts import Finished
from benchsuite.measure.machine.byte_locks import SUPPORTED
from benchsuite.measure.timing.cores import cores_of
from benchsuite.running.executors.pinning import CorePool, Kept, wanted_threads
from benchsuite.running.executors.topology import Topology
from benchsuite.schema import Record, Trial

several = pytest.mark.skipif(len(cores_of()) < 2, reason="needs Linux and two cores")
locks = pytest.mark.skipif(not SUPPORTED, reason="needs locks on open files")

FOUR = Topology((0, 1, 2, 3), {core: str(core) for core in range(4)}, 4)
HYPERTHREADS = Topology((0, 1, 2, 3), {0: "a", 1: "b", 2: "a", 3: "b"}, 4)


def test_only_trials_on_the_cpu_want_cores() -> None:
    assert wanted_threads([scripted_trial(threads=2), scripted_trial(threads=8, device="gpu")]) == 2
    assert wanted_threads([]) == 0


@locks
def test_trials_of_several_runs_have_disjoint_cores_and_the_next_one_waits(tmp_path: Path) -> None:
    first, second = (CorePool(FOUR, 1, 2, tmp_path) for _ in range(2))
    with ThreadPoolExecutor() as threads:
        with first.leased(2) as one, second.leased(2) as two:
            assert sorted(one.cores + two.cores) == [0, 1, 2, 3]
            stopped = time.monotonic() + 0.1
            with first.leased(1, lambda: time.monotonic() > stopped) as none:
                assert none == Kept()
            with first.taken(scripted_trial(device="gpu")) as other:
                assert other == Kept()
            waiting = threads.submit(lease_once, CorePool(FOUR, 1, 3, tmp_path), 3)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
        assert waiting.result(10).cores == (0, 1, 2)


def lease_once(pool: CorePool, threads: int) -> Kept:
    with pool.leased(threads) as kept:
        return kept


@locks
def test_hardware_threads_are_shared_only_where_more_is_asked_for_and_then_said(tmp_path: Path) -> None:
    few, many = CorePool(HYPERTHREADS, 2, 1, tmp_path), CorePool(HYPERTHREADS, 3, 1, tmp_path)
    with few.leased(1) as one, few.leased(1) as two:
        assert (one, two) == (Kept((0,)), Kept((1,)))
        stopped = time.monotonic() + 0.1
        with few.leased(1, lambda: time.monotonic() > stopped) as none:
            assert none == Kept()
        with many.leased(1) as three:
            assert three == Kept((2,), shared=True)


@locks
def test_a_limit_of_the_control_group_holds_for_all_runs_in_it(tmp_path: Path) -> None:
    allowed = Topology(FOUR.order, FOUR.physical, 1)
    assert not CorePool(allowed, 2, 1, tmp_path).kept
    one, other = (CorePool(allowed, 1, 1, tmp_path) for _ in range(2))
    with ThreadPoolExecutor() as threads:
        with one.leased(1) as cores:
            assert cores == Kept((0,))
            waiting = threads.submit(lease_once, other, 1)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
        assert len(waiting.result(10).cores) == 1


HOLDER = """
import sys
from pathlib import Path
from benchsuite.running.executors.pinning import CorePool
from benchsuite.running.executors.topology import Topology
pool = CorePool(Topology((0, 1), {0: "a", 1: "b"}, 2), 1, 1, Path(sys.argv[1]))
with pool.leased(1) as kept:
    print(kept.cores[0], flush=True)
    sys.stdin.read()
"""


@locks
def test_two_processes_never_have_one_core_and_a_killed_one_leaves_its_own(tmp_path: Path) -> None:
    pair = [holder(tmp_path) for _ in range(2)]
    try:
        cores = [read_core(one) for one in pair]
        assert sorted(cores) == [0, 1]
        pair[0].kill()
        pair.append(holder(tmp_path))
        assert read_core(pair[2]) == cores[0]
    finally:
        for one in pair:
            one.kill()
            one.wait()


def holder(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read_core(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def run(trials: list[Trial], **options: object) -> list[Record]:
    with scripted_executor(**options) as executor:
        return [event.record for event in executor.run(trials) if isinstance(event, Finished)]


@several
def test_a_warm_worker_is_kept_on_as_many_cores_as_its_trial_has_threads() -> None:
    first, second = run([scripted_trial(), scripted_trial(seed=1)])
    assert first.scalars["scripted/cores"] == second.scalars["scripted/cores"] == 1
    (two,) = run([scripted_trial(threads=2)])
    assert two.scalars["scripted/cores"] == 2


@several
def test_jobs_have_disjoint_cores_and_the_records_say_so() -> None:
    found = run([scripted_trial("sleep", seed=seed, seconds=0.3) for seed in range(4)], jobs=2)
    assert {record.scalars["scripted/cores"] for record in found} == {1}
    assert len({record.environment["scripted.cores"] for record in found}) == 2
    assert {record.environment["run.jobs"] for record in found} == {"2"}
    assert {record.environment["run.cores"] for record in found} == {"own"}


@pytest.mark.parametrize(("options", "threads"), [({"pin": False}, 1), ({}, 1000), ({"jobs": 100}, 10)])
def test_without_enough_cores_or_wish_nobody_is_kept_and_the_reason_is_told(
    options: dict[str, object], threads: int
) -> None:
    trials = [scripted_trial(threads=threads)]
    (found,) = run(trials, **options)
    assert found.scalars["scripted/cores"] == len(cores_of())
    assert found.environment["run.cores"] == "any"
    with scripted_executor(**options) as executor:
        told = executor.remarks(trials)
    if "pin" in options or not cores_of():
        assert told == []
    else:
        assert "need 1000 cores" in told[0]
