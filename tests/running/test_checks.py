"""Checks in a worker: results as they come, and an end for whoever hangs or dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fixtures.scripted import BACKENDS, wait_until, workers

from benchsuite.errors import BenchsuiteError, RequestError, UnknownNameError, WorkerError
from benchsuite.measure.worker.channel import CaseResult, CaseStarted
from benchsuite.running.checks import CheckEvent, check_backend, check_cell, check_cell_models, check_task
from benchsuite.schema import Execution

MODULE = "scripted_worker"


def check(name: str, device: str = "cpu", timeout: float | None = None) -> Iterator[CheckEvent]:
    return check_backend(
        name, Execution(device=device), ["static", "fused"], timeout=timeout, backends=BACKENDS, module=MODULE
    )


def test_every_case_starts_and_ends_in_turn() -> None:
    events = list(check("scripted"))
    assert [type(event) for event in events] == [CaseStarted, CaseResult] * 6
    assert [(event.check, event.unroll) for event in events[::2]] == [
        (event.check, event.unroll) for event in events[1::2]
    ]
    results = [event for event in events if isinstance(event, CaseResult)]
    assert [result.status for result in results] == ["ok"] * 3 + ["unsupported"] * 3
    assert wait_until(lambda: not workers())


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are checked by the reference's worker, whose environment knows no scripted one."""
    path = BACKENDS["scripted"].environment(Execution())["PYTHONPATH"]
    monkeypatch.setenv("PYTHONPATH", path)


CHECKS: dict[str, Callable[[str], Iterator[CheckEvent]]] = {
    "backend": lambda end: check(f"scripted_{end}", timeout=2),
    "task": lambda end: check_task("any", ["well", end, "well"], timeout=2, module=MODULE),
    "cell": lambda end: check_cell(end, timeout=2, module=MODULE),
    "cell in a backend": lambda end: check_cell_models(
        end, "scripted", Execution(), ["static"], timeout=2, backends=BACKENDS, module=MODULE
    ),
}


@pytest.mark.usefixtures("on_path")
@pytest.mark.parametrize("what", CHECKS)
@pytest.mark.parametrize(
    ("end", "said"),
    [("hangs", "took longer than 2 s"), ("dies", "SIGSEGV")],
)
def test_who_hangs_or_dies_has_failed_in_that_case(what: str, end: str, said: str) -> None:
    results = [event for event in CHECKS[what](end) if isinstance(event, CaseResult)]
    assert [result.status for result in results][-2:] in (["ok", "failed"], ["failed"])
    assert said in results[-1].message
    assert "what comes after it was not checked" in results[-1].message
    assert wait_until(lambda: not workers())


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
        list(check(name, device))
    assert wait_until(lambda: not workers())


def test_whoever_stops_listening_ends_the_worker() -> None:
    events = check("scripted_hangs")
    assert isinstance(next(events), CaseStarted)
    events.close()  # type: ignore[attr-defined]
    assert wait_until(lambda: not workers())
