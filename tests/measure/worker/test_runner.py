"""Session: what happens around a trial, in the worker's own process."""

from __future__ import annotations

import pytest
from fixtures.tiny_trial import TRIAL

from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Status


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
