"""The local executor over real worker processes that crash, hang, shout and lie."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.scripted import BACKENDS, scripted_executor, scripted_trial

from benchsuite.contracts import Finished, Progress, RunOptions, Started
from benchsuite.errors import RequestError
from benchsuite.running.executors.local import LocalExecutor
from benchsuite.schema import Record, Status, Trial


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"isolation": "cell"}, "isolation is 'worker' or 'trial', not 'cell'"),
        ({"jobs": 0}, "jobs must be at least 1"),
        ({"timeout": 0.0}, "above 0"),
        ({"timeout": math.nan}, "above 0"),
        ({"memory": 0}, "memory is a number of bytes above 0"),
        ({"memory": math.nan}, "memory is a number of bytes above 0"),
        ({"retries": (("exception", 1),)}, "exception is retried 1 times: give one of lost,"),
        ({"retries": (("lost", -1),)}, "0 or more times"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        scripted_executor(**options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "environment() gave int, not a mapping"),
        ({"A": 1}, "environment() gave 'A': 1"),
        ({1: "a"}, "environment() gave 1: 'a'"),
        ({"A=B": "a"}, "environment() gave 'A=B'"),
        ({"A": "nul \0"}, "texts without NUL"),
        ({"A": "a lone \ud83d"}, "texts without NUL"),
    ],
)
def test_a_backend_that_gives_no_environment_fails_its_own_trials_alone(given: Any, message: str) -> None:
    odd = replace(BACKENDS["scripted"], name="odd", environment=lambda _: given)
    with LocalExecutor(RunOptions(), {**BACKENDS, "odd": odd}, "scripted_worker") as executor:
        trials = [scripted_trial(backend="odd"), scripted_trial()]
        supported = executor.check_support(trials)
        records = [event.record for event in executor.run(trials) if isinstance(event, Finished)]
        (info,) = executor.describe_backends(["odd"])
    assert [one.broken for one in supported] == [True, False]
    assert message in str(supported[0].reason)
    assert [record.status for record in records] == [Status.FAILED, Status.OK]
    assert message in records[0].reason
    assert message in info.problem


def records(trials: list[Trial], **options: object) -> list[Record]:
    with scripted_executor(**options) as executor:
        return [event.record for event in executor.run(trials) if isinstance(event, Finished)]


def test_a_lost_worker_is_tried_again_and_the_record_says_so(tmp_path: Path) -> None:
    trial = scripted_trial("lost_once", log=str(tmp_path / "lost"))
    (record,) = records([trial], retries=(("lost", 2), ("crash", 0)))
    assert (record.status, record.environment["run.attempts"]) == (Status.OK, "2")
    assert "SIGKILL" in record.environment["run.attempt_1"]


@pytest.mark.parametrize(("do", "attempts"), [("segfault", 1), ("raise", 1), ("killed", 3)])
def test_each_cause_is_tried_again_as_often_as_asked(do: str, attempts: int) -> None:
    with scripted_executor(retries=(("lost", 2),)) as executor:
        events = list(executor.run([scripted_trial(do)]))
    assert [type(event) for event in events] == [Started, *[Progress] * attempts, Finished]
    assert isinstance(events[-1], Finished)
    assert events[-1].record.environment.get("run.attempts", "1") == str(attempts)
