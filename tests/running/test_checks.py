"""Checks in a worker: results as they come, and an end for whoever hangs or dies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fixtures.scripted import BACKENDS, wait_until, workers

from benchsuite.errors import BenchsuiteError, RequestError, UnknownNameError, WorkerError
from benchsuite.measure.worker.channel import CaseResult, CaseStarted
from benchsuite.running.checks import (
    MOST_LOST_CASES,
    KitCheck,
    check_backend,
    check_cell,
    check_cell_models,
    check_task,
)
from benchsuite.schema import Execution

MODULE = "scripted_worker"


def check(name: str, device: str = "cpu", timeout: float | None = None) -> KitCheck:
    return check_backend(
        name, Execution(device=device), ["static", "fused"], timeout=timeout, backends=BACKENDS, module=MODULE
    )


def results(check: KitCheck) -> list[CaseResult]:
    return [event for event in check.run() if isinstance(event, CaseResult)]


def test_every_case_starts_and_ends_in_turn() -> None:
    asked = check("scripted")
    listed = asked.list().cases
    events = list(asked.run())
    assert [type(event) for event in events] == [CaseStarted, CaseResult] * 6
    assert [(event.check, event.unroll) for event in events[::2]] == [
        (event.check, event.unroll) for event in events[1::2]
    ]
    assert [(case.check, case.unroll) for case in listed] == [
        (event.check, event.unroll) for event in events[::2]
    ]
    ended = [event for event in events if isinstance(event, CaseResult)]
    assert [result.status for result in ended] == ["ok"] * 3 + ["unsupported"] * 3
    assert not asked.left
    assert wait_until(lambda: not workers())


def test_only_the_cases_asked_for_are_run() -> None:
    asked = check("scripted")
    some = asked.list().cases[1:4:2]
    found = [event for event in asked.run(some) if isinstance(event, CaseResult)]
    assert [(result.check, result.unroll) for result in found] == [(case.check, case.unroll) for case in some]


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are checked by the reference's worker, whose environment knows no scripted one."""
    path = BACKENDS["scripted"].environment(Execution())["PYTHONPATH"]
    monkeypatch.setenv("PYTHONPATH", path)


CHECKS: dict[str, Callable[[str], KitCheck]] = {
    "backend": lambda end: check(f"scripted_{end}", timeout=3),
    "task": lambda end: check_task("any", ["well", end, "also_well"], timeout=3, module=MODULE),
    "cell": lambda end: check_cell(end, timeout=3, module=MODULE),
    "cell in a backend": lambda end: check_cell_models(
        end, "scripted", Execution(), ["static"], timeout=3, backends=BACKENDS, module=MODULE
    ),
}


@pytest.mark.usefixtures("on_path")
@pytest.mark.parametrize("what", CHECKS)
@pytest.mark.parametrize(
    ("end", "said"),
    [("hangs", "took longer than 3 s"), ("dies", "SIGSEGV")],
)
def test_who_hangs_or_dies_has_failed_in_that_case_alone(what: str, end: str, said: str) -> None:
    asked = CHECKS[what](end)
    listed = asked.list().cases
    found = results(asked)
    assert [(result.check, result.unroll) for result in found] == [
        (case.check, case.unroll) for case in listed
    ]
    failed = [result for result in found if result.status == "failed"]
    assert len(failed) == (2 if what == "backend" else 1)
    assert all(said in result.message for result in failed)
    assert wait_until(lambda: not workers())


def test_a_backend_that_dies_again_and_again_is_given_up() -> None:
    asked = check("scripted_always_dies")
    found = results(asked)
    assert [result.status for result in found] == ["failed"] * MOST_LOST_CASES
    assert len(asked.left) == 6 - MOST_LOST_CASES


@pytest.mark.parametrize("end", ["hangs", "dies"])
def test_a_failure_is_kept_where_its_explanation_hangs_or_dies(end: str) -> None:
    found = results(check(f"scripted_fails_and_{end}", timeout=3))
    assert [result.status for result in found] == [
        "ok",
        "failed",
        "ok",
        "unsupported",
        "failed",
        "unsupported",
    ]
    assert {result.message for result in found if result.status == "failed"} == {"wrong"}


@pytest.mark.parametrize(
    ("name", "device", "error", "said"),
    [
        ("scripted_absent", "cpu", RequestError, "needs scripted-framework"),
        ("scripted_crash", "cpu", WorkerError, "did not answer: .*SIGSEGV"),
        ("scripted", "gpu", UnknownNameError, "unknown device of scripted 'gpu'"),
        ("scritped", "cpu", UnknownNameError, "did you mean 'scripted'"),
    ],
)
def test_what_cannot_be_checked_is_no_result(
    name: str, device: str, error: type[BenchsuiteError], said: str
) -> None:
    with pytest.raises(error, match=said):
        list(check(name, device).run())
    assert wait_until(lambda: not workers())


def test_whoever_stops_listening_ends_the_worker() -> None:
    events = check("scripted_hangs").run()
    assert isinstance(next(events), CaseStarted)
    events.close()  # type: ignore[attr-defined]
    assert wait_until(lambda: not workers())
