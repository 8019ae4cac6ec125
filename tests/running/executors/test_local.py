"""The local executor over real worker processes that crash, hang, shout and lie."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from fixtures.scripted import BACKENDS, scripted_executor, scripted_trial, wait_until, workers

from benchsuite.contracts import BackendEntry, Finished, Progress, RunOptions, Started
from benchsuite.errors import RequestError
from benchsuite.running.executors.local import LocalExecutor
from benchsuite.running.executors.pool import MOST_IDLE
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
        ("killed", Status.KILLED, "killed (SIGKILL), probably because memory ran out", ""),
        ("exit", Status.FAILED, "exited with code 3", "leaving"),
        ("garbage", Status.FAILED, "malformed (Invalid JSON", ""),
        ("other", Status.FAILED, "answered out of turn", ""),
        ("close", Status.FAILED, "closed its channel", ""),
        ("orphan", Status.KILLED, "killed (SIGKILL)", ""),
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
        seen, sleepers = [], []
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


def test_events_come_in_order() -> None:
    with scripted_executor() as executor:
        events = list(executor.run([scripted_trial(), scripted_trial(seed=1)]))
    assert [type(event) for event in events] == [Started, Progress, Finished] * 2
    progress = events[1]
    assert isinstance(progress, Progress)
    assert (progress.trial, progress.phase, progress.epoch, progress.metric) == (
        scripted_trial(),
        "train",
        1,
        0.5,
    )
    assert progress.loss is not None
    assert math.isnan(progress.loss)


def test_describe_backends_asks_the_workers() -> None:
    with scripted_executor() as executor:
        well, absent, crashed, unknown = executor.describe_backends(
            ["scripted", "scripted_absent", "scripted_crash", "scritped"]
        )
    assert (well.problem, well.devices, well.versions) == ("", {"cpu": "a scripted"}, {"scripted": "1.0"})
    assert absent.problem == "needs scripted-framework"
    assert "SIGSEGV" in crashed.problem
    assert [one.broken for one in (well, absent, crashed)] == [False, False, True]
    assert "did you mean 'scripted'" in unknown.problem


def test_check_support_answers_in_the_order_of_the_trials() -> None:
    trials = [
        scripted_trial(),
        scripted_trial(backend="scripted_crash"),
        scripted_trial("unsupported"),
        scripted_trial(backend="scritped"),
        scripted_trial(seed=1, backend="scripted2"),
    ]
    with scripted_executor() as executor:
        found = executor.check_support(trials)
    assert len(found) == len(trials)
    assert [one.fingerprint for one in found] == ["scripted-1", "", "", "", "scripted-1"]
    assert found[0].reason is None
    assert "SIGSEGV" in str(found[1].reason)
    assert [one.broken for one in found] == [False, True, False, True, False]
    assert found[2].reason == "the scripted has no such thing"


def test_warm_workers_serve_trials_of_one_environment_and_no_other() -> None:
    found = records_of(
        [
            scripted_trial(),
            scripted_trial(threads=2),
            scripted_trial(seed=1),
            scripted_trial(seed=1, threads=2),
        ]
    )
    processes = [record.scalars["scripted/process"] for record in found]
    assert processes[0] == processes[2] != processes[1] == processes[3]
    assert [record.scalars["scripted/threads"] for record in found] == [1, 2, 1, 2]


def test_devices_share_no_worker() -> None:
    trials = [scripted_trial(), scripted_trial(device="gpu"), scripted_trial(seed=1)]
    processes = [record.scalars["scripted/process"] for record in records_of(trials)]
    assert processes[0] == processes[2] != processes[1]


def test_isolation_by_trial_gives_every_trial_a_fresh_process() -> None:
    found = records_of([scripted_trial(), scripted_trial(seed=1)], isolation="trial")
    assert len({record.scalars["scripted/process"] for record in found}) == 2
    assert [record.scalars["scripted/served"] for record in found] == [1, 1]


def test_no_more_workers_stay_than_there_is_room_for_and_scarce_ones_are_used_while_warm() -> None:
    kinds = MOST_IDLE + 1
    trials = [scripted_trial(seed=seed, threads=1 + kind) for seed in range(2) for kind in range(kinds)]
    with scripted_executor() as executor:
        done = 0
        for event in executor.run(trials):
            if isinstance(event, Finished):
                done += 1
                assert len(workers()) <= MOST_IDLE + 1
        assert done == len(trials)
        assert len(workers()) == MOST_IDLE
    assert wait_until(lambda: not workers())


def test_two_jobs_run_at_the_same_time_and_every_trial_ends_once() -> None:
    trials = [scripted_trial("sleep", seed=seed, seconds=0.3) for seed in range(4)] + [
        scripted_trial("segfault")
    ]
    with scripted_executor(jobs=2) as executor:
        running, most, found = 0, 0, []
        for event in executor.run(trials):
            running += isinstance(event, Started)
            most = max(most, running)
            if isinstance(event, Finished):
                running -= 1
                found.append(event.record)
    assert most == 2
    assert sorted(record.trial_id for record in found) == sorted(trial.id for trial in trials)
    assert sorted(record.status for record in found) == ["failed", "ok", "ok", "ok", "ok"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_leaving_early_ends_what_runs(jobs: int) -> None:
    with scripted_executor(jobs=jobs) as executor:
        events = executor.run([scripted_trial("hang"), scripted_trial("hang", seed=1)])
        next(event for event in events if isinstance(event, Progress))
        begin = time.monotonic()
        events.close()  # type: ignore[attr-defined]  (both are generators)
        assert time.monotonic() - begin < 5
        assert wait_until(lambda: not workers())
        # and the executor can still be used
        after = [event for event in executor.run([scripted_trial()]) if isinstance(event, Finished)]
        assert after[0].record.status is Status.OK


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_reaches_the_caller_and_ends_the_workers(jobs: int) -> None:
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), scripted_executor(jobs=jobs) as executor:
        list(executor.run([scripted_trial("hang")]))
    assert time.monotonic() - begin < 8
    assert wait_until(lambda: not workers())


def test_a_warm_worker_that_died_while_idle_is_replaced() -> None:
    with scripted_executor() as executor:
        list(executor.run([scripted_trial()]))
        (idle,) = workers()
        idle.kill()
        assert wait_until(lambda: not psutil.pid_exists(idle.pid) or idle.status() == psutil.STATUS_ZOMBIE)
        found = [
            event.record for event in executor.run([scripted_trial(seed=1)]) if isinstance(event, Finished)
        ]
    assert found[0].status is Status.OK


@pytest.mark.parametrize("do", ["hang", "sleep"])
def test_no_worker_outlives_a_parent_that_is_killed(do: str) -> None:
    script = (
        "from fixtures.scripted import *\n"
        "with scripted_executor() as executor:\n"
        f"    for event in executor.run([scripted_trial({do!r}, seconds=600)]):\n"
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


def test_an_interpreter_that_is_missing_or_lacks_benchsuite_is_a_reason() -> None:
    missing = LocalExecutor(
        RunOptions(pythons=(("scripted", "/nowhere/python"),)), BACKENDS, "scripted_worker"
    )
    with missing as executor:
        (info,) = executor.describe_backends(["scripted"])
        (support,) = executor.check_support([scripted_trial()])
        finished = [event for event in executor.run([scripted_trial()]) if isinstance(event, Finished)]
    assert "/nowhere/python" in info.problem
    assert "cannot be started" in str(support.reason)
    assert finished[0].record.status is Status.FAILED
    with LocalExecutor(RunOptions(), BACKENDS, "no_such_worker") as executor:
        (info,) = executor.describe_backends(["scripted"])
    assert "No module named no_such_worker" in info.problem


def test_a_plugin_that_cannot_name_its_environment_is_named() -> None:
    def broken(_: object) -> dict[str, str]:
        raise ZeroDivisionError("a plugin's defect")

    entry = BackendEntry("scripted", BACKENDS["scripted"].load, "", (), None, environment=broken)
    with LocalExecutor(RunOptions(), {"scripted": entry}, "scripted_worker") as executor:
        (support,) = executor.check_support([scripted_trial()])
    assert "backend 'scripted' cannot name its environment: ZeroDivisionError" in str(support.reason)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"isolation": "cell"}, "isolation is 'worker' or 'trial', not 'cell'"),
        ({"jobs": 0}, "jobs must be at least 1"),
        ({"timeout": 0.0}, "above 0"),
        ({"timeout": math.nan}, "above 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        scripted_executor(**options)
