"""Session: what happens around a trial, in the worker's own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.tiny_trial import TRIAL

from benchsuite.contracts import Device
from benchsuite.contracts.shared_compilations import SHARING_VARIABLE
from benchsuite.errors import UnsupportedError
from benchsuite.measure.probes.memory import PeakMemory
from benchsuite.measure.worker.channel import (
    BackendDescribed,
    RunTrial,
    SupportChecked,
    TrialFinished,
    decode_answer,
    encode,
)
from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Status, Trial
from benchsuite.schema.texts import NO_REASON


def test_a_backend_that_cannot_release_costs_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("the cache is locked")

    session = Session("numpy")
    backend, _ = session.load_backend()
    assert "backend.release.problem" not in session.run(TRIAL, lambda _: None).environment
    monkeypatch.setattr(backend, "release", broken)
    record = session.run(TRIAL, lambda _: None)
    assert record.status is Status.OK
    assert record.environment["backend.release.problem"] == "RuntimeError: the cache is locked"


def seeded(seed: int, **changes: Any) -> Trial:
    return TRIAL.model_copy(update={"seed": seed} | changes)


OTHER = seeded(0, recipe=TRIAL.recipe.model_copy(update={"learning_rate": 0.5}))


@pytest.mark.parametrize(
    ("sharing", "shares", "trials", "released"),
    [
        ("0", True, [seeded(0), seeded(1), OTHER], [1, 2, 3]),
        ("1", False, [seeded(0), seeded(1), OTHER], [1, 2, 3]),
        ("1", True, [seeded(0), seeded(1), seeded(0), OTHER, seeded(0)], [0, 0, 0, 1, 2]),
    ],
)
def test_what_was_compiled_is_kept_for_other_seeds_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, sharing: str, shares: bool, trials: list[Trial], released: list[int]
) -> None:
    session, calls, seen = Session("numpy"), list[int](), list[int]()
    backend, _ = session.load_backend()
    monkeypatch.setenv(SHARING_VARIABLE, sharing)
    monkeypatch.setattr(type(backend), "shares_compiled", shares)
    monkeypatch.setattr(backend, "release", lambda: calls.append(1))
    for trial in trials:
        assert session.run(trial, lambda _: None).status is Status.OK
        seen.append(len(calls))
    assert seen == released
    session.ready(TRIAL, "step", lambda _: None)  # a race begins with nothing that trials have compiled
    assert len(calls) == released[-1] + (sharing == "1" and shares)


def test_what_a_calibration_compiled_is_released_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCHSUITE_CALIBRATION", str(tmp_path))
    session, calls, seen = Session("numpy"), list[int](), list[tuple[str, int]]()
    backend, _ = session.load_backend()
    monkeypatch.setattr(backend, "release", lambda: calls.append(1))
    monkeypatch.setattr(backend, "choices", lambda *_: {"products": ("one", "another")})
    for _run in ("measures", "knows what was measured"):
        calls.clear()
        session.run(TRIAL, lambda progress: seen.append((progress.phase, len(calls))))
    assert [count for phase, count in seen if phase == "build"] == [1, 0]


def test_a_kernel_that_was_not_asked_for_ends_the_trial_after_its_first_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session("numpy")
    backend, _ = session.load_backend()
    monkeypatch.setattr(backend, "supports", lambda *_: None)
    longer = TRIAL.recipe.model_copy(update={"steps": 500, "epochs": 500})
    fused = TRIAL.model_copy(update={"execution": {"unroll": "fused"}, "recipe": longer})
    phases: list[str] = []
    record = session.run(fused, lambda progress: phases.append(progress.phase))
    assert record.status is Status.FAILED
    assert "unroll fused was asked for on cpu, but 'python_loop" in record.reason
    assert phases[-1] == "train"
    assert phases.count("train") == 1  # no epoch was reported


def test_a_trial_that_means_nothing_is_skipped_before_its_data_are_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session("numpy")
    monkeypatch.setattr(session, "load_task", None)
    carried = TRIAL.model_copy(
        update={
            "architecture": "bidirectional",
            "recipe": TRIAL.recipe.model_copy(update={"carry": True, "truncation": 4}),
        }
    )
    (support,) = session.check_support([carried])
    assert "recipe.carry needs a forward stack" in str(support.reason)
    record = session.run(carried, lambda _: None)
    assert record.status is Status.SKIPPED
    assert "recipe.carry needs a forward stack" in record.reason


class Unspeakable(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise RuntimeError("no text")


def fails(error: BaseException) -> Any:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


@pytest.mark.parametrize(
    ("method", "answer", "reason"),
    [
        ("build", fails(ValueError("a lone \ud83d")), "ValueError: a lone ?"),
        ("build", fails(Unspeakable()), "Unspeakable: its text cannot be had"),
        ("build", fails(RuntimeError("x" * 50_000_000)), "characters are left out"),
        ("build", fails(UnsupportedError(" ")), NO_REASON),
        ("build", lambda *_: None, "AttributeError"),
        ("supports", lambda *_: " \n", NO_REASON),
        ("supports", lambda *_: 3, "3"),
        ("supports", fails(RecursionError("deep")), "RecursionError: deep"),
    ],
)
def test_whatever_a_backend_says_is_its_trials_record_and_can_be_sent(
    method: str, answer: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session("numpy")
    backend, _ = session.load_backend()
    monkeypatch.setattr(backend, method, answer)
    record = session.run(TRIAL, lambda _: None)
    assert record.status in (Status.FAILED, Status.SKIPPED)
    assert reason in record.reason
    sent = encode(TrialFinished.of(record))
    assert len(sent) < 200_000
    assert decode_answer(sent, RunTrial(trial=TRIAL)).content.reason == record.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "answer", [lambda *_: " ", lambda *_: 3, lambda *_: "\ud83d" * 10**7, fails(Unspeakable())]
)
def test_a_reason_why_a_trial_cannot_run_can_be_sent(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session("numpy")
    backend, _ = session.load_backend()
    monkeypatch.setattr(backend, "supports", answer)
    (support,) = session.check_support([TRIAL])
    assert support.reason
    assert support.reason.strip()
    assert len(encode(SupportChecked(content=[support]))) < 10_000


@pytest.mark.parametrize(
    ("method", "answer", "problem"),
    [
        ("versions", lambda: {"a": 3}, ""),
        ("versions", lambda: 3, "AttributeError"),
        ("devices", lambda: [Device("cpu", 3)], "against its contract: devices.cpu"),  # type: ignore[arg-type]
        ("devices", lambda: [Device("cpu", "\udcff")], ""),
        ("devices", fails(Unspeakable()), "Unspeakable"),
    ],
)
def test_whatever_a_backend_says_of_itself_can_be_sent(
    method: str, answer: Any, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session("numpy")
    backend, _ = session.load_backend()
    monkeypatch.setattr(backend, method, answer)
    info = session.describe_backend()
    assert (problem in info.problem) if problem else not info.problem
    encode(BackendDescribed(content=info))


def test_a_probe_that_gives_no_numbers_costs_its_figures_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PeakMemory, "scalars", lambda _: {"memory/odd": "much"})
    record = Session("numpy").run(TRIAL, lambda _: None)
    assert record.status is Status.OK
    assert "ValueError" in record.environment["plugin.PeakMemory.problem"]


@pytest.mark.parametrize(("packed", "reason"), [(0, None), (40, "no resets")])
def test_a_plan_knows_of_resets_before_the_data_are_loaded(packed: int, reason: str | None) -> None:
    given = {"task": "state_tracking", "source": "parity", "options": {"packed": packed}, "backend": "torch"}
    fused = TRIAL.model_copy(
        update={**given, "cell": "lstm", "architecture": "plain", "execution": {"unroll": "fused"}}
    )
    (found,) = Session("torch").check_support([fused])
    assert (found.reason is None) is (reason is None)
    assert reason is None or reason in str(found.reason)
