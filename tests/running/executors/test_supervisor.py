"""Real worker processes that crash, hang, print and lie, as their parent sees them."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from fixtures.scripted import scripted_executor, scripted_trial, sleepers, wait_until, workers

from benchsuite.contracts import Finished, Progress
from benchsuite.running.executors import supervisor
from benchsuite.schema import Record, Status, Trial


def records_of(trials: list[Trial], **options: object) -> list[Record]:
    """Run trials and return their records in the order in which they ended."""
    with scripted_executor(**options) as executor:
        return [event.record for event in executor.run(trials) if isinstance(event, Finished)]


@pytest.mark.parametrize(
    ("do", "status", "reason", "output"),
    [
        ("segfault", Status.FAILED, "died with signal 11 (SIGSEGV)", "last words"),
        ("abort", Status.FAILED, "died with signal 6 (SIGABRT)", "Fatal Python error: Aborted"),
        ("killed", Status.KILLED, "killed (SIGKILL)", ""),
        ("exit", Status.FAILED, "exited with code 3", "leaving"),
        ("garbage", Status.FAILED, "malformed (invalid JSON", ""),
        ("other", Status.FAILED, "answered out of turn", ""),
        ("close", Status.FAILED, "closed its channel", ""),
        ("orphan", Status.KILLED, "killed (SIGKILL)", ""),
        ("deep", Status.FAILED, "malformed (invalid JSON: recursion limit exceeded", ""),
    ],
)
def test_a_worker_that_dies_is_the_record_of_its_trial_and_the_next_one_runs(
    do: str, status: Status, reason: str, output: str
) -> None:
    bad, good = records_of([scripted_trial(do), scripted_trial()])
    assert (bad.status, good.status) == (status, Status.OK)
    assert bad.trial == scripted_trial(do)
    assert reason in bad.reason
    assert output in bad.output_tail
    assert bad.started <= bad.finished
    assert wait_until(lambda: not workers())


def test_a_trial_that_hangs_times_out_with_all_its_processes() -> None:
    with scripted_executor(timeout=5) as executor:
        seen, sleepers = list[Any](), list[Any]()
        for event in executor.run([scripted_trial("hang"), scripted_trial()]):
            if isinstance(event, Progress) and not sleepers:
                time.sleep(0.3)
                sleepers = [child for worker in workers() for child in worker.children()]
            if isinstance(event, Finished):
                seen.append(event.record)
    assert [record.status for record in seen] == [Status.TIMEOUT, Status.OK]
    assert seen[0].reason == "took longer than 5 s"
    assert sleepers
    assert wait_until(lambda: not any(sleeper.is_running() for sleeper in sleepers))


def test_a_failure_inside_a_trial_keeps_its_worker_and_its_output() -> None:
    first, failed, raised, last = records_of(
        [scripted_trial(), scripted_trial("fail"), scripted_trial("raise"), scripted_trial(seed=1)]
    )
    assert (failed.status, failed.output_tail) == (Status.FAILED, "about to fail")
    assert raised.status is Status.FAILED
    assert raised.reason == "ValueError: a defect of the session ?"
    assert "Traceback" in raised.exception
    assert last.scalars["scripted/process"] == first.scalars["scripted/process"]
    assert first.output_tail == ""


def test_output_on_standard_output_never_reaches_the_channel_nor_standard_input_the_commands() -> None:
    shouted, read, after = records_of([scripted_trial("shout"), scripted_trial("read"), scripted_trial()])
    assert [record.status for record in (shouted, read, after)] == [Status.OK] * 3
    assert after.scalars["scripted/served"] == 3


def test_curves_and_numbers_that_are_not_finite_arrive_exactly() -> None:
    (record,) = records_of([scripted_trial("long")])
    (curve,) = record.series
    assert len(curve.x) == len(curve.y) == 30_000
    assert curve.y[:2] == [math.inf, -math.inf]
    assert math.isnan(curve.y[2])
    assert curve.y[3:] == [step / 3 for step in range(3, 30_000)]
    assert math.isnan(record.scalars["train/loss"])
    assert record.scalars["train/worst"] == math.inf


@pytest.mark.parametrize(
    ("do", "cause"),
    [
        ("ok", ""),
        ("segfault", "crash"),
        ("exit", "exit"),
        ("close", "lost"),
        ("garbage", "lost"),
        ("raise", "exception"),
    ],
)
def test_a_record_names_the_cause(do: str, cause: str) -> None:
    (record,) = records_of([scripted_trial(do)])
    assert record.cause == cause


@pytest.mark.parametrize("do", ["memory", "memory_child"])
def test_a_worker_that_uses_too_much_memory_is_ended_and_its_trial_says_so(do: str) -> None:
    bad, good = records_of([scripted_trial(do, seconds=300), scripted_trial()], memory=200 * 2**20)
    assert (bad.status, bad.cause, good.status) == (Status.KILLED, "memory", Status.OK)
    assert "GiB of memory; --memory allows 0.20 GiB" in bad.reason
    assert wait_until(lambda: not workers())


def test_a_trial_that_lowers_its_limits_leaves_its_worker_to_nobody() -> None:
    first, limited, after = records_of([scripted_trial(), scripted_trial("limits"), scripted_trial(seed=1)])
    assert first.scalars["scripted/process"] == limited.scalars["scripted/process"]
    assert after.scalars["scripted/process"] != limited.scalars["scripted/process"]


def test_what_an_earlier_trial_prints_late_is_not_the_next_ones() -> None:
    with scripted_executor() as executor:
        first = [*executor.run([scripted_trial("late")])]
        time.sleep(0.3)
        *_, last = executor.run([scripted_trial("fail")])
    assert isinstance(first[-1], Finished)
    assert isinstance(last, Finished)
    failed = last.record
    assert failed.output_tail == "about to fail"


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MOST_LINE_BYTES", 1 << 22)
    bad, good = records_of([scripted_trial("endless"), scripted_trial()])
    assert bad.reason == "the worker sent an answer of more than 4 MiB"
    assert good.status is Status.OK


def test_a_long_answer_is_read_in_linear_time() -> None:
    (record,) = records_of([scripted_trial("long_record")])
    assert record.status is Status.OK
    assert len(record.series[0].x) == 1_000_000


def test_children_in_a_session_of_their_own_end_with_their_worker() -> None:
    seconds = 600.0 + os.getpid() / 1e7
    (record,) = records_of([scripted_trial("session", seconds=seconds)])
    assert record.status is Status.OK
    assert wait_until(lambda: not sleepers(seconds))


@pytest.mark.parametrize("do", ["hang", "sleep", "hold", "stop", "session_hang"])
def test_no_worker_outlives_a_parent_that_is_killed(do: str) -> None:
    seconds = 600.0 + os.getpid() / 1e7
    script = (
        "from fixtures.scripted import *\n"
        "with scripted_executor() as executor:\n"
        f"    for event in executor.run([scripted_trial({do!r}, seconds={seconds})]):\n"
        "        print(type(event).__name__, flush=True)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    while parent.stdout.readline().strip() != "Progress":
        assert parent.poll() is None
    assert wait_until(lambda: len(workers()) == 1)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not workers(), 10)
    assert wait_until(lambda: not sleepers(seconds), 10)
